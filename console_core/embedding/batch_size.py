"""How many pictures a CUDA device is given at once: a start by the work that a picture is, then what was measured.

Larger batches use a device better up to a point, and beyond it only take memory and keep queries waiting.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from console_core.errors import DeviceOutOfMemory

log = logging.getLogger(__name__)

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


class BatchSizes:
    """Batch sizes that were probed, kept in a file; without one only in this process. Safe from several threads.

    The file may be damaged or deleted at any time: then it is probed again.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._guard = threading.Lock()
        self._known: dict[str, int] | None = None

    def get(self, key: str) -> int | None:
        with self._guard:
            return self._all().get(key)

    def put(self, key: str, batch: int) -> None:
        with self._guard:
            self._write({**self._all(), key: batch})

    def forget(self, key: str) -> None:
        """It did not fit: probe again at the next start."""
        with self._guard:
            if key in self._all():
                self._write({name: batch for name, batch in self._all().items() if name != key})

    def _all(self) -> Mapping[str, int]:
        if self._known is None:
            self._known = _read(self._file) if self._file else {}
        return self._known

    def _write(self, known: dict[str, int]) -> None:
        self._known = known
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            beside.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
            beside.replace(self._file)
        except OSError as error:  # a full or read-only disk: it is probed again by the next process
            log.warning("batch sizes cannot be remembered in %s: %s", self._file, error)


def _read(file: Path) -> dict[str, int]:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: batch for key, batch in found.items() if type(batch) is int and batch > 0}
