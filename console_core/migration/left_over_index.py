"""Indexes that were deferred for a load which nobody goes on with."""

from console_core.errors import CollectionNotFound
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from console_core.vectorstore.types import VectorStore

_LATEST = 20
"""Builds that are looked at; the ones before were looked at when they were among the latest."""


def restore_left_over(store: VectorStore, ledger: Ledger) -> list[str]:
    """Put the index settings in force again where a build was cancelled or is invalid; the collections, by name.

    A build that is paused, interrupted or failed may go on: it restores them at its end.

    Raises:
        LedgerUnavailable, StoreError
    """
    ended = ledger.runs(kinds=("reembed",), states=(RunState.CANCELLED, RunState.INVALID), limit=_LATEST)
    restored = []
    for target in dict.fromkeys(run.target for run in ended):
        try:
            if ledger.holder(target) is None and store.describe(target).index_deferred:
                store.restore_index(target)
                restored.append(target)
        except CollectionNotFound:
            continue
    return restored
