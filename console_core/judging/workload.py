"""How much judges get to do under a protocol, before it is locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from console_core.database import now
from console_core.judging.desk import Desk
from console_core.judging.judgements import Evaluation, Way
from console_core.judging.protocol import Protocol
from console_core.querylab.rankings import Query, Rankings
from console_core.runs.wording import count

SECONDS: dict[Way, int] = {"grades": 3, "votes": 10}
"""What is reckoned for one picture, and for one pair of lists."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What each judge gets: `pieces` pictures, or pairs of lists to vote between, of so many questions."""

    way: Way
    questions: int
    pieces: int

    @property
    def minutes(self) -> int:
        """For one judge, rounded up."""
        return ceil(self.pieces * SECONDS[self.way] / 60)

    @property
    def text(self) -> str:
        """How much it is, and how its time is reckoned."""
        if not self.pieces:
            return "There is nothing to judge: all columns answer alike."
        piece, each = ("picture", "a picture") if self.way == "grades" else ("pair of lists", "a pair")
        pieces = count(self.pieces, piece, f"{piece}s" if self.way == "grades" else "pairs of lists")
        return (
            f"Each judge gets {pieces}, of {count(self.questions, 'question')}: about {self._time}, "
            f"reckoned at {SECONDS[self.way]} seconds {each}."
        )

    @property
    def _time(self) -> str:
        return count(self.minutes, "minute") if self.minutes < 120 else f"{round(self.minutes / 60):,} hours"


def workload(protocol: Protocol, columns: Sequence[Rankings], way: Way) -> Workload:
    """What judges would get of these columns: the very same that a desk gives them, once the protocol is locked."""
    protocol = protocol.voted if way == "votes" else protocol
    places = tuple(range(len(columns)))
    asked = [Query(query) for query in dict.fromkeys(query for column in columns for query in column)]
    desk = Desk(Evaluation("", "", way, places, protocol, protocol.digest, "", now()), asked, columns)
    pieces = desk.graded(()).of if way == "grades" else desk.voted(()).of
    return Workload(way, len(desk.sample.queue), pieces)
