"""One member's place in a shared pipeline: to its member it is a pipeline of its own."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from console_core.embedding.types import Embedder
from console_core.engine.line import Ask, Key, Line, key_of
from console_core.engine.meter import Readings
from console_core.engine.shape import Shape
from console_core.engine.types import Done, Job

if TYPE_CHECKING:
    from console_core.engine.shared import Shared

FORGIVEN = 0.1
"""Seconds that are forgiven with every second, so that a seat costs the others a tenth in the long run."""


@dataclass(eq=False, slots=True)
class Party:
    """Seats that travel together: nobody goes further than `window` rows ahead of the slowest. `rows` are in work, or
    done and kept for those that have not come to them yet."""

    seats: list["Seat"]
    window: int = 0
    line: Line | None = None
    rows: dict[Key, Ask] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        return Shape.of([seat.embedder for seat in self.seats], readers=self.seats[0].readers)

    def behind(self, seat: "Seat", place: int) -> list["Seat"]:
        """The others whom a seat must not leave further behind on its way to a place."""
        return [one for one in self.seats if one is not seat and place - one.place > self.window]

    def expected(self, seat: "Seat", place: int) -> set["Seat"]:
        """The others who may not have come to a place yet."""
        return {one for one in self.seats if one is not seat and not (one.came and one.place > place + self.window)}

    def kept_for(self, seat: "Seat", job: Job) -> Ask | None:
        """What others had made of the same row, where this seat has not got it yet."""
        ask = self.rows.get(key_of(job.row))
        return ask if ask is not None and seat in ask.seats and seat not in ask.asked else None

    def let_go(self, ask: Ask, seat: "Seat") -> None:
        """A seat asks for this no more; where nobody does, it is forgotten."""
        ask.expected.discard(seat)
        if not ask.expected and self.rows.get(ask.key) is ask:
            del self.rows[ask.key]


class Seat:
    """See `engine.types.Pipeline`. Jobs that are too far ahead of the others are held; `take` lets them in.

    `place` is that of the last row that it came to: minus the number of rows that were left behind it, counted when it
    joined. A row of the catalog has about the same place in all seats, and exactly once they have met.
    """

    def __init__(
        self, shared: "Shared", name: str, embedder: Embedder, left: int, pictures: int, closed: Callable[[], None]
    ) -> None:
        self._shared, self._closed = shared, closed
        self.name, self.embedder, self.pictures = name, embedder, pictures
        self.place = self.offset = -left - 1
        self.party: Party | None = None
        self.readers = shared.images.readers
        self.shape: Shape = Shape.of([embedder], readers=self.readers)
        self.held: deque[Job] = deque()
        self.done: list[Done] = []
        self.lines: list[Line] = []
        self.kept: list[tuple[int, int, Ask]] = []
        self.in_work = 0
        self.came = self.taking = self.is_closed = False
        self.broken: BaseException | None = None
        self._debt, self._debt_at = 0.0, 0.0
        self.notes: tuple[str, ...] = ()

    @property
    def process(self) -> int | None:
        return self.lines[-1].pipeline.process if self.lines else None

    @property
    def capacity(self) -> int:
        return self.shape.capacity

    def submit(self, jobs: Sequence[Job]) -> None:
        self._shared.submit(self, jobs)

    def take(self) -> list[Done]:
        return self._shared.take(self)

    def readings(self) -> Readings:
        """What the stages did for all seats, as long as this one shared them."""
        found = Readings(time.monotonic())
        for line in self.lines:
            found = line.readings().after(found)
        return replace(found, notes=(*self.notes, *found.notes))

    def held_up(self, since: float, now: float) -> float:
        """The others waited for this seat from a moment until now; for how long in all, but for what is forgiven."""
        lately = now - max(since, self._debt_at)
        self._debt = max(0.0, self._debt - FORGIVEN * (now - self._debt_at)) + lately
        self._debt_at = now
        return self._debt

    def close(self) -> None:
        if not self.is_closed:
            self._shared.leave(self)
            self._closed()
