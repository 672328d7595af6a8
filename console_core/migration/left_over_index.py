"""Indexes that were deferred for a load which nobody goes on with."""

import logging
import threading
import time
from collections.abc import Sequence

from console_core.errors import CollectionNotFound, ConsoleError
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import VectorStore

AGAIN_AFTER = 600.0
"""Seconds after which an index that could not be restored is tried again."""
_LATEST = 20
"""Builds that are looked at; the ones before were looked at when they were among the latest."""
_PARTING = 1.0

_LOADING = ("reembed", "ingest")
"""Kinds of runs that may make most of a collection's points."""

log = logging.getLogger(__name__)


class LeftOverIndexes:
    """Puts the index settings in force again where a build was cancelled or is invalid.

    A build that is paused, interrupted or failed may go on: it restores them at its end. A collection whose index
    cannot be restored keeps nobody waiting, and is tried again later.
    """

    def __init__(self, store: VectorStore, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger
        self._settled: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Begin to restore what is left over, on a thread of its own: a store may take minutes to build an index.

        Raises:
            LedgerUnavailable
        """
        if self._thread is not None and self._thread.is_alive():
            return
        if due := self._due():
            self._thread = threading.Thread(target=self._restore, args=(due,), name="left-over indexes", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Begin no other one. What a store builds now it builds to its end."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(_PARTING)

    def _due(self) -> list[Run]:
        ended = self._ledger.runs(kinds=_LOADING, states=(RunState.CANCELLED, RunState.INVALID), limit=_LATEST)
        moment = time.monotonic()
        return [run for run in ended if run.id not in self._settled and self._not_before.get(run.id, 0.0) <= moment]

    def _restore(self, due: Sequence[Run]) -> None:
        for run in due:
            if self._closing.is_set():
                return
            try:
                if self._ledger.holder(run.target) is not None:
                    continue
                if self._store.describe(run.target).index_deferred:
                    self._store.restore_index(run.target)
            except CollectionNotFound:  # it was never made, or is gone
                pass
            except ConsoleError as error:
                log.warning("the index of %s is not restored: %s", run.target, error.message)
                self._not_before[run.id] = time.monotonic() + AGAIN_AFTER
                continue
            except Exception:
                log.exception("the index of %s is not restored", run.target)
                self._not_before[run.id] = time.monotonic() + AGAIN_AFTER
                continue
            self._settled.add(run.id)
