"""The retry of a collection that is under way or was stopped, while it moves."""

import streamlit as st

from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui.frame import live
from console_core.ui.run_rows import TICK, run_row
from console_core.ui.session import console
from console_core.vectorstore.types import CollectionInfo


def retrying(info: CollectionInfo) -> None:
    """Draw it, if there is one; the page runs again when its state changes, as the failures are others then."""
    if (found := _unfinished(info)) is None:
        return

    def retry() -> None:
        run = console().ledger.get(found.id)
        if run.state != found.state:
            st.rerun()
        run_row(run)

    with st.container(border=True):
        live(retry, every=TICK if found.state in ACTIVE else None)


def _unfinished(info: CollectionInfo) -> Run | None:
    newest = console().ledger.runs(kinds=("retry",), target=info.name, limit=1)
    return newest[0] if newest and newest[0].state in ACTIVE | RESUMABLE else None
