"""A pipeline that several seats share: what is in work there, and who gets which part of each answer."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from console_core.catalog.types import ImageRow
from console_core.engine.meter import Readings
from console_core.engine.types import Done, Embedded, Job, Outcome, Pipeline
from console_core.errors import ImageError

if TYPE_CHECKING:
    from console_core.engine.seat import Seat

Key = tuple[str, str, tuple[str, ...]]


def key_of(row: ImageRow) -> Key:
    """What makes two rows the same picture for a model."""
    return row.key, row.revision, row.candidates


@dataclass(eq=False, slots=True)
class Ask:
    """A row in work, or done and kept: its place in the catalog, the seats whose models answer it, those that have
    asked for it with their jobs, and those that have not come to it yet."""

    key: Key
    place: int
    seats: tuple["Seat", ...]
    asked: dict["Seat", Job]
    expected: set["Seat"]
    outcome: Outcome | BaseException | None = None

    @property
    def is_wanted(self) -> bool:
        return bool(self.asked or self.expected)

    def done(self, seat: "Seat", job: Job) -> Done:
        """A seat's part of the answer."""
        found = self.outcome
        if isinstance(found, Embedded):
            found = replace(found, answers=(found.answers[self.seats.index(seat)],))
        if found is None:
            raise RuntimeError(f"{job.row.key} is not done yet.")
        return Done(job.number, found)


@dataclass(eq=False, slots=True)
class Line:
    """One open pipeline for the models of its seats, and a thread that hands on what is done. `retired`: nothing more
    is submitted; it closes when what is in work is done."""

    pipeline: Pipeline
    seats: tuple["Seat", ...]
    work: dict[int, Ask] = field(default_factory=dict)
    retired: bool = False
    _last: Readings | None = None
    _thread: threading.Thread | None = None

    @property
    def is_over(self) -> bool:
        return self.retired and not any(ask.is_wanted for ask in self.work.values())

    def begin(
        self,
        arrived: Callable[["Line", Sequence[Done]], bool],
        broke: Callable[["Line", BaseException], None],
    ) -> None:
        """Hand on what is done, until `arrived` says that it is over."""
        self._thread = threading.Thread(target=self._serve, args=(arrived, broke), name="shared", daemon=True)
        self._thread.start()

    def readings(self) -> Readings:
        return self._last or self.pipeline.readings()

    def close(self) -> None:
        """Stop at once. Not to be called by the line's own thread."""
        self.pipeline.close()
        if self._thread is not None:
            self._thread.join()

    def _serve(
        self,
        arrived: Callable[["Line", Sequence[Done]], bool],
        broke: Callable[["Line", BaseException], None],
    ) -> None:
        try:
            while done := self.pipeline.take():
                if arrived(self, done):
                    break
        except BaseException as error:
            broke(self, error)
        finally:
            self.pipeline.close()
            self._last = self.pipeline.readings()


def broke_down(outcome: object) -> bool:
    """Whether it is neither an answer nor a picture's error."""
    return isinstance(outcome, BaseException) and not isinstance(outcome, ImageError)
