"""One run that is being worked on, refreshing itself from the ledger alone."""

import streamlit as st

from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui import frame, navigation, panels, session, words
from console_core.ui.glance import glance
from console_core.ui.manners import waited
from console_core.ui.pace import run_pace
from console_core.ui.run_counts import counts_row
from console_core.ui.run_rows import TICK, run_controls


def live_run(run: Run, *, link: bool = True, books: bool = False) -> None:
    """State, progress and controls; with `books` also its counts as figures.

    The whole page runs again when the state changes, whoever changed it, and the ticking ends with the run.
    """

    def run_in_progress() -> None:
        ledger = session.console().ledger
        current = ledger.get(run.id)
        if current.state is not run.state:
            st.rerun()
        seen = glance(current)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="stretch"):
                panels.state_badge(words.run_state(current.state))
                if seen.stalled:
                    st.badge("Stalled", icon=":material/hourglass_disabled:", color="red")
            run_controls(current)
        panels.progress(current.counts, fraction=seen.fraction, sentence=seen.sentence, parts=not books)
        if current.remedy:
            st.caption(words.plain(current.remedy))
        run_pace(current, details=books)
        if books:
            counts_row(current)
            waited(current)
        if link:
            navigation.link("runs", "Details of this run", run=run.id)

    run_in_progress.__name__ = f"run_in_progress_{run.id}"
    frame.live(run_in_progress, every=TICK if run.state in ACTIVE | RESUMABLE else None)
