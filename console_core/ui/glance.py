"""A run at a glance, cheap enough for every tick."""

from console_core.database import now
from console_core.runs.snapshot import Snapshot, snapshot
from console_core.runs.types import Run
from console_core.ui import session

_LATEST = 80


def glance(run: Run) -> Snapshot:
    """Where a run stands now, from its latest samples; `elapsed` covers no more than those."""
    return snapshot(run, session.console().ledger.samples(run.id, latest=_LATEST), now())
