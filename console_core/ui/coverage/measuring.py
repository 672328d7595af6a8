"""Measuring coverage from the page: the button, and the measurement while it runs."""

import streamlit as st

from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui.frame import live
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, run_row
from console_core.ui.session import act, console
from console_core.vectorstore.types import CollectionInfo


def measure_button(info: CollectionInfo, *, key: str = "measure") -> None:
    """Starts a measurement of a collection."""
    if command_button("Measure now", "measure_coverage", key=key, icon=":material/straighten:", kind="primary"):
        act("measure_coverage", collection=info.name, done=f"Measuring {info.name}.")
        st.rerun()


def measuring(info: CollectionInfo) -> None:
    """The measurement of this collection that is under way or was stopped; the page runs again when it ends."""
    if (found := _unfinished(info)) is None:
        return

    def measurement() -> None:
        run = console().ledger.get(found.id)
        if run.state != found.state:
            st.rerun()
        run_row(run)

    with st.container(border=True):
        live(measurement, every=TICK if found.state in ACTIVE else None)


def _unfinished(info: CollectionInfo) -> Run | None:
    newest = console().ledger.runs(kinds=("coverage",), target=info.name, limit=1)
    return newest[0] if newest and newest[0].state in ACTIVE | RESUMABLE else None
