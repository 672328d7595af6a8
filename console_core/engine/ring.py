"""A few slabs of memory in which decoded pictures gather into batches. Full, they hold up everything before them."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.types import Pixels

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Slab(Generic[T]):
    """Room for a batch: for each model an array (rows, height, width, 3). The first `filled` rows are pictures, and
    `tags` say which."""

    arrays: tuple[NDArray[np.uint8], ...]
    tags: list[T] = field(default_factory=list)
    filled: int = 0

    @property
    def rows(self) -> int:
        return len(self.arrays[0])


class Ring(Generic[T]):
    """Takes pictures from any number of threads, and gives batches to any number of others.

    A batch is given out when it is full, or as far as it is filled when nothing more is coming. Nobody waits longer
    than until `close`.
    """

    def __init__(self, slabs: int, make: Callable[[], tuple[NDArray[np.uint8], ...]]) -> None:
        self._lock = threading.Lock()
        self._room, self._batch = threading.Condition(self._lock), threading.Condition(self._lock)
        self._free: deque[Slab[T]] = deque(Slab(make()) for _ in range(slabs))
        self._ready: deque[Slab[T]] = deque()
        self._open: Slab[T] | None = None
        self._coming = 0
        self._closed = False

    def expect(self, number: int) -> None:
        """So many more pictures are on their way."""
        with self._lock:
            self._coming += number

    def drop(self) -> None:
        """One that was expected does not come."""
        with self._lock:
            self._coming -= 1
            self._wake_for_the_rest()

    def place(self, tag: T, pixels: Sequence[Pixels]) -> None:
        """Put a picture's pixels, one for each model, into the next free row; waits for one."""
        with self._lock:
            self._room.wait_for(lambda: self._closed or self._open is not None or self._free)
            if self._closed:
                return
            slab = self._open or self._free.popleft()
            row = len(slab.tags)
            slab.tags.append(tag)
            self._open = slab if row + 1 < slab.rows else None
            if self._open is not None or self._free:
                self._room.notify()
        for array, one in zip(slab.arrays, pixels, strict=True):
            array[row] = one
        with self._lock:
            slab.filled += 1
            self._coming -= 1
            if slab.filled == slab.rows:
                self._ready.append(slab)
                self._batch.notify()
            self._wake_for_the_rest()

    def take(self) -> Slab[T] | None:
        """The next batch; None once the ring is closed. It must be given back."""
        with self._lock:
            self._batch.wait_for(lambda: self._closed or self._ready or self._rest_is_there())
            if self._closed:
                return None
            if self._ready:
                return self._ready.popleft()
            slab, self._open = self._open, None
            return slab

    def _wake_for_the_rest(self) -> None:
        if self._rest_is_there():
            self._batch.notify()

    def _rest_is_there(self) -> bool:
        return self._coming == 0 and self._open is not None and self._open.filled == len(self._open.tags)

    def give_back(self, slab: Slab[T]) -> None:
        slab.tags, slab.filled = [], 0
        with self._lock:
            self._free.append(slab)
            self._room.notify()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._room.notify_all()
            self._batch.notify_all()
