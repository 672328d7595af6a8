"""Step 4: what the preflight found, what the build will take, and the start."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st

from console_core.commands import Started
from console_core.embedding.types import ModelCard
from console_core.migration.findings import Preflight, Request, cosine
from console_core.migration.plan import MigrationPlan
from console_core.migration.preflight import preflights
from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui import session, words
from console_core.ui.permission import command_button
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.found import show_findings
from console_core.ui.wizard.steps import open_step

FRESH = 60
"""Seconds for which a preflight is shown again without being made again. The start makes its own in any case."""


def check_and_start(draft: Draft, cards: Sequence[ModelCard]) -> None:
    """Draw the step: findings and figures of each model, and the one button that starts to build with all of them."""
    requests = draft.requests()
    with open_step(4, "Preflight", "What can be known before anything is written."):
        with st.spinner(f"Loading {_named(cards)} and trying {'them' if len(cards) > 1 else 'it'} on your pictures…"):
            found = _checked(_question(requests), requests)
        if len(found) == 1:
            _one(found[0], draft)
        else:
            for card, one in zip(cards, found, strict=True):
                with st.container(border=True, gap="small", key=f"preflight-{card.key}"):
                    st.subheader(words.plain(card.title), anchor=False)
                    _one(one, draft, f"-{card.key}")
        if (same := _same_build(requests)) is not None:
            _open_instead(same)
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            _start(requests, found)
            st.button("Check again", icon=":material/refresh:", key="check-again", on_click=_checked.clear)
        st.caption(words.plain(_consequence(found)))


def _one(found: Preflight, draft: Draft, key: str = "") -> None:
    show_findings(found, draft, key)
    if found.selected:
        _figures(found)


def _named(cards: Sequence[ModelCard]) -> str:
    first, last = [card.title for card in cards[:-1]], cards[-1].title
    return f"{', '.join(first)} and {last}" if first else last


def _all(several: Sequence[object]) -> str:
    return "both" if len(several) == 2 else f"all {len(several)}"


def _consequence(several: Sequence[Preflight]) -> str:
    """What the start would change, and what it would leave alone."""
    if any(found.blocked for found in several):
        return f"Settle what blocks; then the build{'s' if len(several) > 1 else ''} can start."
    (found, *others) = several
    if others:
        return (
            f"Each picture is read and decoded once for {_all(several)} models. Every model gets a migration of its "
            "own, which can be paused, verified and cut over alone. Searches go on unchanged until you cut over."
        )
    if found.has("target-live"):
        return "Nothing else is written. Searches go on, and find each picture as soon as its point is there."
    where = found.target if found.fills else "the new collection"
    until = f"its name passes to {where}" if found.request.in_place else "you cut over"
    return f"The build writes only into {where}. Searches go on unchanged until {until}."


@st.cache_data(ttl=FRESH, max_entries=32, show_spinner=False)
def _checked(question: str, _requests: Sequence[Request]) -> list[Preflight]:
    return preflights(session.console().preflight_parts(_requests[0].served), _requests)


def _question(requests: Sequence[Request]) -> str:
    asked = [asdict(request) for request in requests]
    return json.dumps([str(session.console().settings.workspace), asked], sort_keys=True)


def _figures(found: Preflight) -> None:
    estimate = found.estimate
    with st.grid(5 if found.parity else 4, min_column_width=150):
        st.metric("Pictures to embed", words.number(found.to_embed), border=True, height="stretch")
        st.metric("Points served now", words.number(found.source_points), border=True, height="stretch")
        if estimate is not None:
            about = f"A trial on {words.count(estimate.tried, 'picture')} gave {words.rate(estimate.rate)}."
            took = words.interval(*estimate.seconds)
            st.metric("Time to build", took, border=True, height="stretch", help=about)
            st.metric("Space on disk", f"about {words.size(estimate.bytes)}", border=True, height="stretch")
        if found.parity is not None:
            told = words.plain(f"{found.parity.text(found.request.mode)}.")
            lowest = f"≥ {cosine(found.parity.lowest)}"
            st.metric("Cosine with exact mode", lowest, border=True, height="stretch", help=told)
    target, served = words.plain(found.target), words.plain(found.request.served)
    beside = f"**{served}**" if found.request.in_place else f"what **{served}** serves now"
    if found.fills:
        lacking = words.count(found.to_embed, "picture")
        st.markdown(f"Adds what **{target}** lacks: {lacking}; the others are skipped.")
    else:
        st.markdown(f"Builds **{target}** beside {beside}.")


def _same_build(requests: Sequence[Request]) -> Run | None:
    """A build of the same choices that has not ended: a second click, or somebody else, has begun it already."""
    wanted = [(request.served, request.model, request.part) for request in requests]
    unfinished = session.console().ledger.runs(kinds=("reembed",), states=ACTIVE | RESUMABLE)
    for run in unfinished:
        plan = MigrationPlan.from_json(run.spec)
        if run.migration and (plan.served_as, plan.model, plan.part) in wanted:
            return run
    return None


def _open_instead(run: Run) -> None:
    st.markdown(
        f":orange[:material/info:] These very choices are being built already: {words.plain(run.title)}, begun by "
        f"{words.plain(run.created_by)} {words.plain(session.when(run.created_at))}."
    )
    if st.button("Open that migration", type="primary", key="open-instead", icon=":material/arrow_forward:"):
        st.query_params.from_dict({"migration": run.migration})
        st.rerun()


def _start(requests: Sequence[Request], found: Sequence[Preflight]) -> None:
    several, first = len(found) > 1, found[0]
    pressed = command_button(
        f"Start {_all(found)} builds" if several else "Fill the gaps" if first.fills else "Start building",
        "start_migrations" if several else "start_migration",
        key="start",
        kind="primary",
        icon=":material/play_arrow:",
        disabled=any(one.blocked for one in found),
    )
    if not pressed:
        return
    with st.spinner("Checking once more and starting…"):
        begun = _begin_all(requests) if several else _begin(requests[0], first)
    _checked.clear()
    if begun:
        st.query_params.from_dict({} if several else {"migration": begun[0].migration.id})
    st.rerun()


def _begin(request: Request, found: Preflight) -> list[Started]:
    done = f"{found.target} is being {'filled' if found.fills else 'built'}."
    started = session.act("start_migration", request=request, done=done)
    return [] if started is None else [started]


def _begin_all(requests: Sequence[Request]) -> list[Started]:
    done = f"{len(requests)} collections are being built together."
    return session.act("start_migrations", requests=requests, done=done) or []
