"""A run of a migration that stands still: why, how far it is, and the way on."""

import streamlit as st

from console_core.runs.types import Run
from console_core.ui import frame, navigation, panels, session, words
from console_core.ui.glance import glance
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, cancel_button


def stopped_run(run: Run, what: str) -> None:
    """The card; `what` is the word for it, such as build."""
    with panels.card(f"The {what} is {run.state}", caption="Nothing is lost: it goes on from its checkpoint."):
        st.markdown(words.plain(f"{run.reason} {run.remedy}"))
        _until_it_goes_on(run)
        with st.container(horizontal=True, vertical_alignment="center"):
            if command_button("Resume", "resume", key="resume-run", icon=":material/play_arrow:", kind="primary"):
                session.act("resume", run=run.id, done=f"The {what} continues.")
                st.rerun()
            cancel_button(run)
            navigation.link("runs", "Details of this run", run=run.id)


def _until_it_goes_on(run: Run) -> None:
    """Where it stands; the whole page runs again when somebody resumes or cancels it."""

    def stopped_progress() -> None:
        current = session.console().ledger.get(run.id)
        if current.state is not run.state:
            st.rerun()
        panels.progress(current.counts, fraction=glance(current).fraction)

    frame.live(stopped_progress, every=TICK)
