"""How busy each stage is: what the speed of a run is made of, and which stage limits it."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Stage(StrEnum):
    """The stages that a picture passes."""

    READ = "read"
    DECODE = "decode"
    DEVICE = "device"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Busy:
    """Of one stage: seconds of work, added up over its `workers`, and pictures that passed."""

    seconds: float = 0.0
    pictures: int = 0
    workers: int = 1

    def since(self, before: "Busy") -> "Busy":
        return replace(self, seconds=self.seconds - before.seconds, pictures=self.pictures - before.pictures)


@dataclass(frozen=True, slots=True)
class Readings:
    """All that was measured until `at`, a monotonic moment in seconds.

    `decoders` counts pictures by who decoded them. `notes` are sentences about what happened on the way.
    """

    at: float
    stages: Mapping[Stage, Busy] = field(default_factory=dict)
    decoders: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Meter:
    """Adds up what stages do, from any thread."""

    def __init__(self, workers: Mapping[Stage, int]) -> None:
        self._lock = threading.Lock()
        self._workers = workers
        self._seconds = dict.fromkeys(Stage, 0.0)
        self._pictures = dict.fromkeys(Stage, 0)
        self._decoders: dict[str, int] = {}

    @contextmanager
    def busy(self, stage: Stage, pictures: int = 1) -> Iterator[None]:
        """The time of the block, in which so many pictures pass."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.add(stage, time.perf_counter() - began, pictures)

    def add(self, stage: Stage, seconds: float, pictures: int) -> None:
        with self._lock:
            self._seconds[stage] += seconds
            self._pictures[stage] += pictures

    def decoded_by(self, decoder: str) -> None:
        with self._lock:
            self._decoders[decoder] = self._decoders.get(decoder, 0) + 1

    def readings(self, notes: tuple[str, ...] = ()) -> Readings:
        with self._lock:
            stages = {
                stage: Busy(self._seconds[stage], self._pictures[stage], workers)
                for stage, workers in self._workers.items()
            }
            return Readings(time.monotonic(), stages, dict(self._decoders), notes)
