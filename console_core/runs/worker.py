"""The threads that work: one per lane, each claiming the oldest queued run, as long as the console runs."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from console_core.errors import ConsoleError
from console_core.runs.courtesy import nobody_searches
from console_core.runs.execution import PATIENCE, abandon, execute, work
from console_core.runs.ledger import Ledger
from console_core.runs.together import claim_others, convoy_of, work_together
from console_core.runs.types import WORKING, Lane, Operation, Run

__all__ = ["Worker", "abandon", "execute", "work"]
log = logging.getLogger(__name__)
POLL = 1.0


class Worker:
    """Executes queued runs in the background, one at a time in each lane; those of one convoy side by side.

    `build` makes the operation of a run; it is called on the lane's thread. The process must own the ledger:
    `held` says whether it still does (see `owner.Owner.held`), and nothing is worked on while it does not.
    `busy` says whether searches are being made, which polite runs yield to.
    """

    def __init__(
        self,
        ledger: Ledger,
        build: Callable[[Run], Operation],
        owner: str,
        *,
        lanes: Iterable[Lane] = tuple(Lane),
        held: Callable[[], bool] = lambda: True,
        patience: float = PATIENCE,
        busy: Callable[[], bool] = nobody_searches,
    ) -> None:
        self._ledger, self._build, self._owner = ledger, build, owner
        self._held, self._patience, self._busy = held, patience, busy
        self._closing = threading.Event()
        self._wakes = {lane: threading.Event() for lane in lanes}
        self._threads: list[threading.Thread] = []

    def start(self) -> list[Run]:
        """Recover what the last owner left open, then start one thread per lane; returns what was recovered.

        Raises:
            LedgerUnavailable: nothing was started.
        """
        recovered = self._ledger.recover(self._owner)
        for run in recovered:
            log.warning("run %s was left open and is now %s", run.id, run.state)
        for lane in self._wakes:
            thread = threading.Thread(target=self._serve, args=(lane,), name=f"lane-{lane}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return recovered

    def wake(self) -> None:
        """Look for work now; without it, queued runs are found within a second."""
        for event in self._wakes.values():
            event.set()

    def close(self, timeout: float = 30.0) -> bool:
        """Stop at the next checkpoints; runs in progress become interrupted. True once all threads have ended."""
        self._closing.set()
        self.wake()
        until = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def alive(self) -> bool:
        """Whether every lane has its thread."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _serve(self, lane: Lane) -> None:
        wake, clean = self._wakes[lane], True
        while not self._closing.is_set():
            wake.clear()
            try:
                if self._held() and not clean:
                    self._settle(lane)
                    clean = True
                if self._held() and self._one(lane):
                    continue
            except ConsoleError as error:  # the ledger is away, or another owner took over; the run itself never raises
                clean = False
                log.warning("lane %s: %s", lane, error)
            except Exception:
                clean = False
                log.exception("lane %s: unexpected trouble; going on", lane)
            wake.wait(POLL)

    def _one(self, lane: Lane) -> bool:
        run = self._ledger.claim(lane, self._owner)
        if run is None:
            return False
        if convoy := convoy_of(run):
            work_together([run, *self._others(lane, convoy)], lambda: self._others(lane, convoy), self._work)
        else:
            self._work(run)
        return True

    def _others(self, lane: Lane, convoy: str) -> Sequence[Run]:
        return [] if self._must_stop() else claim_others(self._ledger, lane, self._owner, convoy)

    def _work(self, run: Run) -> None:
        log.info("run %s, attempt %d: %s", run.id, run.attempt, run.title)
        ended = work(run, self._build, self._ledger, self._must_stop, self._patience, self._busy)
        log.info("run %s is %s: %s", ended.id, ended.state, ended.reason)

    def _must_stop(self) -> bool:
        return self._closing.is_set() or not self._held()

    def _settle(self, lane: Lane) -> None:
        """After trouble: end attempts of this lane that are open in the ledger although nobody works on them."""
        for run in self._ledger.runs(states=WORKING, limit=1000):
            if run.lane is lane and self._ledger.attempts(run.id)[-1].owner == self._owner:
                abandon(run, self._ledger, "The ledger could not be written, so the work was stopped.")
