"""Retire a collection: what that relies on, or every reason why it is closed, and the question before it."""

from datetime import timedelta
from functools import partial

import streamlit as st

from console_core.rollout.retire import KIND, Retirement, retirement
from console_core.runs.types import TERMINAL, Run
from console_core.ui import confirm, navigation, session, words
from console_core.ui.live_run import live_run
from console_core.ui.permission import command_button


def retiring(collection: str) -> None:
    """Draw it, for a collection that exists."""
    if (run := unfinished_retirement(collection)) is not None:
        live_run(run)
        return
    console = session.console()
    holding = timedelta(days=console.settings.holding_days)
    parts = (console.store, console.ledger, console.moves, console.backups)
    listed, shared = console.listed_collection(), console.router.gives(collection)
    found = retirement(*parts, collection, holding=holding, listed=listed, shared=shared)
    name = words.plain(collection)
    st.markdown(f"Deletes **{name}** with its {words.count(found.points, 'point')}, for good. It is the last act.")
    for reason in found.reasons:
        st.markdown(f":orange[:material/lock:] {words.plain(reason)}")
    if found.leans_on:
        st.markdown(f":green[:material/verified:] {words.plain(found.leans_on)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        if command_button(
            f"Retire {collection}…",
            "retire",
            key=f"retire-{collection}",
            icon=":material/delete_forever:",
            disabled=not found.allowed,
        ):
            confirm.ask(_question(found))
            st.rerun()
        if not found.leans_on:
            navigation.link("backups", "Back it up", collection=collection)


def unfinished_retirement(collection: str) -> Run | None:
    """The retirement of a collection that is not over; None where there is none."""
    newest = session.console().ledger.runs(kinds=(KIND,), target=collection, limit=1)
    return next((run for run in newest if run.state not in TERMINAL), None)


def _question(found: Retirement) -> confirm.Question:
    name = found.collection
    back = "" if found.left_at is None else " There will be no rolling back to it."
    text = (
        f"**{words.plain(name)}** and its **{words.count(found.points, 'point')}** are deleted, for good.{back}\n\n"
        f"{words.plain(found.leans_on)} It is looked at once more before anything is deleted."
    )
    do = partial(session.act, "retire", collection=name, typed=name, done=f"{name} is being retired.")
    title = f"Retire {words.plain(name)}?"
    return confirm.Question(title, text, "Retire for good", do, name, icon=":material/delete_forever:", keep="Keep it")
