"""The way of a migration that recreates a collection in place: prove a backup, verify, and let the name pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.migration.records import Stage, Standing
from console_core.rollout import recreate
from console_core.runs.types import TERMINAL, Run
from console_core.runs.wording import short_interval
from console_core.ui import confirm, navigation, panels, session, words
from console_core.ui.backups.proving import has_proven, proven_backup
from console_core.ui.in_step import in_step
from console_core.ui.permission import command_button


def passes_its_name(one: Standing) -> bool:
    """Whether the name has yet to pass to the new collection; afterwards it is an alias like any other."""
    return one.migration.plan.in_place and one.serves == one.migration.plan.source


def unfinished_recreation(one: Standing) -> Run | None:
    """The recreation of a migration that is not over; None where there is none."""
    runs = session.console().ledger.runs(kinds=(recreate.KIND,), migration=one.migration.id, limit=1)
    return next((run for run in runs if run.state not in TERMINAL), None)


def in_place_steps(one: Standing, verify: Callable[[bool], None]) -> None:
    """The three steps; `verify` draws the buttons of the second, as the primary one where it is told so."""
    plan, console = one.migration.plan, session.console()
    source, target = words.plain(plan.source), words.plain(plan.target)
    try:
        info = console.store.describe(plan.source)
    except CollectionNotFound:
        st.warning(f"There is no collection {source} any more.", icon=":material/link_off:")
        return
    backed, verified = has_proven(info), one.stage is Stage.READY
    reasons = recreate.hindrances(
        console.store, console.ledger, console.backups, plan.source, plan.target, age=console.verdict_age
    )
    caption = f"Three steps. {source} goes on answering until the last one; the application is not touched."
    with panels.card(f"Recreate {source} in place", caption=caption):
        with _step(1, f"A proven backup of {source}", done=backed):
            proven_backup(info, primary=not backed)
        with _step(2, f"Verify {target}", done=verified):
            in_step(plan.target, key="target")
            with st.container(horizontal=True, vertical_alignment="center"):
                verify(backed and not verified)
                if verified:
                    navigation.link(
                        "query_lab",
                        "Compare both in the Query lab",
                        icon=":material/manage_search:",
                        columns=[plan.source, plan.target],
                    )
        with _step(3, "Let the name pass", done=False):
            _switch(one, reasons if backed and verified else [], ready=backed and verified and not reasons)


@contextmanager
def _step(number: int, title: str, *, done: bool) -> Iterator[None]:
    with st.container(border=True, gap="small", key=f"in-place-{number}"):
        sign = ":green[:material/check_circle:]" if done else ":gray[:material/radio_button_unchecked:]"
        st.markdown(f"{sign} {number} · **{title}**")
        yield


def _switch(one: Standing, reasons: list[str], *, ready: bool) -> None:
    plan = one.migration.plan
    gap = short_interval(*recreate.gap_estimate(session.console().store))
    source = words.plain(plan.source)
    st.markdown(
        f"**{source}** will lead to **{words.plain(plan.target)}**. For {gap} it leads nowhere: searches in that "
        "moment fail. What it holds now stays as a second collection, and is the way back."
    )
    for reason in reasons:
        st.markdown(f":orange[:material/lock:] {words.plain(reason)}")
    if not ready and not reasons:
        st.caption("Opens once both steps above are done.")
    if command_button(
        "Recreate in place",
        "recreate",
        key="recreate",
        icon=":material/swap_horiz:",
        kind="primary" if ready else "secondary",
        disabled=not ready,
    ):
        text = (
            f"First what **{source}** holds is restored beside it from its proven backup, and compared. Then "
            f"**{source}** leads to **{words.plain(plan.target)}**; for **{gap}** it leads nowhere. If anything fails "
            "in that moment, it leads somewhere again by itself."
        )
        do = partial(
            session.act,
            "recreate",
            collection=plan.source,
            target=plan.target,
            typed=plan.source,
            done=f"{plan.source} is being recreated in place.",
        )
        title = f"Recreate {source} in place?"
        confirm.ask(confirm.Question(title, text, "Recreate", do, plan.source, icon=":material/swap_horiz:"))
        st.rerun()
