"""Since when a collection is what it is: a name may have been another collection's before."""

from datetime import datetime

from console_core.backup.since import written_by
from console_core.rollout.gap import KIND as RECREATE
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState

_MAKING = ("reembed", "restore", "recover")
"""Kinds of runs that make or fill their target whatever they wrote; an ingestion and a generation may do nothing."""
_ENDING = ("retire", RECREATE)


def made_at(ledger: Ledger, collection: str) -> datetime | None:
    """When the console last made, filled or dropped what bears this name, as a person asked it to; None where it never
    did. That a collection is kept in step, and that its failures are mended, fills it with nothing new."""
    runs = [
        *ledger.runs(kinds=_MAKING, target=collection, limit=1),
        *ledger.runs(kinds=_ENDING, target=collection, states=(RunState.SUCCEEDED,), limit=1),
        *filter(_filled, ledger.runs(kinds=("ingest", "generate"), target=collection, limit=200)),
    ]
    moments = [max(run.created_at, run.heartbeat or run.created_at) for run in runs]
    kept = ledger.runs(kinds=(RECREATE,), limit=200)
    moments += [run.created_at for run in kept if run.spec.get("former") == collection]
    by_hand = ledger.journal(subject=collection, action="create_collection")
    moments += [entry.at for entry in by_hand if entry.outcome == "done"]
    return max(moments, default=None)


def _filled(run: Run) -> bool:
    return bool(run.spec.get("creates") or run.spec.get("makes") or written_by(run))
