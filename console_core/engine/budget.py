"""Bytes of memory that many threads share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """Admits work while its bytes fit beside what is admitted; what is larger than everything is admitted alone.

    First come, first served, so that a large picture is not overtaken for ever by small ones.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = size
        self._changed = threading.Condition()
        self._tickets = 0
        self._next = 0
        self._closed = False

    def take(self, amount: int) -> int:
        """Wait for room; returns what is to be given back."""
        amount = min(amount, self._size)
        with self._changed:
            mine = self._tickets
            self._tickets += 1
            self._changed.wait_for(lambda: self._closed or (self._next == mine and self._free >= amount))
            self._next += 1
            self._free -= amount
            self._changed.notify_all()
        return amount

    def give_back(self, amount: int) -> None:
        with self._changed:
            self._free += amount
            self._changed.notify_all()

    @contextmanager
    def room(self, amount: int) -> Iterator[None]:
        taken = self.take(amount)
        try:
            yield
        finally:
            self.give_back(taken)

    def close(self) -> None:
        """Let everybody in who waits: they are about to end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
