"""Whether searches are being made, so that work in the background can yield to them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CALM = 2.0
"""For how many seconds after a search the next one is expected: people who search type, look, and search again."""


class Traffic:
    """The searches of one store, from any thread: those in flight, and when the last one ended."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, calm: float = CALM) -> None:
        self._clock, self._calm = clock, calm
        self._lock = threading.Lock()
        self._in_flight = 0
        self._quiet_from = float("-inf")
        self._own = threading.local()

    @contextmanager
    def search(self) -> Iterator[None]:
        """A search, from when it is asked for (it may still wait for the store) until it is answered or fails."""
        if getattr(self._own, "uncounted", False):
            yield
            return
        with self._lock:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1
                self._quiet_from = self._clock() + self._calm

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Searches of this thread that nobody waits for: no run yields to them."""
        self._own.uncounted = True
        try:
            yield
        finally:
            self._own.uncounted = False

    def busy(self) -> bool:
        """Whether a search is being made, or was made a moment ago."""
        with self._lock:
            return self._in_flight > 0 or self._clock() < self._quiet_from
