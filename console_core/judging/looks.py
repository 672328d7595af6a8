"""Who looked at a verdict, and when, or at what each column answered, while judging was blind.

Who looks at a verdict, judges more and looks again has more chances to be wrong; who sees what each column answered is
blind no more.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Index, Integer, Table, Text, insert, select

from console_core.database import Database, Instant, metadata, now

looks = Table(
    "verdict_looks",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("evaluation", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("words", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    sqlite_autoincrement=True,
)
OPENED = "answers"
"""As the outcome of a look: no verdict was seen, but what each column answered."""
Index("verdict_looks_of", looks.c.evaluation, looks.c.number)


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a verdict before the models were told: what judges had said by then, in words that were ever added, and
    what it said ("non-inferior", "withheld"; of several columns one for each)."""

    by: str
    at: datetime
    words: int
    outcome: str

    @property
    def told(self) -> bool:
        """Whether it said anything of any column."""
        return any(not one.endswith("withheld") for one in self.outcome.split(", "))


class Looks:
    """The looks at the verdicts of a workspace. Rows are only added."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before this table was known
            metadata.create_all(connection, tables=[looks])

    def add(self, evaluation: str, *, words: int, outcome: str, by: str) -> None:
        with self._database.transaction() as connection:
            told = {"evaluation": evaluation, "by": by, "at": now(), "words": words, "outcome": outcome}
            connection.execute(insert(looks).values(**told))

    def of(self, evaluation: str) -> tuple[Look, ...]:
        """All looks at an evaluation's verdict, the first one first."""
        return tuple(one for one in self._all(evaluation) if one.outcome != OPENED)

    def openings(self, evaluation: str) -> tuple[Look, ...]:
        """Those that saw what each column answered, the first one first."""
        return tuple(one for one in self._all(evaluation) if one.outcome == OPENED)

    def _all(self, evaluation: str) -> list[Look]:
        asked = select(looks).where(looks.c.evaluation == evaluation).order_by(looks.c.number)
        with self._database.reading() as connection:
            return [Look(row.by, row.at, row.words, row.outcome) for row in connection.execute(asked)]


def early(seen: tuple[Look, ...], words: int) -> int:
    """How many different states of the judging were looked at before it came to so many words: each was one more chance
    to stop at a result by luck. Where all of it was withheld nothing was seen."""
    return len({one.words for one in seen if one.words < words and one.told})
