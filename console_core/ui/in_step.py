"""Whether a collection is in step with the catalog: how far behind, when that was looked at, and until when."""

from functools import partial

import streamlit as st

from console_core.following.catch_up import awaits_word
from console_core.following.follower import hindered
from console_core.following.records import Follow, Lag
from console_core.runs.types import Run
from console_core.ui import confirm, frame, session, words
from console_core.ui.permission import command_button

TICK = 5.0


def in_step(collection: str, *, key: str, offer: bool = True) -> None:
    """Lines that keep themselves up to date from the ledger alone; nothing where it was never followed."""
    if session.console().follows.of(collection) is None:
        return

    def in_step_line() -> None:
        follow = session.console().follows.of(collection)
        if follow is not None:
            _line(follow, key=key, offer=offer)

    in_step_line.__name__ = f"in_step_line_{key}"
    frame.live(in_step_line, every=TICK)


def _line(follow: Follow, *, key: str, offer: bool) -> None:
    with st.container(gap="xxsmall", key=f"in-step-{key}"):
        _lines(follow, _asking(follow), key=key, offer=offer)


def _lines(follow: Follow, asking: Run | None, *, key: str, offer: bool) -> None:
    label, colour, icon = _state(follow)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(label, icon=icon, color=colour, help="Pictures that are added, edited or deleted in the catalog.")
        look = offer and follow.ended_at is None and asking is None
        if look and command_button(
            "Look now", "catch_up", key=f"catch-up-{key}", icon=":material/refresh:", kind="tertiary"
        ):
            session.act("catch_up", collection=follow.collection, done=_answer)
            st.rerun(scope="app")
    st.caption(words.plain(said(follow)))
    if asking is not None:
        _ask(follow, asking, key=key)
    elif follow.note:
        st.caption(words.plain(follow.note))


def _asking(follow: Follow) -> Run | None:
    """The catch-up that waits for a person's word on a mass deletion."""
    run = session.console().ledger.holder(follow.collection) if follow.ended_at is None else None
    return run if run is not None and awaits_word(run) else None


def _ask(follow: Follow, run: Run, *, key: str) -> None:
    name = words.plain(follow.collection)
    st.markdown(f":orange[:material/pan_tool:] {words.plain(run.reason)} Nothing was deleted.")
    st.caption(
        "Make sure that the catalog is the right one and complete. If the pictures were really deleted, allow it."
    )
    if command_button("Allow the deletion…", "catch_up", key=f"allow-{key}", icon=":material/delete_sweep:"):
        text = f"{words.plain(run.reason)}\n\nTheir points are deleted from **{name}**, and are not found any more."
        do = partial(session.act, "catch_up", collection=follow.collection, mass_deletion=True, done=_answer)
        title = f"Delete what left the catalog from {name}?"
        confirm.ask(
            confirm.Question(
                title, text, "Delete them", do, follow.collection, icon=":material/delete_sweep:", keep="Keep them"
            )
        )
        st.rerun(scope="app")


def _state(follow: Follow) -> tuple[str, words.Colour, str]:
    if follow.ended_at is not None:
        return "No longer in step", "gray", ":material/sync_disabled:"
    if hindered(follow):
        return "Cannot be looked at", "orange", ":material/sync_problem:"
    if follow.lag is None:
        return "Kept in step", "blue", ":material/sync:"
    if follow.lag.total:
        return f"{words.count(follow.lag.total, 'picture')} behind", "orange", ":material/sync_problem:"
    return "In step", "green", ":material/sync:"


def said(follow: Follow) -> str:
    """A follow in one sentence: what is behind, when that was seen, and for how long it is kept in step."""
    seen = f"looked at {words.ago(follow.checked_at)}" if follow.checked_at else "not looked at yet"
    if follow.ended_at is not None:
        return f"{follow.collection} is not kept in step with the catalog since {session.when(follow.ended_at)}."
    until = f", until {words.moment(follow.until, session.zone())}" if follow.until else ", until it is decided upon"
    behind = f" ({follow.lag})" if follow.lag and follow.lag.total else ""
    return f"{follow.collection}{behind}: {seen}{until}."


def _answer(answer: Run | Lag) -> str:
    return f"Run {answer.id} catches up." if isinstance(answer, Run) else "Nothing is behind."
