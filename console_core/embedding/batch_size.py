"""How many pictures a CUDA device is given at once: a start by the work that a picture is, then what was measured.

Larger batches use a device better up to a point, and beyond it only take memory and keep queries waiting.
"""

from collections.abc import Callable
from typing import Any

from console_core.embedding.remembered import Remembered
from console_core.errors import DeviceOutOfMemory

NEARLY = 0.97
"""The smallest batch that is at least so fast as the best is taken."""
PROBED_FROM = 2_000
"""So many pictures must be waiting: probing takes some twenty passes."""
_STARTS = ((17.5, 256), (75.0, 128), (184.0, 64))
"""Up to so many GFLOP for a picture, and the batch. In the middle between ViT-B-32 (8.8), ViT-B-16 (35), ViT-L-14 (162)
and Swin-L at 384 pixels (208), of which each device that was published takes 256, 128, 64 and 32 well."""
_LEAST = 32


def start(gflop: float) -> int:
    """The batch to start from for a model that needs so many thousand million operations for a picture."""
    return next((batch for most, batch in _STARTS if gflop <= most), _LEAST)


def work_of(encode: Callable[[], object]) -> float:
    """Thousand million operations that a forward pass does, counted by torch while it does them.

    The attention within CLIP's own towers is not counted, a third of their work; no limit of `_STARTS` minds.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        encode()
    return float(counter.get_total_flops()) / 1e9


def largest(first: int) -> int:
    """The most that `probe` may find."""
    return 2 * first


def probe(seconds: Callable[[int], float | None], first: int) -> int:
    """The smallest of half, once and twice `first` that is nearly as fast as the best of them.

    `seconds` is how long a pass with so many pictures takes; None where it does not fit. Where none fits, smaller ones
    are tried.

    Raises:
        DeviceOutOfMemory: not even one picture fits.
    """
    taken: dict[int, float] = {}
    for batch in sorted({max(1, first // 2), first, largest(first)}):
        found = seconds(batch)
        if found is None:
            break
        taken[batch] = found
    smaller = first // 4
    while not taken and smaller:
        found = seconds(smaller)
        if found is not None:
            taken[smaller] = found
        smaller //= 2
    if not taken:
        raise DeviceOutOfMemory(
            "Not even one picture fits into the memory of the device.",
            'End other programs on it, unload other models, or set device = "cpu" in console.toml.',
        )
    rates = {batch: batch / max(time, 1e-9) for batch, time in taken.items()}
    best = max(rates.values())
    return min(batch for batch, rate in rates.items() if rate >= NEARLY * best)


class BatchSizes(Remembered[int]):
    """Batch sizes that were probed, by device, model and precision."""

    def _valid(self, read: Any) -> int | None:
        return read if type(read) is int and read > 0 else None
