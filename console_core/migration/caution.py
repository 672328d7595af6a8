"""How far a run may read ahead of what is known to have worked."""

import time
from collections.abc import Collection, Iterator

from console_core.catalog.intake import path_in
from console_core.catalog.types import ImageRow
from console_core.catalog.web_addresses import ImageOutside
from console_core.engine.types import Embedded
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.migration.batch import Fetched, Filled, Passed
from console_core.migration.breaker import Breaker

FIRST = 64
"""Pictures of the first batch at most: others are in work while the store shows that it takes them."""
PATIENCE = 2.0
"""Seconds after which a batch is written as it is."""


class Caution:
    """Keeps the breaker's promise while work goes on ahead of it.

    Until a picture was written, and again while pictures fail, nothing is read beyond the breaker's limit. Otherwise a
    run reads as far ahead as its pipeline has room (`capacity`), and what is in work when failures begin is read too.
    `known` are keys of pictures that failed before. A row without any path says nothing of the source, and neither does
    an entry of a list that was ingested whose path leads outside the image roots: they fail alone.
    """

    def __init__(self, breaker: Breaker, capacity: int, known: Collection[str]) -> None:
        self._breaker, self._capacity, self._known = breaker, capacity, known
        self._proven = False
        self._uncounted = 0
        self._failed_last = 0
        self.ended = False
        """Whether there is no further batch."""

    @property
    def careful(self) -> bool:
        """Whether a batch must be written and counted before the next one is made."""
        return not self._proven or self._failed_last > 0

    def ahead(self) -> int:
        """How many pictures may be in work."""
        if not self._proven:
            return min(self._capacity, self._breaker.room - self._uncounted)
        return min(self._capacity, self._breaker.limit - self._failed_last) if self._failed_last else self._capacity

    def next_batch(self, fetched: Iterator[Fetched], size: int) -> list[Fetched]:
        """The next so many, or fewer: where more must not fail before it is known what became of them, or where they
        come so slowly that progress would be told too seldom."""
        batch: list[Fetched] = []
        size, until = size if self._proven else min(size, FIRST, self._breaker.room), time.monotonic() + PATIENCE
        while not batch or (len(batch) < size and self._failed_last < self._breaker.limit and time.monotonic() < until):
            if (one := next(fetched, None)) is None:
                self.ended = True
                break
            batch.append(one)
            self._took(*one)
        return batch

    def count(self, batch: Collection[Fetched], filled: Filled) -> None:
        """Tell the breaker what became of a batch."""
        failures = {failure.key: failure for failure in filled.failures}
        for row, found in batch:
            if isinstance(found, Passed):
                continue
            self._uncounted -= 1
            if not _alone(row, found) and not (row.key in failures and row.key in self._known):
                self._breaker.count(failures.get(row.key))
        if not self._uncounted:
            self._failed_last = self._breaker.limit - self._breaker.room
        self._proven = self._breaker.room == self._breaker.limit and (self._proven or bool(filled.points))

    def _took(self, row: ImageRow, found: object) -> None:
        if isinstance(found, Passed):
            return
        self._uncounted += 1
        if _alone(row, found):
            return
        if isinstance(found, ImageError) or (isinstance(found, Embedded) and _unanswered(found)):
            self._failed_last += 1
        else:
            self._failed_last = 0


def _alone(row: ImageRow, found: object) -> bool:
    """Whether nothing was tried, for a reason that is this row's own."""
    return not row.candidates or (isinstance(found, ImageOutside) and bool(path_in(row.key)))


def _unanswered(found: Embedded) -> bool:
    return any(isinstance(answer, ModelOutputInvalid) for answer in found.answers)
