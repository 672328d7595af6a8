"""Runs about backups that are being worked on or wait for a person."""

import streamlit as st

from console_core.backup.requests import KINDS
from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui import frame, panels, session
from console_core.ui.run_rows import IDLE_TICK, TICK, run_row

_KINDS = (*KINDS, "snapshot", "recover")


def backups_at_work() -> None:
    """Each with its progress and what it can be asked for; the page runs again when one starts, stops or ends."""
    drawn = [(run.id, run.state) for run in _unsettled()]

    def backup_runs() -> None:
        current = _unsettled()
        if [(run.id, run.state) for run in current] != drawn:
            st.rerun()
        if current:
            with panels.card("Runs", caption="Being worked on, or waiting for you.", key="backup-runs"):
                for run in current:
                    run_row(run)

    frame.live(backup_runs, every=TICK if drawn else IDLE_TICK)


def _unsettled() -> list[Run]:
    return session.console().ledger.runs(kinds=_KINDS, states=ACTIVE | RESUMABLE)
