"""The retry of a collection that is under way or was stopped, while it moves."""

import streamlit as st

from console_core.runs.types import ACTIVE, RESUMABLE, Run, RunState
from console_core.ui import navigation, words
from console_core.ui.frame import live
from console_core.ui.run_rows import TICK, run_row
from console_core.ui.session import console, when
from console_core.vectorstore.types import CollectionInfo


def retrying(info: CollectionInfo) -> None:
    """Draw it, if there is one; the page runs again when its state changes, as the failures are others then."""
    newest = console().ledger.runs(kinds=("retry",), target=info.name, limit=1)
    if not newest or newest[0].state not in ACTIVE | RESUMABLE:
        return
    found = newest[0]
    if found.state is RunState.FAILED and not found.counts.pending:
        _in_vain(found)
        return

    def retry() -> None:
        run = console().ledger.get(found.id)
        if run.state != found.state:
            st.rerun()
        run_row(run)

    with st.container(border=True):
        live(retry, every=TICK if found.state in ACTIVE else None)


def _in_vain(run: Run) -> None:
    """There is nothing to resume: another retry may be started, once something was mended."""
    tried = words.count(run.counts.selected, "picture")
    text = f"The last retry, {when(run.finished_at)}, embedded none of its {tried}: each failed again."
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":orange[:material/error:] {words.plain(text)}")
        navigation.link("runs", "Its run", run=run.id)
