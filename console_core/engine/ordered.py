"""Rows into a pipeline, and their outcomes out of it in the order of the rows."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Generic, TypeVar

from console_core.catalog.types import ImageRow
from console_core.engine.types import Done, Job, Outcome, Pipeline
from console_core.errors import ImageError

T = TypeVar("T")


def in_order(
    pipeline: Pipeline, rows: Iterable[tuple[ImageRow, T | None]], ahead: Callable[[], int]
) -> Generator[tuple[ImageRow, Outcome | T], None, None]:
    """Each row with what became of its picture, or with what came beside it: then the picture is left alone.

    At most `ahead()` rows are in the pipeline or wait for their turn; it is asked again and again, and the first row
    is always taken. An exception, of `rows` or of a job, ends the iteration in its turn: what was taken before is
    answered first.
    """
    yield from _Order(pipeline, iter(rows), ahead).run()


class _Order(Generic[T]):
    def __init__(self, pipeline: Pipeline, rows: Iterator[tuple[ImageRow, T | None]], ahead: Callable[[], int]) -> None:
        self._pipeline, self._rows, self._ahead = pipeline, rows, ahead
        self._waiting: deque[tuple[int, ImageRow, T | None]] = deque()
        self._done: dict[int, Outcome | BaseException] = {}
        self._taken = 0
        self._broken: BaseException | None = None
        self._ended = False

    def run(self) -> Generator[tuple[ImageRow, Outcome | T], None, None]:
        while True:
            self._fill()
            if not self._waiting:
                if self._broken is not None:
                    raise self._broken
                return
            number, row, given = self._waiting[0]
            if given is not None:
                self._waiting.popleft()
                yield row, given
                continue
            while number not in self._done:
                self._keep(self._pipeline.take())
                self._fill()
            self._waiting.popleft()
            outcome = self._done.pop(number)
            if isinstance(outcome, BaseException) and not isinstance(outcome, ImageError):
                raise outcome
            yield row, outcome

    def _keep(self, done: list[Done]) -> None:
        for one in done:
            self._done[one.number] = one.outcome

    def _fill(self) -> None:
        """Take rows as far as is allowed now."""
        if self._ended:
            return
        jobs: list[Job] = []
        try:
            while len(self._waiting) < max(1, self._ahead()):
                try:
                    row, given = next(self._rows)
                except StopIteration:
                    self._ended = True
                    break
                self._taken += 1
                self._waiting.append((self._taken, row, given))
                if given is None:
                    jobs.append(Job(self._taken, row))
        except BaseException as error:
            self._broken, self._ended = error, True
        self._pipeline.submit(jobs)
