"""Runs that travel together, a convoy: claimed together, and each worked on by a thread of its own."""

import logging
import threading
from collections.abc import Callable, Sequence

from console_core.errors import LedgerUnavailable
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Run, RunState

log = logging.getLogger(__name__)
LOOK = 0.5
"""Seconds between two looks for runs of the convoy that were resumed meanwhile."""


def convoy_of(run: Run) -> str:
    """The convoy that a run belongs to; "" where it travels alone."""
    return str(run.spec.get("convoy", ""))


def claim_others(ledger: Ledger, lane: Lane, owner: str, convoy: str) -> list[Run]:
    """Open an attempt at each queued run of a convoy that may start now, the oldest first.

    What was claimed before the ledger went away is returned: somebody must work on it.
    """
    claimed: list[Run] = []
    try:
        queued = ledger.runs(states=(RunState.QUEUED,), limit=1000)
        for run in reversed([one for one in queued if one.lane is lane and convoy_of(one) == convoy]):
            found = ledger.claim(lane, owner, only=run.id)
            if found is not None:
                claimed.append(found)
    except LedgerUnavailable as error:
        log.warning("convoy %s: %s", convoy, error)
    return claimed


def work_together(claimed: Sequence[Run], others: Callable[[], Sequence[Run]], work: Callable[[Run], object]) -> None:
    """Work on claimed runs side by side until all have ended, and on `others` that come meanwhile.

    Raises:
        whatever working on one of them raised, once all have ended.
    """
    threads: list[threading.Thread] = []
    errors: list[BaseException] = []

    def one(run: Run) -> None:
        try:
            work(run)
        except BaseException as error:
            errors.append(error)

    while claimed or threads:
        for run in claimed:
            thread = threading.Thread(target=one, args=(run,), name=f"convoy-{run.id}", daemon=True)
            threads.append(thread)
            thread.start()
        threads[0].join(LOOK)
        threads = [thread for thread in threads if thread.is_alive()]
        claimed = others() if threads else []
    if errors:
        raise errors[0]
