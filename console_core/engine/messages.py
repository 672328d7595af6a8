"""What the console and its engine process say to each other. Everything is picklable and small, but for pixels."""

import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from typing import Any

from console_core.catalog.types import ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.engine.meter import Readings
from console_core.engine.types import Done, Job, forget_frames
from console_core.errors import ModelError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """A model by its key, and the fingerprint that it had when it was asked for: another process, or another load,
    may find other weights under that key."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Call:
    """A question to the models of the engine, which is answered under its number."""

    number: int
    method: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call: what it returned, or the exception that it raised."""

    number: int
    value: Any = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Open a pipeline for models; answered with its `Shape`."""

    number: int
    images: ImageStore
    models: Sequence[Version]
    mode: Mode
    pictures: int


@dataclass(frozen=True, slots=True)
class Submit:
    """Jobs for the pipeline that was opened under a number."""

    pipeline: int
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class Finished:
    """Jobs of a pipeline that are done, and what its stages did so far."""

    pipeline: int
    done: Sequence[Done]
    readings: Readings


@dataclass(frozen=True, slots=True)
class Close:
    """Close a pipeline and drop what is in it."""

    pipeline: int


def sendable(error: BaseException) -> BaseException:
    """The error, or where it does not survive the way into another process, a plain one that says the same."""
    try:
        ForkingPickler.loads(ForkingPickler.dumps(error))
    except Exception:
        log.warning("an error that cannot be sent", exc_info=error)
        told = "".join(traceback.format_exception_only(error)).strip()
        return ModelError(f"The engine failed: {told}", "Look into the console's log, where it is told in full.")
    forget_frames(error)
    return error
