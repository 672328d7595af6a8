"""From the meters of a pipeline and of its writers to its pace, now and then."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from console_core.engine.gpu import Cards
from console_core.engine.meter import Meter, Readings
from console_core.engine.pace import Pace, Stretch, loads
from console_core.engine.shape import Shape
from console_core.engine.types import Pipeline

EVERY = 2.0
"""Seconds from one pace to the next, at least."""
WINDOW = 5.0
"""Seconds that the recent pace is about, at least, once the work has taken that long."""


@dataclass(frozen=True, slots=True)
class _Moment:
    at: float
    pipeline: Readings
    writing: Readings
    held: float


class Pacer:
    """The pace of one attempt. Its pipelines follow one another; each has a meter that begins at zero.

    `device` is where the model runs, as `Embedder.device` says it. `clock` is that of the meters.
    """

    def __init__(self, writing: Meter, *, mode: str, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._writing, self._mode, self._device, self._clock = writing, mode, device, clock
        self._cards = Cards()
        self._pipeline: Pipeline | None = None
        self._past = Readings(clock())
        self._shape: Shape | None = None
        self._process: int | None = None
        self._held = 0.0
        self._told_at = float("-inf")
        self._memory_before = 0
        self._moments: deque[_Moment] = deque()
        self._first: _Moment | None = None

    @contextmanager
    def watching(self, pipeline: Pipeline) -> Iterator[None]:
        """Within, the pace is that of this pipeline and of those before."""
        self._pipeline, self._shape, self._process = pipeline, pipeline.shape, pipeline.process
        if self._first is None:
            self._memory_before = self._memory()
            self._first = self._moment()
            self._moments.append(self._first)
        try:
            yield
        finally:
            self._past, self._pipeline = pipeline.readings().after(self._past), None

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Within, nobody asks for the next batch."""
        began = self._clock()
        try:
            yield
        finally:
            self._held += self._clock() - began

    def pace(self, *, last: bool = False) -> Pace | None:
        """The pace now, where one is due or this is the `last` chance; it never is before anything was watched."""
        now = self._clock()
        if self._first is None or self._shape is None or (now - self._told_at < EVERY and not last):
            return None
        self._told_at = now
        moment = self._moment()
        while len(self._moments) > 1 and moment.at - self._moments[1].at >= WINDOW:
            self._moments.popleft()
        recent, overall = _stretch(self._moments[0], moment), _stretch(self._first, moment)
        self._moments.append(moment)
        card = self._cards.look(self._device)
        return Pace(
            recent=recent,
            overall=overall,
            workers={
                stage: busy.workers
                for readings in (moment.pipeline, moment.writing)
                for stage, busy in readings.stages.items()
            },
            decoders=moment.pipeline.decoders,
            mode=self._mode,
            batch=self._shape.batch,
            device=self._device,
            process=self._process,
            bound=self._shape.bound,
            memory=self._memory(),
            memory_before=self._memory_before,
            notes=moment.pipeline.notes,
            cards=(card,) if card else (),
        )

    def _moment(self) -> _Moment:
        if self._pipeline is not None:
            self._process = self._pipeline.process
        readings = self._pipeline.readings().after(self._past) if self._pipeline is not None else self._past
        return _Moment(self._clock(), readings, self._writing.readings(), self._held)

    def _memory(self) -> int:
        """Bytes that the console and its engine have in memory."""
        taken = 0
        for process in {None, self._process}:
            try:
                taken += int(psutil.Process(process).memory_info().rss)
            except psutil.Error:  # it has just died
                continue
        return taken


def _stretch(before: _Moment, after: _Moment) -> Stretch:
    seconds = after.at - before.at
    held = (after.held - before.held) / seconds if seconds > 0 else 0.0
    found = {**loads(before.pipeline, after.pipeline), **loads(before.writing, after.writing)}
    return Stretch(found, min(max(held, 0.0), 1.0))
