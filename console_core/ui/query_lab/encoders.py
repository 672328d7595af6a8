"""Whether each column's model is fed rightly, as far as that was checked, and which samples percentiles are among."""

from collections.abc import Iterator, Sequence
from functools import partial

import streamlit as st

from console_core.querylab.comparison import ColumnResult, Comparison
from console_core.querylab.encoder_report import Finding, Level
from console_core.querylab.rankings import Query
from console_core.runs.types import ACTIVE, Run, RunState
from console_core.ui import navigation, session, words
from console_core.ui.address import opening
from console_core.ui.encoder_state import FAULTY, STALE, UNCHECKED, Encoder, check_button, encoder_of
from console_core.ui.live_run import live_run
from console_core.ui.permission import command_button
from console_core.ui.query_lab.answers import distinct_titles

ENCODER = "encoder-"
"""What the address says in `show` while a column's encoder check is, with the number of the column behind it."""
_LEVELS = {Level.RED: words.severity("block"), Level.WARN: words.severity("warn"), Level.INFO: words.severity("info")}


def encoders(comparison: Comparison) -> list[Encoder | None]:
    """For each column; None where it says of no model that it made it."""
    known: dict[str, Encoder] = {}
    found: list[Encoder | None] = []
    for result, title in zip(comparison.columns, distinct_titles(comparison), strict=True):
        info = result.collection
        if info is None or info.stamp is None:
            found.append(None)
            continue
        if info.name not in known:
            known[info.name] = encoder_of(info.name, title)
        found.append(known[info.name])
    return found


def warn(comparison: Comparison, known: Sequence[Encoder | None]) -> None:
    """One line over the answers while what is compared may be a fault and no model; nothing where all is green."""
    answered = [
        encoder
        for encoder, result in zip(known, comparison.columns, strict=True)
        if encoder is not None and result.error is None
    ]
    shown = list({encoder.collection: encoder for encoder in answered}.values())
    faulty = [encoder for encoder in shown if encoder.word is FAULTY]
    if faulty:
        st.error(
            f"{_and(faulty)}: what differs below may be that fault, and no property of a model. See the badge.",
            title="An encoder was found faulty",
            icon=FAULTY.icon,
        )
    open_ones = [encoder for encoder in shown if encoder.word in (UNCHECKED, STALE)]
    if open_ones and len(answered) > 1:
        st.warning(
            f"{_and(open_ones)}: the encoder is not checked. What differs below may be a fault of it, and no property "
            "of a model.",
            icon=":material/help:",
        )


def strip(comparison: Comparison, known: Sequence[Encoder | None], asked: Query | None) -> None:
    """A row over the answers: each column's badge, which opens what was found, its sample, and how sure its model is of
    what was `asked`, where that can be compared with questions of a query set."""
    for place, (cell, result) in enumerate(zip(st.columns(len(known)), comparison.columns, strict=True)):
        encoder = known[place]
        if encoder is None:
            continue
        beside = len(known) <= 2
        with cell, st.container(horizontal=beside, vertical_alignment="center", gap="small" if beside else None):
            label = f":{encoder.word.colour}[{encoder.word.icon}] {encoder.word.label}"
            key, part = f"lab-encoder-{place}", f"{ENCODER}{place + 1}"
            with st.popover(label, type="tertiary", key=key, on_change=opening(key, part)) as box:
                if box.open:
                    _card(encoder, place)
            _sample(result, place)
            if asked is not None:
                _sureness(result, asked)
    for run in _under_way(comparison, known):
        with st.container(border=True):
            live_run(run)


def _card(encoder: Encoder, place: int) -> None:
    st.markdown(f"**{words.plain(encoder.title)}** · {words.badge(encoder.word)}")
    now = encoder.standing
    if now is None:
        st.caption(
            "Before two models are compared, a check embeds at least 50 stored pictures again, holds captions against "
            "them, and compares the loaded model with its files."
        )
    else:
        told = now.report.compared
        st.caption(
            f"{told.agreeing:,} of {told.pictures:,} pictures that were embedded again agree with what is stored. "
            f"Checked {session.when(now.run.finished_at)}."
        )
        for reason in now.stale:
            st.markdown(f":orange[:material/history:] {words.plain(reason)}")
        for finding in now.report.findings:
            _finding(finding)
        navigation.link("runs", "The run of this check", run=now.run.id)
    newest = encoder.newest
    if newest is not None and newest.state in (RunState.FAILED, RunState.INVALID):
        st.markdown(f":red[:material/error:] The newest check failed: {words.plain(newest.reason)}")
        navigation.link("runs", "The run that failed", run=newest.id)
    if encoder.under_way is not None:
        st.caption("A check is under way.")
        return
    if check_button(encoder, key=f"lab-check-{place}", primary=True):
        st.rerun()


def _finding(finding: Finding) -> None:
    word = _LEVELS[finding.level]
    with st.container(border=True, gap="xxsmall"):
        st.markdown(f":{word.colour}[{word.icon}] **{words.plain(finding.title)}**")
        st.markdown(words.plain(finding.message))
        if finding.remedy:
            st.caption(f"What to do: {words.plain(finding.remedy)}")


def _sample(result: ColumnResult, place: int) -> None:
    """What percentiles are among; where the sample must be drawn first, a button that has it drawn."""
    info = result.collection
    if result.sampled:
        whole = "all " if info is not None and result.sampled >= info.points else ""
        st.caption(f"Percentiles among {whole}{words.count(result.sampled, 'picture')}", width="content")
    elif info is not None and result.error is None and session.console().samples.needs_drawing(info):
        st.caption("No percentiles yet: the sample of a collection of this size is drawn by a run.", width="content")
        begin = partial(session.act, "draw_sample", collection=info.name, done="The sample is being drawn.")
        if _drawing(info.name) is None and command_button(
            "Draw the sample", "draw_sample", key=f"lab-sample-{place}", icon=":material/casino:", kind="tertiary"
        ):
            begin()
            st.rerun()


def _sureness(result: ColumnResult, asked: Query) -> None:
    if result.collection is None or not result.answers:
        return
    found = session.console().lab.firsts.sureness(result.collection, asked, result.answers[0].score)
    if found is not None:
        st.caption(
            f"Surer of it than of {words.percent(found.share)} of {found.questions:,} questions",
            width="content",
            help=words.plain(
                f"How sure this model is of this question: the share of the questions of {found.set_name} "
                f"v{found.set_version} whose first answer scores lower in the same model. A percentile is among the "
                "pictures of one question and high for any first answer; this is among questions. It compares across "
                "columns. Low says that the model found little, high is no proof."
            ),
        )


def _drawing(collection: str) -> Run | None:
    found = session.console().ledger.runs(kinds=("sample",), target=collection, limit=1)
    return found[0] if found and found[0].state in ACTIVE else None


def _under_way(comparison: Comparison, known: Sequence[Encoder | None]) -> Iterator[Run]:
    """Checks and drawings of these columns that wait or are at work, each once."""
    runs = {encoder.under_way.id: encoder.under_way for encoder in known if encoder and encoder.under_way}
    for result in comparison.columns:
        if result.collection is not None and not result.sampled and (run := _drawing(result.collection.name)):
            runs[run.id] = run
    yield from runs.values()


def _and(some: Sequence[Encoder]) -> str:
    return words.listed([words.plain(encoder.title) for encoder in some])
