"""The batch of a loaded model: what suits the device by a guess, by memory, or by measuring once many are to come."""

import logging
import threading
from time import perf_counter
from typing import Any

from console_core.embedding import batch_size
from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.batches import Batches, Pass
from console_core.embedding.device import Placement, release_memory, slab
from console_core.embedding.device_errors import is_out_of_memory
from console_core.embedding.forward import Forward
from console_core.embedding.turns import Turn
from console_core.embedding.types import ModelCard
from console_core.errors import DeviceLost

log = logging.getLogger(__name__)

_TIMES = 3


class Sizing:
    """Finds the batch of a model. On a CPU that is always the placement's."""

    def __init__(self, card: ModelCard, placement: Placement, forward: Forward, sizes: BatchSizes) -> None:
        self._placement = placement
        self._forward = forward
        self._sizes = sizes
        self._key = f"{device_name(placement)}, {card.key}, {forward.precision}, {card.image_size} px"
        self._guard = threading.Lock()

    def first(self) -> int:
        """The batch to begin with.

        Raises:
            DeviceLost: it does not work any more.
        """
        if not self._placement.is_cuda:
            return self._placement.batch
        known = self._sizes.get(self._key)
        if known:
            return known
        try:
            return batch_size.start(batch_size.work_of(lambda: self._answer(1, place=0)))
        except Exception as error:
            if isinstance(error, DeviceLost) or is_out_of_memory(error):
                raise
            log.warning(
                "the work of %s cannot be counted, so its batch is %s: %s", self._key, self._placement.batch, error
            )
            return self._placement.batch

    def expect(self, pictures: int, batches: Batches[Any], turn: Turn) -> None:
        """So many pictures are to come: probe, where that pays, was not done before, and nothing ran out of memory.

        Raises:
            DeviceOutOfMemory: not even one picture fits.
            DeviceLost: the device does not work any more.
        """
        if not self._placement.is_cuda or pictures < batch_size.PROBED_FROM:
            return
        with self._guard:
            if self._is_settled(batches):
                return
            batches.limit = batch_size.probe(lambda batch: self._seconds(batch, turn), batches.limit)
            self._sizes.put(self._key, batches.limit)

    def largest(self, batches: Batches[Any]) -> int:
        """The most that `expect` may find."""
        return batches.limit if self._is_settled(batches) else batch_size.largest(batches.limit)

    def did_not_fit(self) -> None:
        """Probe again at the next start."""
        self._sizes.forget(self._key)

    def _is_settled(self, batches: Batches[Any]) -> bool:
        return not self._placement.is_cuda or batches.halved or self._sizes.get(self._key) is not None

    def _seconds(self, batch: int, turn: Turn) -> float | None:
        """How long a pass takes, the best of a few; None where it does not fit."""
        with turn.taken() as place:
            try:
                times = []
                for _ in range(1 + _TIMES):
                    started = perf_counter()
                    self._answer(batch, place)
                    times.append(perf_counter() - started)
                return min(times[1:])
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
        release_memory()
        return None

    def _answer(self, batch: int, place: int) -> None:
        preprocessing = self._forward.preprocessing
        pixels = slab(self._placement, batch, preprocessing.height, preprocessing.width)
        pixels[:] = 127
        self._forward.images(pixels, Pass(place, batch, full=False))


def device_name(placement: Placement) -> str:
    """What the maker calls it; for a CPU just that."""
    import torch

    return str(torch.cuda.get_device_name(placement.device)) if placement.is_cuda else placement.device
