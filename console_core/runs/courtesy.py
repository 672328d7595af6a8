"""Whether a run may make its next step: by the hours, by its rate, and by the searches that are being made."""

import time
from collections.abc import Callable
from datetime import datetime

from console_core.runs.manners import Cause, Manners, Wait, server_clock

LONGEST_YIELD = 30.0
"""After so many seconds of yielding without a break one step is made all the same: searches starve no run."""


def nobody_searches() -> bool:
    return False


class Courtesy:
    """What the next step of one attempt must wait for.

    A rate is kept from one step to the next: time in which less was done than allowed is not made up for later.
    `busy` says whether searches are being made. `clock` is in seconds, `local` has the server's time of day.
    """

    def __init__(
        self,
        busy: Callable[[], bool],
        settled: int,
        counted: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        local: Callable[[], datetime] = server_clock,
    ) -> None:
        self._busy, self._counted, self._clock, self._local = busy, counted, clock, local
        self._began, self._settled = clock(), settled
        self._yields_since: float | None = None

    def wait(self, manners: Manners, settled: int) -> Wait | None:
        """What to wait for now that so many pictures are settled; None where the next step begins at this moment."""
        if manners.hours and not manners.hours.allow(self._local().time()):
            return manners.hours.wait()
        now = self._clock()
        if manners.rate and (left := self._began + (settled - self._settled) / manners.rate - now) > 0:
            return Wait(Cause.RATE, f"Keeps to {manners.rate:g} {self._counted}/s.", left)
        if manners.polite and self._busy():
            since = self._yields_since = now if self._yields_since is None else self._yields_since
            if now - since < LONGEST_YIELD:
                return Wait(Cause.SEARCHES, "Yields to searches.")
        self._began, self._settled, self._yields_since = now, settled, None
        return None
