"""A batch of pictures on its way into a collection, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console_core.catalog.types import ImageRow
from console_core.engine.types import Embedded
from console_core.errors import ImageError
from console_core.migration.current import ALREADY_EMBEDDED
from console_core.runs.types import Failure
from console_core.vectorstore.types import Point


@dataclass(frozen=True, slots=True)
class Passed:
    """A picture that is not to be embedded, and why."""

    reason: str


Fetched = tuple[ImageRow, Embedded | ImageError | Passed]
"""A row with its picture's vector, or why it cannot be had, or why it is passed over."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a batch: the points that the store acknowledged with the keys of their pictures, the pictures
    that failed, and by key why others were passed over. `last` is the key of the last row. `decoders` counts the
    pictures of the points by who decoded them, `replaced` those that had a point before; `pace`, where one is due, is
    that of the work as JSON."""

    points: tuple[Point, ...]
    failures: tuple[Failure, ...]
    keys: tuple[str, ...] = ()
    passed: Mapping[str, str] = field(default_factory=dict)
    last: str = ""
    decoders: Mapping[str, int] = field(default_factory=dict)
    replaced: int = 0
    pace: Mapping[str, Any] | None = None

    @property
    def cleared(self) -> tuple[str, ...]:
        """Keys of the pictures that the target has now: an earlier failure of theirs stands no more."""
        return (*self.keys, *(key for key, reason in self.passed.items() if reason == ALREADY_EMBEDDED))
