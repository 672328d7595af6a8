"""Forward passes in batches that fit: out of memory halves the batch and repeats it, and nothing is lost."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from console_core.embedding.device import Turn, release_memory
from console_core.embedding.types import Vectors
from console_core.errors import DeviceOutOfMemory

T = TypeVar("T")


class Batches(Generic[T]):
    """Runs a forward pass over any number of items, each batch in its own turn of the device, in the order given.

    `limit` is the largest batch. It is halved whenever a batch does not fit, and stays so: memory that ran out once
    runs out again.
    """

    def __init__(self, limit: int, turn: Turn) -> None:
        self._turn = turn
        self.limit = limit

    def run(self, forward: Callable[[Sequence[T]], Vectors], items: Sequence[T]) -> Vectors:
        """The vectors of at least one item, one row for each.

        Raises:
            DeviceOutOfMemory: not even one item fits.
        """
        parts: list[Vectors] = []
        done = 0
        while done < len(items):
            batch = items[done : done + self.limit]
            vectors = self._attempt(forward, batch)
            if vectors is not None:
                parts.append(vectors)
                done += len(batch)
        return np.concatenate(parts)

    def _attempt(self, forward: Callable[[Sequence[T]], Vectors], batch: Sequence[T]) -> Vectors | None:
        """The vectors of a batch; None where it did not fit and a smaller one may."""
        with self._turn:
            try:
                return forward(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if len(batch) == 1:
                    raise DeviceOutOfMemory(
                        "Not even one picture or text fits into the memory of the device.",
                        'End other programs on it, unload other models, or set device = "cpu" in console.toml.',
                    ) from error
            # The error is gone here, and with it the frames that kept the tensors of the failed pass alive.
            self.limit = max(1, min(self.limit, len(batch) // 2))
            release_memory()
            return None


_SIGNS = ("out of memory", "defaultcpuallocator", "alloc_failed")
"""What the CPU's allocator and CUDA's libraries say; their errors have no class of their own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of torch says that memory is out."""
    import torch

    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error).lower() for sign in _SIGNS)
