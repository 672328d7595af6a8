"""Cutting over and rolling back: what will happen, the button that asks, and why it is closed where it is."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.following.keeping import KIND
from console_core.rollout.cutover import Gate, gate, way_back
from console_core.rollout.records import Move
from console_core.runs.types import ACTIVE, Run
from console_core.ui import confirm, session, words
from console_core.ui.live_run import live_run
from console_core.ui.permission import command_button


def cut_over_gate(target: str, serving: str) -> Gate:
    """Whether an alias that serves `serving` may be moved to a collection; asks the store for its exact count."""
    console = session.console()
    return gate(console.ledger, console.store, target, serving=serving, age=console.verdict_age)


def cut_over_button(
    alias: str,
    serves: str,
    target: str,
    found: Gate,
    *,
    migration: str = "",
    primary: bool = False,
    beside: Callable[[], None] | None = None,
) -> None:
    """What a cut-over will do, the button that asks for it, and why it is closed where it is; `beside` draws more."""
    what = (
        f"**{words.plain(alias)}** will answer from **{words.plain(target)}** instead of **{words.plain(serves)}**. "
        "Nothing is deleted; you can roll back."
    )
    if (run := _moving(alias)) is not None:
        _under_way(alias, run)
        return
    if found.open:
        st.markdown(what)
    for reason in found.reasons:
        st.markdown(f":orange[:material/lock:] {words.plain(reason)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        lossy = found.acceptable and not found.open
        pressed = command_button(
            "Cut over in spite of losses" if lossy else "Cut over",
            "cut_over",
            key=f"cut-over-{alias}-{target}",
            icon=":material/alt_route:",
            kind="primary" if primary and not lossy else "secondary",
            disabled=not (found.open or lossy),
        )
        if beside is not None:
            beside()
    if pressed:
        moved = {"alias": alias, "to": target, "migration": migration, "accept_losses": lossy}
        move = partial(_move, moved)
        title = f"Cut {words.plain(alias)} over?"
        lost = f"{words.count(found.losses, 'picture')} that people find today will not be found any more."
        loss = f"\n\n**{lost if found.losses else words.plain(found.reasons[-1] if found.reasons else '')}**"
        text, typed = (what + loss, alias) if lossy else (what, "")
        confirm.ask(confirm.Question(title, text, "Cut over", move, typed, icon=":material/alt_route:"))
        st.rerun()


def _move(moved: Mapping[str, Any]) -> None:
    with st.spinner("Looking whether anything was written since it was verified…"):
        session.act("cut_over", done=_told, **moved)


def roll_back_button(alias: str, serves: str) -> None:
    """The way back of the last cut-over, where there is one. It is offered, never recommended."""
    if (run := _moving(alias)) is not None:
        _under_way(alias, run)
        return
    last = way_back(session.console().moves, alias, serves)
    if last is None:
        st.caption("There is no cut-over to roll back.")
        return
    if not _exists(last.before):
        st.caption(f"There is no way back: {words.plain(last.before)}, which answered before, is gone.")
        return
    pressed = command_button(
        f"Roll back to {last.before}",
        "roll_back",
        key=f"roll-back-{alias}",
        icon=":material/undo:",
    )
    if pressed:
        with st.spinner("Counting the pictures that have changed since…"):
            confirm.ask(_roll_back_question(alias, serves, last))
        st.rerun()


def _moving(alias: str) -> Run | None:
    """The catch-up after which an alias moves, while it is being worked on."""
    runs = session.console().ledger.runs(kinds=(KIND,), states=ACTIVE)
    return next((run for run in runs if (run.spec.get("then") or {}).get("alias") == alias), None)


def _under_way(alias: str, run: Run) -> None:
    act = str(run.spec["then"]["act"]).replace("_", " ")
    st.markdown(f"**{words.plain(run.target)}** is caught up first; then **{words.plain(alias)}** moves ({act}).")
    live_run(run)


def _exists(collection: str) -> bool:
    try:
        return session.console().store.describe(collection).name == collection
    except CollectionNotFound:
        return False


def _roll_back_question(alias: str, serves: str, last: Move) -> confirm.Question:
    """What a rollback would do, with the exact number of pictures that it affects now.

    Raises:
        CollectionNotFound: the former collection is gone.
    """
    console = session.console()
    console.keeping.keep_in_step()
    follow, lag = console.follows.of(last.before), console.keeping.lag(last.before)
    kept = follow is not None and follow.ended_at is None
    what = (
        f"**{words.plain(alias)}** will answer from **{words.plain(last.before)}** again, instead of "
        f"**{words.plain(serves)}**. Nothing is deleted; you can cut over again.\n\n"
    )
    affected = words.count(lag.total, "picture") if lag else "nobody knows how many pictures"
    lossy = not kept and (lag is None or lag.total > 0)
    if lossy:
        detail = f" ({lag})" if lag else ""
        what += (
            f"{words.plain(last.before)} has not been kept in step with the catalog. **{affected}**{detail} will be "
            "answered as they were then, or not at all."
        )
    elif lag is not None and lag.total:
        what += f"{affected} changed since ({lag}). That is caught up first, so that nothing is lost."
    else:
        what += "It is in step with the catalog: no picture is lost or changed by this."
    back = partial(session.act, "roll_back", alias=alias, accept_losses=lossy, done=_told)
    return confirm.Question(
        f"Roll {words.plain(alias)} back?",
        what,
        "Roll back in spite of losses" if lossy else "Roll back",
        back,
        typed=alias if lossy else "",
        icon=":material/undo:",
    )


def _told(done: Move | Run) -> str:
    if isinstance(done, Run):
        return f"Run {done.id} catches up {words.count(done.counts.selected, 'picture')} first, then the alias moves."
    return f"{done.alias} answers from {done.after} now."
