"""The words of the engine: a job, what becomes of it, and the pipeline that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from console_core.catalog.types import ImageRow
from console_core.engine.meter import Readings
from console_core.engine.shape import Shape
from console_core.errors import ImageError, ModelOutputInvalid

Answer = NDArray[np.float32] | ModelOutputInvalid
"""What a model says of one picture: its vector of shape (dimension,), or that it cannot say."""


@dataclass(frozen=True, slots=True)
class Job:
    """A row whose picture shall be embedded. `number` tells it apart from others in the pipeline."""

    number: int
    row: ImageRow


@dataclass(frozen=True, slots=True)
class Embedded:
    """One picture's answer from each of the pipeline's models, in their order. `content` is the digest of the bytes
    that were read, which began at `read_at`. `decoder` is who decoded it."""

    answers: tuple[Answer, ...]
    content: str
    read_at: datetime
    decoder: str = ""


Outcome = Embedded | ImageError
"""An ImageError has its `read_at` set."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a job; an exception that is neither a picture's nor a model's ends the run."""

    number: int
    outcome: Outcome | BaseException


class Pipeline(Protocol):
    """Embeds pictures in whatever order suits it. Memory is bounded by its shape, whatever is submitted; what waits to
    be read is kept as jobs. One thread submits at a time, and one takes."""

    @property
    def shape(self) -> Shape: ...

    @property
    def process(self) -> int | None:
        """The id of the process that does the work now; None for threads of this one."""
        ...

    @property
    def capacity(self) -> int:
        """Jobs in work at a time that keep every stage busy."""
        ...

    def submit(self, jobs: Sequence[Job]) -> None: ...

    def take(self) -> list[Done]:
        """Wait for jobs to be done: at least one, where any was submitted and not yet taken; none once it is closed.

        Raises:
            ConsoleError: the pipeline broke down.
        """
        ...

    def readings(self) -> Readings:
        """What its stages did so far."""
        ...

    def close(self) -> None:
        """Stop at once; jobs in work are dropped. Safe to call twice."""
        ...


def forget_frames(error: BaseException | None) -> None:
    """An error that is kept as a value must not keep what its stack frames still refer to, such as bytes."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
