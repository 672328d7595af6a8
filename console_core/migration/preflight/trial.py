"""A trial on real pictures: how fast is it here, can the pictures be read at all, and what are their vectors?"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from console_core.catalog.types import ImageRow, ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.meter import Busy, Readings, Stage
from console_core.engine.opening import open_pipeline
from console_core.engine.ordered import in_order
from console_core.engine.types import Outcome
from console_core.errors import ConsoleError, ImageError, ModelOutputInvalid
from console_core.vectorstore.types import Vector

PICTURES = 64
PATIENCE = 4.0
"""Seconds after which no further picture is tried."""
ALONE = 2
"""Pictures that are embedded one by one before the others, on a processor."""
LEAST = 2
"""Pictures that are tried after those, however slow they were."""


@dataclass(slots=True)
class Trial:
    """How many pictures were tried, those that failed, the vectors of the others, and pictures a second."""

    failures: list[ConsoleError] = field(default_factory=list)
    embedded: list[tuple[ImageRow, Vector]] = field(default_factory=list)
    rate: float = 0.0

    @property
    def tried(self) -> int:
        return len(self.failures) + len(self.embedded)

    @property
    def dimension(self) -> int:
        """Numbers a vector; 0 where there is none."""
        return len(self.embedded[0][1]) if self.embedded else 0

    def add(self, row: ImageRow, outcome: Outcome) -> None:
        """What became of a picture; one that the model chokes on costs only itself."""
        answer = outcome if isinstance(outcome, ImageError) else outcome.answers[0]
        if isinstance(answer, ImageError | ModelOutputInvalid):
            self.failures.append(answer)
        else:
            self.embedded.append((row, answer))


def trial(images: ImageStore, embedder: Embedder, rows: Sequence[ImageRow], mode: Mode) -> Trial:
    """Run pictures through the pipeline that a build has; nothing is written.

    The first that succeeds warms everything up and is not timed. The last of those that are tried alone tells how many
    can be tried together in the time that is left; these give the rate, but for that of a graphics card.

    Raises:
        ModelError: not even one picture fits into the device's memory.
    """
    found, most, alone = Trial(), len(rows), 0.0
    on_card = not embedder.device.startswith("cpu")
    first = 1 + embedder.passes if on_card else ALONE  # on a card each thread that embeds is slow the first time
    seconds: list[float] = []

    def upcoming() -> Iterator[tuple[ImageRow, None]]:
        for number, row in enumerate(rows):
            if number >= most:
                return
            yield row, None

    def ahead() -> int:
        return 1 if len(found.embedded) < first else pipeline.capacity

    with closing(open_pipeline(images, [embedder], mode)) as pipeline:
        began = started = now = time.perf_counter()
        opened = before = pipeline.readings()
        with closing(in_order(pipeline, upcoming(), ahead)) as outcomes:
            for row, outcome in outcomes:
                one_by_one = len(found.embedded) < first
                found.add(row, outcome)
                now = time.perf_counter()
                read = pipeline.readings()
                if one_by_one:
                    seconds += _on_device(before, read)
                if now - began > PATIENCE:
                    break
                if one_by_one:
                    alone, started, before = now - started, now, read
                if one_by_one and len(found.embedded) == first:
                    most = found.tried + max(LEAST, int((PATIENCE - (now - began)) / alone))
        together = len(found.embedded) - first
        if on_card and found.embedded:
            since = before if together > 0 else opened
            found.rate = _rate(since, pipeline.readings(), embedder.batch / min(seconds))
        elif together > 0:
            found.rate = together / (now - started)
        elif found.embedded:
            found.rate = 1 / (alone or now - began)
    return found


def _on_device(before: Readings, after: Readings) -> list[float]:
    """How long the pass of a picture took that was alone; nothing where it did not come so far."""
    passed = _since(before, after, Stage.DEVICE)
    return [passed.seconds] if passed.pictures else []


def _rate(before: Readings, after: Readings, device: float) -> float:
    """Pictures a second of a long run with a graphics card, which works beside the processor: the slowest stage counts.

    The card computes one pass after the other, each as long as for a full batch, however few pictures are in it: its
    rate is `device`. On a processor the stages take turns at its cores, so that there a short run is no slower.
    """
    passed = (_since(before, after, stage) for stage in (Stage.READ, Stage.DECODE))
    return min([device, *(one.pictures * one.workers / one.seconds for one in passed if one.seconds > 0)])


def _since(before: Readings, after: Readings, stage: Stage) -> Busy:
    return after.stages.get(stage, Busy()).since(before.stages.get(stage, Busy()))
