"""How busy each stage is: what the speed of a run is made of, and which stage limits it."""

import threading
import time
from collections import Counter
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

    def after(self, before: "Busy") -> "Busy":
        return replace(self, seconds=before.seconds + self.seconds, pictures=before.pictures + self.pictures)


@dataclass(frozen=True, slots=True)
class Readings:
    """All that was measured until `at`, a monotonic moment in seconds.

    `decoders` counts pictures by who decoded them. `notes` are sentences about what happened on the way.
    """

    at: float
    stages: Mapping[Stage, Busy] = field(default_factory=dict)
    decoders: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def after(self, before: "Readings") -> "Readings":
        """These added to those of another meter that was read before; the moment is that of these."""
        stages = {stage: busy.after(before.stages.get(stage, Busy())) for stage, busy in self.stages.items()}
        decoders = Counter(before.decoders) + Counter(self.decoders)
        notes = tuple(dict.fromkeys((*before.notes, *self.notes)))
        return Readings(self.at, {**before.stages, **stages}, dict(decoders), notes)


class Meter:
    """Adds up what stages do, from any thread. What is being done counts for as long as it takes already."""

    def __init__(self, workers: Mapping[Stage, int]) -> None:
        self._lock = threading.Lock()
        self._workers = workers
        self._ended = dict.fromkeys(Stage, 0.0)
        """Moments of ending less moments of beginning: seconds of work, once it is known when what is open ends."""
        self._pictures = dict.fromkeys(Stage, 0)
        self._open = dict.fromkeys(Stage, 0)
        self._decoders: dict[str, int] = {}

    @contextmanager
    def busy(self, stage: Stage, pictures: int = 1) -> Iterator[None]:
        """The time of the block, in which so many pictures pass."""
        self._begin(stage)
        try:
            yield
        finally:
            self._end(stage, pictures)

    @contextmanager
    def waiting(self, stage: Stage) -> Iterator[None]:
        """The time of the block is no work, although it lies within one of `busy`."""
        self._end(stage)
        try:
            yield
        finally:
            self._begin(stage)

    def _begin(self, stage: Stage) -> None:
        with self._lock:
            self._open[stage] += 1
            self._ended[stage] -= time.monotonic()

    def _end(self, stage: Stage, pictures: int = 0) -> None:
        with self._lock:
            self._open[stage] -= 1
            self._ended[stage] += time.monotonic()
            self._pictures[stage] += pictures

    def decoded_by(self, decoder: str) -> None:
        with self._lock:
            self._decoders[decoder] = self._decoders.get(decoder, 0) + 1

    def readings(self, notes: tuple[str, ...] = ()) -> Readings:
        with self._lock:
            at = time.monotonic()
            stages = {
                stage: Busy(
                    self._ended[stage] + self._open[stage] * at,
                    self._pictures[stage],
                    workers,
                )
                for stage, workers in self._workers.items()
            }
            return Readings(at, stages, dict(self._decoders), notes)
