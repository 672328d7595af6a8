"""Forward passes in batches that fit: out of memory halves the batch and repeats it, and nothing is lost."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from console_core.embedding.device import release_memory
from console_core.embedding.device_errors import is_out_of_memory
from console_core.embedding.turns import Turn, in_background, most_rows
from console_core.embedding.types import Vectors
from console_core.errors import DeviceOutOfMemory

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pass:
    """How a batch is to be computed: in which place of the device's turn, and padded to how many rows.

    `full`: it has the shape that all passes of a run have.
    """

    place: int
    rows: int
    full: bool


class Batches(Generic[T]):
    """Runs a forward pass over any number of items, each batch in its own turn of the device, in the order given.

    `limit` is the largest batch. It is halved whenever a batch does not fit, and stays so: memory that ran out once
    runs out again. With `fixed` all passes of a run have the same shape, a last batch too; a query's are as large as
    what is asked.
    """

    def __init__(self, limit: int, turn: Turn, *, fixed: bool = False) -> None:
        self._turn = turn
        self._fixed = fixed
        self._guard = threading.Lock()
        self.limit = limit
        self.halved = False

    def run(self, forward: Callable[[Sequence[T], Pass], Vectors], items: Sequence[T]) -> Vectors:
        """The vectors of at least one item, one row for each.

        Raises:
            DeviceOutOfMemory: not even one item fits.
        """
        parts: list[Vectors] = []
        done = 0
        while done < len(items):
            limit = self.limit
            batch = items[done : done + limit]
            rows = most_rows(limit) if self._fixed and in_background() else len(batch)
            vectors = self._attempt(forward, batch, rows)
            if vectors is not None:
                parts.append(vectors)
                done += len(batch)
        return np.concatenate(parts)

    def _attempt(
        self, forward: Callable[[Sequence[T], Pass], Vectors], batch: Sequence[T], rows: int
    ) -> Vectors | None:
        """The vectors of a batch; None where it did not fit and a smaller one may."""
        with self._turn.taken() as place:
            try:
                return forward(batch, Pass(place, rows, full=self._fixed and in_background()))
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if rows == 1:
                    raise DeviceOutOfMemory(
                        "Not even one picture or text fits into the memory of the device.",
                        'End other programs on it, unload other models, or set device = "cpu" in console.toml.',
                    ) from error
            # The error is gone here, and with it the frames that kept the tensors of the failed pass alive.
            with self._guard:
                self.limit = max(1, min(self.limit, rows // 2))
                self.halved = True
            release_memory()
            return None
