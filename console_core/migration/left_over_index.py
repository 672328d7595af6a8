"""Indexes that were deferred for a load which nobody goes on with."""

from console_core.errors import CollectionNotFound
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from console_core.vectorstore.types import VectorStore

_LATEST = 20
"""Builds that are looked at; the ones before were looked at when they were among the latest."""


def restore_left_over(store: VectorStore, ledger: Ledger, seen: set[str] | None = None) -> list[str]:
    """Put the index settings in force again where a build was cancelled or is invalid; the collections, by name.

    `seen` are runs whose collection was found in order; they are added to, and not looked at again.

    A build that is paused, interrupted or failed may go on: it restores them at its end.

    Raises:
        LedgerUnavailable, StoreError
    """
    ended = ledger.runs(kinds=("reembed",), states=(RunState.CANCELLED, RunState.INVALID), limit=_LATEST)
    restored, seen = [], set() if seen is None else seen
    for run in ended:
        if run.id in seen or ledger.holder(run.target) is not None:
            continue
        try:
            if store.describe(run.target).index_deferred:
                store.restore_index(run.target)
                restored.append(run.target)
        except CollectionNotFound:  # it was never made, or is gone
            pass
        seen.add(run.id)
    return restored
