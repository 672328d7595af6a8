"""The verification of any collection: what is going on, the newest verdict, and the ways on from there."""

import streamlit as st

from console_core.runs.types import ACTIVE, RESUMABLE, Run, RunState
from console_core.ui import navigation, panels, session, words
from console_core.ui.alias_moves import cut_over_gate
from console_core.ui.live_run import live_run
from console_core.ui.verification.asking import explain_modes, verify_buttons
from console_core.ui.verification.repairing import repair_button
from console_core.ui.verification.verdict import verdict
from console_core.vectorstore.types import CollectionInfo

_STATES = ACTIVE | RESUMABLE


def verification_card(info: CollectionInfo) -> None:
    """Draw it, for a collection that says which model made it."""
    if info.stamp is None:
        return
    text = "Every point beside the catalog: what is missing, too many, stale, or was not made by this model."
    with panels.card("Verification", caption=text, key="verification"):
        going_on = _going_on(info.name)
        if going_on is not None:
            st.markdown(f"**{words.plain(going_on.title)}**")
            live_run(going_on)
            return
        newest = _newest(info.name)
        with st.container(horizontal=True, vertical_alignment="center"):
            repairs = newest is not None and repair_button(newest, kind="secondary")
            label = "Verify" if newest is None else "Verify again"
            verify_buttons(info.name, label=label, primary=False)
            if newest is not None and newest.migration:
                navigation.link("migrations", "Its migration", migration=newest.migration)
        if newest is None:
            st.caption(f"{words.plain(info.name)} was not verified yet.")
        if not repairs:
            explain_modes(info.points, info.stamp.model)
        if newest is not None:
            verdict(newest, stale=cut_over_gate(info.name, "").reasons)


def _going_on(collection: str) -> Run | None:
    """The verification or repair that is being worked on, or waits for somebody to resume it."""
    runs = session.console().ledger.runs(kinds=("verify", "repair"), target=collection, limit=10)
    moving = [run for run in runs if run.state in ACTIVE]
    waiting = [run for run in runs[:1] if run.state in _STATES]
    return next(iter((*reversed(moving), *waiting)), None)


def _newest(collection: str) -> Run | None:
    found = session.console().ledger.runs(kinds=("verify",), target=collection, states=(RunState.SUCCEEDED,), limit=1)
    return next(iter(found), None)
