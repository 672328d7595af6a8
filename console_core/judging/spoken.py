"""What an evaluation is, and what judges say in it, as it is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from console_core.judging.protocol import Protocol
from console_core.judging.votes import Vote

Way = Literal["grades", "votes"]
TIE, TAKEN_BACK = -1, None
"""As the winner of a vote that is kept."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Columns of a snapshot, by their places, that are judged blindly: pictures get grades, or whole lists get votes.

    `protocol` was locked before the first judgement, at `made_at`, and `digest` is what it had then. Which model is
    which is told once it is revealed; nothing is judged any more after that.
    """

    id: str
    snapshot: str
    way: Way
    columns: tuple[int, ...]
    protocol: Protocol
    digest: str
    made_by: str
    made_at: datetime
    revealed_at: datetime | None = None
    revealed_by: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """A grade that a judge gave somewhere else; at `made_at`, where that is known."""

    query: str
    key: str
    judge: str
    grade: int
    made_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's newest word on a picture. `number` grows with every word that is added, `at` is when that was.

    `actor` is who entered it, "" where nobody noted that. `origin` is the name of the file that it came in, "" where it
    was given here; `made_at` is the file's own time of it.
    """

    number: int
    query: str
    key: str
    judge: str
    grade: int
    at: datetime
    actor: str = ""
    origin: str = ""
    made_at: datetime | None = None

    @property
    def made(self) -> datetime:
        """When the grade was given: by the file that it came in, where that says so."""
        return self.made_at or self.at

    @property
    def entered_by(self) -> str:
        """Who entered it in the judge's name; "" where that is the judge, or not known."""
        return other_than(self.judge, self.actor)


@dataclass(frozen=True, slots=True)
class CountedVote:
    """A judge's newest vote on a query and two columns, by their places in the snapshot; `winner` is TIE or one.
    `actor` is who entered it, "" where nobody noted that."""

    number: int
    query: str
    judge: str
    x: int
    y: int
    winner: int
    at: datetime
    actor: str = ""

    @property
    def entered_by(self) -> str:
        """Who entered it in the judge's name; "" where that is the judge, or not known."""
        return other_than(self.judge, self.actor)

    def as_vote(self) -> Vote:
        return Vote(self.query, self.judge, str(self.x), str(self.y), "" if self.winner == TIE else str(self.winner))


def other_than(judge: str, actor: str) -> str:
    """The actor, where it is not the judge."""
    return "" if actor == judge else actor
