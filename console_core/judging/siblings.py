"""Evaluations that judged the same before a protocol was locked, so that it could have been chosen after a result."""

from collections.abc import Collection, Sequence
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
from console_core.judging.query_sets import queries
from console_core.judging.snapshot_tables import snapshots
from console_core.judging.snapshots import Snapshot
from console_core.judging.spoken import TAKEN_BACK, Evaluation, Judgement, Way

_E, _S, _Q, _J = evaluations.c, snapshots.c, queries.c, judgements.c
_ENOUGH = 0.5
"""The share of the questions that another evaluation has to have asked, too."""
_Column = tuple[str, str]
"""A collection and the fingerprint of its model."""


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
        words = wording.several(self.words, "judgement")
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

        They judge two or more of the same columns, each the same collection of the same model, and were asked at least
        half of the same questions, in this snapshot or in another one. `given` are grades of the later evaluation,
        and `but` are left out.
        """
        mine = _columns(snapshot.columns, columns)
        brought = [(one.query, one.key, one.grade) for one in given if one.origin]
        with self._database.reading() as connection:
            asked = select(
                *(_E.id, _E.way, _E.columns.label("places"), _E.protocol, _E.made_at, _E.revealed_at, _E.snapshot),
                *(_S.set_name, _S.set_version, _S.columns.label("asked")),
            ).join(snapshots, _S.id == _E.snapshot)
            rows = connection.execute(asked.where(_E.made_at < before).order_by(_E.made_at, _E.id)).all()
            known: dict[tuple[str, int], bool] = {(snapshot.set_name, snapshot.set_version): True}
            found = [row for row in rows if _is_same(connection, row, mine, snapshot, known)]
            found = [row for row in found if row.id not in but]
            names = [row.id for row in found]
            words = _counted(connection, judgements, names, before)
            words |= _counted(connection, votes, names, before)
            seen = _counted(connection, looks, names, before)
            made = []
            for row in found:
                if not (words.get(row.id) or seen.get(row.id)):
                    continue
                there = _grades(connection, row.id, before) if brought else set()
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


def _is_same(
    connection: Connection, row: Any, mine: set[_Column], snapshot: Snapshot, known: dict[tuple[str, int], bool]
) -> bool:
    columns = {(row.asked[place]["collection"], row.asked[place]["fingerprint"]) for place in row.places}
    if len(columns & mine) < 2:
        return False
    theirs = (row.set_name, row.set_version)
    if theirs not in known:
        known[theirs] = _shares_questions(connection, (snapshot.set_name, snapshot.set_version), theirs)
    return known[theirs]


def _shares_questions(connection: Connection, mine: tuple[str, int], theirs: tuple[str, int]) -> bool:
    def of(name: str, version: int) -> set[str]:
        return set(connection.scalars(select(_Q.id).where(_Q.name == name, _Q.version == version)))

    asked = of(*mine)
    return len(asked & of(*theirs)) >= _ENOUGH * len(asked) > 0


def _columns(asked: Sequence[AskedColumn], places: Sequence[int]) -> set[_Column]:
    return {(asked[place].collection, asked[place].fingerprint) for place in places}


def _counted(connection: Connection, table: Table, names: Sequence[str], before: datetime) -> dict[str, int]:
    """Rows of each evaluation, without those that only took a word back."""
    asked = select(table.c.evaluation, func.count()).where(table.c.evaluation.in_(names), table.c.at < before)
    for name in ("grade", "winner"):
        if name in table.c:
            asked = asked.where(table.c[name].is_not(TAKEN_BACK))
    return {row[0]: row[1] for row in connection.execute(asked.group_by(table.c.evaluation))}


def _grades(connection: Connection, evaluation: str, before: datetime) -> set[tuple[str, str, int]]:
    asked = select(_J.query, _J.key, _J.grade).where(_J.evaluation == evaluation, _J.at < before)
    return {(query, key, grade) for query, key, grade in connection.execute(asked.where(_J.grade.is_not(TAKEN_BACK)))}
