"""Where a model runs, in which precision, with how many threads, and whose turn it is."""

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from console_core.errors import ModelNotLoadable

Precision = Literal["float32", "float16"]


@dataclass(frozen=True, slots=True)
class Placement:
    """A torch device, the type of weights on it, and the most pictures that one forward pass is given.

    CUDA gets float16 weights, because they are fast and drift far less than bfloat16; a CPU gets float32, because it
    computes float16 very slowly. Batches are small on a CPU, where larger ones are no faster and keep queries waiting.
    """

    device: str
    precision: Precision
    batch: int

    @property
    def label(self) -> str:
        """For people: "cpu, float32"."""
        return f"{self.device}, {self.precision}"


def place(wanted: str) -> Placement:
    """The placement for "auto", "cpu", "cuda" or "cuda:<n>"; "auto" is CUDA where there is one. Imports torch.

    Raises:
        ModelNotLoadable: CUDA was asked for, and torch finds no such device.
    """
    import torch

    limit_threads()
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "cpu" or (wanted == "auto" and not found):
        return Placement("cpu", "float32", 16)
    _, _, number = wanted.partition(":")
    if int(number or 0) >= found:
        raise ModelNotLoadable(
            f'device = "{wanted}", but torch finds {found or "no"} CUDA device{"" if found == 1 else "s"}.',
            'Set device = "auto" or "cpu" in console.toml (CONSOLE_DEVICE), or install the driver.',
        )
    return Placement(f"cuda:{number or 0}", "float16", 128)


def usable_cores() -> int:
    """Processor cores that this process may use: its affinity, and the quota of its container."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(affinity, int(quota) // int(period)))
    except (OSError, ValueError):  # no container, or one without a quota: "max 100000"
        return affinity


def limit_threads() -> None:
    """Leave one core to decoding, the store and the pages. Never raises the number of torch's threads.

    torch counts the cores of the whole machine, and its threads wait for each other in every layer: on two busy
    cores, two threads embedded a small model's pictures at 5 a second where one embedded 600.
    """
    import torch

    threads = max(1, usable_cores() - 1)
    if torch.get_num_threads() > threads:
        torch.set_num_threads(threads)


def release_memory() -> None:
    """Give back what torch keeps of a CUDA device for later."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Turn:
    """A lock that threads get in the order in which they asked.

    Python's own lock lets a loop that releases and takes it at once starve everyone else: a query would wait for
    a whole run.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        try:
            mine.acquire()
        except BaseException:  # KeyboardInterrupt while waiting: leave the queue, or pass the turn on
            with self._guard:
                given = mine not in self._waiting
                if not given:
                    self._waiting.remove(mine)
            if given:
                self._pass_on()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


@contextmanager
def background() -> Iterator[None]:
    """What the calling thread does in this block is work that may take its time: queries go before it."""
    yield


_turns: dict[str, Turn] = {}


def turn(device: str) -> Turn:
    """The one turn of a device in this process: forward passes of all models on it go one after the other."""
    return _turns.setdefault(device, Turn())
