"""The waiting itself: in short naps, told on the run while it lasts, and added up by cause."""

import time
from collections.abc import Callable
from typing import Protocol

from console_core.runs.ledger import Ledger
from console_core.runs.manners import Cause, Wait
from console_core.runs.types import Run

NAP = 0.25
"""Seconds between two looks at what was asked and at the manners, while a run waits."""
BRIEF = 0.25
"""A wait of up to so many seconds is added up, but not told: it is over before anybody has read of it."""
SIGN_OF_LIFE = 5.0
"""Seconds after which a wait that goes on is written down again, so that nobody takes it for a standstill."""


class Patiently(Protocol):
    """Does what writes to the ledger, again and again while that is away."""

    def __call__(self, action: Callable[[], None]) -> None: ...


class Waiting:
    """The waits of one attempt. What it writes are totals, so that writing them twice counts nothing twice."""

    def __init__(
        self,
        run: Run,
        ledger: Ledger,
        patiently: Patiently,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._run, self._ledger, self._patiently = run, ledger, patiently
        self._clock, self._sleep = clock, sleep
        self._before: dict[Cause, float] | None = None
        self._waited: dict[Cause, float] = {}
        self._asked: dict[Cause, float] = {}
        self._unwritten = 0.0
        self._said = ""
        self._began: float | None = None
        self._written_at = clock()

    def nap(self, wait: Wait) -> None:
        """Wait for a moment, or less where that is enough."""
        now = self._clock()
        self._began = now if self._began is None else self._began
        worth_telling = bool(self._said) or now - self._began + wait.seconds > BRIEF
        if (wait.sentence != self._said and worth_telling) or now - self._written_at >= SIGN_OF_LIFE:
            self._write(wait.sentence)
            self._said = wait.sentence
        self._sleep(min(NAP, wait.seconds))
        slept = self._clock() - now
        self._waited[wait.cause] = self._waited.get(wait.cause, 0.0) + slept
        self._unwritten += slept

    def most(self) -> Cause | None:
        """What was waited for longest since this was last asked; None where there was no wait."""
        since = {cause: seconds - self._asked.get(cause, 0.0) for cause, seconds in self._waited.items()}
        self._asked = dict(self._waited)
        longest = max(since, key=lambda cause: since[cause], default=None)
        return longest if longest is not None and since[longest] > 0 else None

    @property
    def most_of_all(self) -> Cause | None:
        """What this attempt waited for longest so far."""
        return max(self._waited, key=lambda cause: self._waited[cause], default=None)

    def over(self, reason: str = "", *, ends: bool = False) -> None:
        """The wait, if there was one, is over; the run's reason is `reason` again. `ends`: so does the attempt."""
        if self._said or self._unwritten >= SIGN_OF_LIFE or (ends and self._unwritten):
            self._write(reason)
        self._said, self._began = "", None

    def _write(self, reason: str) -> None:
        def write() -> None:
            if self._before is None:
                self._before = self._ledger.waits.of(self._run.id)
            totals = {cause: self._before.get(cause, 0.0) + seconds for cause, seconds in self._waited.items()}
            self._ledger.waits.tell(self._run.id, reason, totals, attempt=self._run.attempt)

        self._patiently(write)
        self._unwritten, self._written_at = 0.0, self._clock()
