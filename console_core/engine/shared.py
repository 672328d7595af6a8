"""One decoding of each picture for several runs: their pipelines share one pipeline, as long as they keep together.

The first seat that comes to a row has it decoded and embedded for all that have not come to it yet; their answers are
kept until they ask for the same row, or pass it by. Nobody's wait becomes another's: who holds the others up, leaps
ahead, or shares a pipeline that breaks down, goes on alone.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Collection, Sequence

from console_core.catalog.types import ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.line import Ask, Line, broke_down, key_of
from console_core.engine.opening import open_pipeline
from console_core.engine.seat import Party, Seat
from console_core.engine.types import Done, Job

WINDOW = 2
"""How far a seat may be ahead of the slowest, in capacities of the pipeline. Only vectors are kept."""
START = 30.0
"""Seconds for which those that are there wait for those that are expected; who comes later joins if it is near."""
PATIENCE = 5.0
"""Seconds for which a seat may hold the others up."""
LOOK = 0.1
ALONE = -1
"""The window of somebody whom nobody joins."""


class Shared:
    """The seats of one convoy. `expected` tells the names of those that are about to join or have joined."""

    def __init__(
        self,
        images: ImageStore,
        mode: Mode,
        expected: Callable[[], Collection[str]],
        *,
        window: int = 0,
        patience: float = PATIENCE,
    ) -> None:
        """`window` is in rows; 0 is what suits the pipeline."""
        self.images, self._mode, self._expected = images, mode, expected
        self._window, self._patience = window, patience
        self._changed = threading.Condition(threading.RLock())
        self._numbers = itertools.count(1)
        self._arrived: list[Seat] = []
        self._parties: list[Party] = []
        self._lines: set[Line] = set()
        self._known: set[str] = set()

    def join(
        self, name: str, embedder: Embedder, *, left: int, pictures: int = 0, closed: Callable[[], None] = lambda: None
    ) -> Seat:
        """A seat for a member whose next row has `left - 1` rows behind it. Waits for the others at the start.

        `pictures` of these are to be embedded; `closed` is called when the seat is given back.
        """
        seat = Seat(self, name, embedder, left, pictures, closed)
        with self._changed:
            self._known.add(name)
            if not self._join_others(seat):
                self._arrived.append(seat)
        try:
            self._wait_for_others(seat)
        except BaseException:
            self.leave(seat)
            raise
        return seat

    def submit(self, seat: Seat, jobs: Sequence[Job]) -> None:
        with self._changed:
            seat.held.extend(jobs)
            self._advance(seat)

    def take(self, seat: Seat) -> list[Done]:
        with self._changed:
            seat.taking, since = True, time.monotonic()
            try:
                while not seat.done and not seat.is_closed:
                    self._advance(seat)
                    if seat.broken is not None:
                        raise seat.broken
                    if not seat.done:
                        if not seat.in_work:
                            self._blame_those_behind(seat, since)
                        since = time.monotonic()
                        self._changed.wait(LOOK)
            finally:
                seat.taking = False
            done, seat.done = seat.done, []
            return done

    def leave(self, seat: Seat) -> None:
        """Give a seat back; what only it asked for is dropped."""
        with self._changed:
            seat.is_closed = True
            for line in self._lines:
                for ask in line.work.values():
                    ask.asked.pop(seat, None)
            if seat in self._arrived:
                self._arrived.remove(seat)
            self._part(seat)
            self._lines = {line for line in self._lines if not line.is_over}
            self._changed.notify_all()
            over = [line for line in seat.lines if line.is_over]
        for line in over:
            line.close()

    # Who travels with whom

    def _wait_for_others(self, seat: Seat) -> None:
        until = time.monotonic() + START
        while seat.party is None:
            complete = self._known.issuperset(self._expected()) or time.monotonic() > until
            with self._changed:
                if complete:
                    self._depart()
                else:
                    self._changed.wait(LOOK)

    def _depart(self) -> None:
        """Those that arrived set out: together, where they are near enough."""
        arrived = sorted(self._arrived, key=lambda one: one.place)
        if not arrived:
            return
        self._arrived = []
        window = self._window or WINDOW * Party(arrived).shape.capacity
        for seat in arrived:
            last = self._parties[-1] if self._parties and seat is not arrived[0] else None
            if last is not None and seat.place - last.seats[-1].place <= window:
                last.seats.append(seat)
            else:
                self._parties.append(Party([seat], window))
            seat.party = self._parties[-1]
        for party in self._parties:
            for seat in party.seats:
                seat.shape = party.shape
        self._changed.notify_all()

    def _join_others(self, seat: Seat) -> bool:
        """Whether there was a party near enough for somebody who is late."""
        for party in self._parties:
            if all(abs(seat.place - one.place) <= party.window for one in party.seats):
                party.seats.append(seat)
                seat.party, seat.shape = party, party.shape
                return True
        return False

    def _part(self, seat: Seat) -> None:
        """Take a seat out of its party; its answers that are in work are still its own."""
        if (party := seat.party) is None:
            return
        party.seats.remove(seat)
        while seat.kept:
            party.let_go(seat.kept.pop()[2], seat)
        seat.party = None
        if not party.seats:
            self._parties.remove(party)
            if party.line is not None:
                party.line.retired = True

    def _alone(self, seat: Seat, why: str) -> None:
        self._part(seat)
        seat.party = Party([seat], ALONE)
        seat.notes = (*seat.notes, f"Decodes for itself from now on: {why}.")
        self._parties.append(seat.party)
        self._changed.notify_all()

    def _dissolve(self, seats: Sequence[Seat], why: str) -> None:
        for seat in (one for one in seats if one.party is not None and len(one.party.seats) > 1):
            self._alone(seat, why)

    def _blame_those_behind(self, seat: Seat, since: float) -> None:
        """A seat has waited for others, and for nothing else: who does not move loses patience, and then the others."""
        now = time.monotonic()
        if seat.party is None or not seat.held:
            return
        for one in seat.party.behind(seat, seat.offset + seat.held[0].number):
            if not one.taking and one.held_up(since, now) > self._patience:
                self._alone(one, "it held the others up")

    # The rows

    def _advance(self, seat: Seat) -> None:
        """Let a seat's jobs in, as far as its party allows. Called on its own thread."""
        while seat.held and (party := seat.party) is not None:
            jobs: list[Job] = []
            try:
                while seat.held and self._may_enter(party, seat, seat.held[0]):
                    self._enter(party, seat, seat.held[0], jobs)
                    seat.held.popleft()
            except Exception:
                if len(party.seats) == 1:
                    raise
                self._dissolve(list(party.seats), "the shared pipeline could not be opened")
            if jobs and party.line is not None:
                party.line.pipeline.submit(jobs)
            self._changed.notify_all()
            if seat.party is party:
                return

    def _may_enter(self, party: Party, seat: Seat, job: Job) -> bool:
        if party.kept_for(seat, job) is not None:
            return True
        place = seat.offset + job.number
        behind = party.behind(seat, place)
        if behind and place - min(one.place for one in behind) > 2 * party.window + 1:
            self._alone(seat, "it is far ahead of the others")
        return not behind

    def _enter(self, party: Party, seat: Seat, job: Job, jobs: list[Job]) -> None:
        """Take what is kept for a seat, or have it made for everyone who has not come to it yet."""
        ask = party.kept_for(seat, job)
        passed = seat.offset + job.number - party.window  # rows come and go: what is near may still be asked for
        if ask is not None:
            passed = ask.place
        else:
            line, place, number = self._line(party), seat.offset + job.number, next(self._numbers)
            expected = party.expected(seat, place)
            ask = Ask(key_of(job.row), place, line.seats, {}, expected)
            jobs.append(Job(number, job.row))
            line.work[number] = ask
            if expected:
                party.rows[ask.key] = ask
            for one in expected:
                heapq.heappush(one.kept, (place, number, ask))
        seat.place, seat.offset, seat.came = ask.place, ask.place - job.number, True
        if ask.outcome is None:
            ask.asked[seat] = job
            seat.in_work += 1
        else:
            seat.done.append(ask.done(seat, job))
        while seat.kept and seat.kept[0][0] <= passed:
            party.let_go(heapq.heappop(seat.kept)[2], seat)
        party.let_go(ask, seat)

    # The pipelines

    def _line(self, party: Party) -> Line:
        """The pipeline for exactly those who travel together now."""
        if party.line is not None and party.line.seats == tuple(party.seats) and not party.line.retired:
            return party.line
        if party.line is not None:
            party.line.retired = True
            if party.line.is_over:
                self._lines.discard(party.line)
                party.line.pipeline.close()  # its thread, which may be waiting for this one, ends by itself
        pictures = max(min(seat.pictures, -seat.place) for seat in party.seats)
        embedders = [seat.embedder for seat in party.seats]
        pipeline = open_pipeline(self.images, embedders, self._mode, pictures=max(0, pictures))
        party.line = line = Line(pipeline, tuple(party.seats))
        for seat in party.seats:
            seat.lines.append(line)
        self._lines.add(line)
        line.begin(self._hand_on, self._broke)
        return line

    def _hand_on(self, line: Line, done: Sequence[Done]) -> bool:
        """Each answer to those who asked; whether the line is over with this."""
        with self._changed:
            for one in done:
                if (ask := line.work.pop(one.number, None)) is None:
                    continue
                if broke_down(one.outcome) and len(line.seats) > 1:
                    self._try_again(line, ask)
                    continue
                ask.outcome = one.outcome
                for seat, job in ask.asked.items():
                    seat.done.append(ask.done(seat, job))
                    seat.in_work -= 1
            if line.is_over:
                self._lines.discard(line)
            self._changed.notify_all()
            return line.is_over

    def _broke(self, line: Line, error: BaseException) -> None:
        """The pipeline itself is no more: each finds out alone what is wrong, and it ends whom it must."""
        with self._changed:
            line.retired = True
            self._lines.discard(line)
            for ask in line.work.values():
                self._try_again(line, ask)
            if len(line.seats) == 1:
                line.seats[0].broken = error
            self._changed.notify_all()

    def _try_again(self, line: Line, ask: Ask) -> None:
        for seat in ask.expected:
            if seat.party is not None and seat.party.rows.get(ask.key) is ask:
                del seat.party.rows[ask.key]
        for seat, job in ask.asked.items():
            seat.in_work -= 1
            seat.held.appendleft(job)
        ask.asked, ask.expected = {}, set()
        if len(line.seats) > 1:
            self._dissolve(line.seats, "the shared pipeline broke down")
