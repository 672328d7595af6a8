"""Where a model runs, with how many threads, and how many forward passes at once pay there."""

import ctypes
import logging
import os
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.device_errors import loss_told
from console_core.embedding.precision import Precision, Wanted, chosen, computes_bfloat16
from console_core.embedding.turns import Turn
from console_core.errors import ModelNotLoadable

log = logging.getLogger(__name__)

CPU_BATCH = 16
"""Pictures in one pass on a CPU. Measured on one core with 1 to 128: ViT-B-32 is as fast with 16 as with any more, in
float32 and in bfloat16; the demo models gain up to a tenth with 64, and queries would wait four times as long."""
CUDA_BATCH = 64
"""As long as nobody looked what suits the model, see `batch_size`."""
CUDA_PASSES = 2
"""While one computes, the other copies."""
CUDA_DRIVER = "libcuda.so.1"
"""The library that torch finds CUDA devices with."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A torch device, the type of weights on it, and the most pictures that one forward pass is given."""

    device: str
    precision: Wanted
    batch: int

    @property
    def is_cuda(self) -> bool:
        return self.device.startswith("cuda")

    @property
    def label(self) -> str:
        """For people: "cpu, float32"; only the device as long as the precision depends on the model."""
        return self.device if self.precision == "auto" else f"{self.device}, {self.precision}"

    def precision_for(self, parameters: int) -> Precision:
        """The precision of a model with so many parameters."""
        if self.precision != "auto":
            return self.precision
        return chosen(self.device, parameters, bfloat16=computes_bfloat16())

    def holding(self, precision: Precision) -> "Placement":
        return replace(self, precision=precision)


def place(wanted: str, precision: Wanted = "auto") -> Placement:
    """The placement for "auto", "cpu", "cuda" or "cuda:<n>"; "auto" is CUDA where there is one. Imports torch.

    Raises:
        ModelNotLoadable: CUDA was asked for, and torch finds no such device.
    """
    import torch

    limit_threads()
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cpu" or (wanted == "auto" and not found):
        return Placement("cpu", precision, CPU_BATCH)
    _, _, number = wanted.partition(":")
    if int(number or 0) >= found:
        raise ModelNotLoadable(
            f'device = "{wanted}", but torch finds {found or "no"} CUDA device{"" if found == 1 else "s"}.',
            'Set device = "auto" or "cpu" in console.toml (CONSOLE_DEVICE), or install the driver.',
        )
    return Placement(f"cuda:{number or 0}", precision, CUDA_BATCH)


def may_be_cuda(wanted: str) -> bool:
    """Whether `place` may choose CUDA. Looks for the driver only, because importing torch takes seconds."""
    if wanted != "auto":
        return wanted.startswith("cuda")
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return False
    try:
        ctypes.CDLL(CUDA_DRIVER)
    except OSError:
        return False
    return True


def usable_cores() -> int:
    """Processor cores that this process may use: its affinity, and the quota of its container."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(affinity, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or one without a quota: "max 100000"
        return affinity


def limit_threads() -> None:
    """One thread of torch for each thread of ours: several passes at once use the cores, and not one pass all of them.

    torch counts the cores of the whole machine, and its threads wait for each other in every layer: on two busy
    cores, two threads embedded a small model's pictures at 5 a second where one embedded 600.
    """
    import torch

    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)


def slab(placement: Placement, rows: int, height: int, width: int) -> NDArray[np.uint8]:
    """Memory for the pixels of so many pictures; for CUDA it is locked, so that the device copies it by itself."""
    import torch

    shape = (rows, height, width, 3)
    if placement.is_cuda:
        try:
            locked: NDArray[np.uint8] = torch.empty(shape, dtype=torch.uint8, pin_memory=True).numpy()
        except RuntimeError:  # the system's limit of locked memory
            log.warning("no memory could be locked for %s pictures; copying them is slower", rows)
        else:
            return locked
    return np.empty(shape, dtype=np.uint8)


def release_memory() -> None:
    """Give back what torch keeps of a CUDA device for later.

    Raises:
        DeviceLost: the device does not work any more.
    """
    import torch

    if torch.cuda.is_available():
        with loss_told("CUDA"):
            torch.cuda.empty_cache()


_turns: dict[str, Turn] = {}
_guard = threading.Lock()


def turn(device: str) -> Turn:
    """The one turn of a device in this process, for all models on it.

    On a CPU as many passes at once as there are cores, and queries beside them; a CUDA device computes one thing after
    the other, so there a query is first in line.
    """
    with _guard:
        if device not in _turns:
            cuda = device.startswith("cuda")
            _turns[device] = Turn(CUDA_PASSES if cuda else usable_cores(), queries_wait=cuda)
        return _turns[device]
