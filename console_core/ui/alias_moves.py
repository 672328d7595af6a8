"""Cutting over and rolling back: what will happen, the button that asks, and why it is closed where it is."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import streamlit as st

from console_core.rollout.cutover import Gate, gate, way_back
from console_core.ui import confirm, session, words
from console_core.ui.permission import command_button


def cut_over_gate(target: str, serving: str) -> Gate:
    """Whether an alias that serves `serving` may be moved to a collection; asks the store for its exact count."""
    console = session.console()
    age = timedelta(hours=console.settings.verdict_hours)
    return gate(console.ledger, console.store, target, serving=serving, age=age)


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
        done = f"{alias} answers from {target} now."
        moved = {"alias": alias, "to": target, "migration": migration, "accept_losses": lossy}
        move = partial(_move, done, moved)
        title = f"Cut {words.plain(alias)} over?"
        loss = f"\n\n**{words.count(found.losses, 'picture')} that people find today will not be found any more.**"
        text, typed = (what + loss, alias) if lossy else (what, "")
        confirm.ask(confirm.Question(title, text, "Cut over", move, typed, icon=":material/alt_route:"))
        st.rerun()


def _move(done: str, moved: Mapping[str, Any]) -> None:
    with st.spinner("Looking whether anything was written since it was verified …"):
        session.act("cut_over", done=done, **moved)


def roll_back_button(alias: str, serves: str) -> None:
    """The way back of the last cut-over, where there is one. It is offered, never recommended."""
    last = way_back(session.console().moves, alias, serves)
    if last is None:
        st.caption("There is no cut-over to roll back.")
        return
    what = (
        f"**{words.plain(alias)}** will answer from **{words.plain(last.before)}** again, instead of "
        f"**{words.plain(serves)}**. Nothing is deleted; you can cut over again."
    )
    pressed = command_button(
        f"Roll back to {last.before}",
        "roll_back",
        key=f"roll-back-{alias}",
        icon=":material/undo:",
    )
    if pressed:
        back = partial(session.act, "roll_back", alias=alias, done=f"{alias} answers from {last.before} again.")
        title = f"Roll {words.plain(alias)} back?"
        confirm.ask(confirm.Question(title, what, "Roll back", back, icon=":material/undo:"))
        st.rerun()
