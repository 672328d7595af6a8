"""Evaluations that judged the same before a protocol was locked, so that it could have been chosen after a result."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select

from console_core.database import Database, now
from console_core.judging import wording
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.judgement_tables import evaluations, judgements, votes
from console_core.judging.looks import looks
from console_core.judging.protocol import Protocol
from console_core.judging.query_sets import asks, queries
from console_core.judging.snapshot_tables import snapshots
from console_core.judging.snapshots import Snapshot
from console_core.judging.spoken import TAKEN_BACK, Evaluation, Judgement, Way
from console_core.runs.wording import count

_E, _S, _Q, _J = evaluations.c, snapshots.c, queries.c, judgements.c
_ENOUGH = 0.5
"""The share of the questions that another evaluation has to have asked, too."""
_Column = tuple[str, str, str]
"""A collection, the fingerprint of its model, and the way in which it was searched."""
_Set = tuple[str, int]
"""A query set's name and version."""
_Asks = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sibling:
    """An evaluation of the same, as it was when another protocol was locked: what judges had said in it by then, how
    often its verdict had been looked at, and when its models had been told, if they had. It names no model. Where
    nobody had said anything by then, it is not `earlier`, and is as it was when the other's models were told.

    `same_answers`: of the same snapshot, else of another one. `same` of the other evaluation's `imported` grades equal
    one that was given here, of whichever judge.
    """

    evaluation: str
    way: Way
    measure: str
    margin: float
    locked_at: datetime
    words: int
    looks: int
    revealed_at: datetime | None
    same_answers: bool
    same: int = 0
    imported: int = 0
    earlier: bool = True

    @property
    def text(self) -> str:
        """All of it in a sentence or two, for whoever reads the other one's verdict."""
        if not self.earlier:
            return (
                f"The same {self._what} are judged in {self.evaluation}, too, with {self._under}. Whoever chooses "
                "among several verdicts has more chances to be wrong than the confidence of one says."
            )
        said = f"{self.before} This protocol was locked after that."
        if self.same:
            said += (
                f" {self.same:,} of {self.imported:,} imported grades are the same as grades that were given there "
                "before this protocol was locked."
            )
        return said

    @property
    def before(self) -> str:
        """What was judged, in a sentence."""
        words = count(self.words, "judgement")
        said = f"The same {self._what} were judged before, in {self.evaluation}, with {self._under} ({words})"
        if self.looks:
            said += f", and its verdict was looked at {wording.often(self.looks)}"
        if self.revealed_at is not None:
            said += f"; its models were told on {wording.moment(self.revealed_at)}"
        return f"{said}."

    @property
    def _what(self) -> str:
        return "answers" if self.same_answers else "questions to the same collections"

    @property
    def _under(self) -> str:
        return f"{self.measure} and a margin of {self.margin:g}" if self.way == "grades" else "votes between lists"


class Siblings:
    """Finds them in the ledger of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def around(
        self, evaluation: Evaluation, snapshot: Snapshot, given: Collection[Judgement]
    ) -> tuple[tuple[Sibling, ...], tuple[Sibling, ...]]:
        """Evaluations that judged the same before this one was locked; and those that did only later, until its models
        were told. `given` are its own grades."""
        earlier = self.of(snapshot, evaluation.columns, before=evaluation.made_at, given=given)
        known = [evaluation.id, *(one.evaluation for one in earlier)]
        later = self.of(snapshot, evaluation.columns, before=evaluation.revealed_at or now(), but=known)
        return earlier, tuple(replace(one, earlier=False) for one in later)

    def of(
        self,
        snapshot: Snapshot,
        columns: Sequence[int],
        *,
        before: datetime,
        given: Collection[Judgement] = (),
        but: Collection[str] = (),
    ) -> tuple[Sibling, ...]:
        """Evaluations that were locked before, and had words of judges or looks at their verdict by then; the first one
        first.

        They judge two or more of the same columns, and were asked at least half of the same questions in whatever
        spelling, in this snapshot or in another one. Columns are the same where collection, model and the way of the
        search are; and whatever the ways, where there are two different collections of them. `given` are grades of the
        later evaluation, and `but` are left out.
        """
        mine = _columns(snapshot.columns, columns)
        with self._database.reading() as connection:
            questions, own = _Questions(connection), (snapshot.set_name, snapshot.set_version)
            imported = [one for one in given if one.origin]
            what = questions.of(*own) if imported else {}
            brought = [(what.get(one.query), one.key, one.grade) for one in imported]
            asked = select(
                *(_E.id, _E.way, _E.columns.label("places"), _E.protocol, _E.made_at, _E.revealed_at, _E.snapshot),
                *(_S.set_name, _S.set_version, _S.columns.label("asked")),
            ).join(snapshots, _S.id == _E.snapshot)
            rows = connection.execute(asked.where(_E.made_at < before).order_by(_E.made_at, _E.id)).all()
            found = [row for row in rows if row.id not in but and _share_columns(row, mine)]
            found = [row for row in found if questions.are_shared(own, (row.set_name, row.set_version))]
            names = [row.id for row in found]
            words = _counted(connection, judgements, names, before)
            words |= _counted(connection, votes, names, before)
            seen = _counted(connection, looks, names, before)
            made = []
            for row in found:
                if not (words.get(row.id) or seen.get(row.id)):
                    continue
                asked_there = questions.of(row.set_name, row.set_version) if brought else {}
                there = _grades(connection, row.id, before, asked_there) if brought else set()
                locked = Protocol.from_json(row.protocol)
                told = row.revealed_at if row.revealed_at and row.revealed_at < before else None
                made.append(
                    Sibling(
                        *(row.id, row.way, locked.measure, locked.margin, row.made_at),
                        *(words.get(row.id, 0), seen.get(row.id, 0), told, row.snapshot == snapshot.id),
                        *(sum(one in there for one in brought), len(brought)),
                    )
                )
        return tuple(made)


class _Questions:
    """What query sets ask, each of them read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._read: dict[_Set, dict[str, _Asks]] = {}
        self._shared: dict[tuple[_Set, _Set], bool] = {}

    def of(self, name: str, version: int) -> dict[str, _Asks]:
        """What each question asks, by its id."""
        if (known := self._read.get((name, version))) is None:
            wanted = select(_Q.id, _Q.text, _Q.like).where(_Q.name == name, _Q.version == version)
            known = {row.id: asks(row.text, row.like) for row in self._connection.execute(wanted)}
            self._read[name, version] = known
        return known

    def are_shared(self, mine: _Set, theirs: _Set) -> bool:
        """Whether enough of the questions of one set are in the other one, too."""
        if mine == theirs:
            return True
        if (mine, theirs) not in self._shared:
            asked = set(self.of(*mine).values())
            self._shared[mine, theirs] = len(asked & set(self.of(*theirs).values())) >= _ENOUGH * len(asked) > 0
        return self._shared[mine, theirs]


def _share_columns(row: Any, mine: set[_Column]) -> bool:
    theirs = {_column(AskedColumn.from_json(row.asked[place])) for place in row.places}
    return len(theirs & mine) > 1 or len({one[:2] for one in theirs} & {one[:2] for one in mine}) > 1


def _columns(asked: Sequence[AskedColumn], places: Sequence[int]) -> set[_Column]:
    return {_column(asked[place]) for place in places}


def _column(asked: AskedColumn) -> _Column:
    return asked.collection, asked.fingerprint, asked.way.value


def _counted(connection: Connection, table: Table, names: Sequence[str], before: datetime) -> dict[str, int]:
    """Rows of each evaluation, without those that only took a word back."""
    asked = select(table.c.evaluation, func.count()).where(table.c.evaluation.in_(names), table.c.at < before)
    for name in ("grade", "winner"):
        if name in table.c:
            asked = asked.where(table.c[name].is_not(TAKEN_BACK))
    return {row[0]: row[1] for row in connection.execute(asked.group_by(table.c.evaluation))}


def _grades(
    connection: Connection, evaluation: str, before: datetime, what: Mapping[str, _Asks]
) -> set[tuple[_Asks | None, str, int]]:
    """Which grade was given to which picture for what its question asks."""
    asked = select(_J.query, _J.key, _J.grade).where(_J.evaluation == evaluation, _J.at < before)
    rows = connection.execute(asked.where(_J.grade.is_not(TAKEN_BACK)))
    return {(what.get(query), key, grade) for query, key, grade in rows}
