"""Judgements: which grade which judge gave which picture for which query. Rows are only added; the newest counts."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, Integer, Row, Table, Text, func, insert, select, update

from console_core.database import Database, Instant, Json, metadata, now
from console_core.errors import NotFound, Refused
from console_core.querylab.rankings import Grades

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("snapshot", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("columns", Json, nullable=False),
    Column("scale", Text, nullable=False),
    Column("k", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("queue", Json, nullable=False),
    Column("protocol", Json, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("revealed_at", Instant),
)
judgements = Table(
    "judgements",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("evaluation", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("grade", Integer),
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)
Index("judgements_by_judge", judgements.c.evaluation, judgements.c.judge, judgements.c.number)
_E, _J = evaluations.c, judgements.c


class Scale(StrEnum):
    """What a picture is graded with."""

    GRADED = "graded"
    YES_NO = "yes-no"

    @property
    def grades(self) -> Mapping[int, str]:
        """Each grade with what it means, the worst first."""
        return _GRADES[self]


_GRADES: Mapping[Scale, Mapping[int, str]] = {
    Scale.GRADED: {0: "Wrong", 1: "Barely", 2: "Good", 3: "Perfect"},
    Scale.YES_NO: {0: "No", 1: "Yes"},
}


@dataclass(frozen=True, slots=True)
class Queued:
    """A query of the queue, with the probability with which it came into it; 1 where all queries are judged."""

    query: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Columns of a snapshot, by their places, that are judged blindly: the first k of each, query by query in the order
    of the queue. `protocol` is what was locked before the first judgement. Models are told once it is revealed."""

    id: str
    snapshot: str
    title: str
    columns: tuple[int, ...]
    scale: Scale
    k: int
    seed: int
    queue: tuple[Queued, ...]
    protocol: Mapping[str, Any]
    made_by: str
    made_at: datetime
    revealed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A judge's newest word on a picture. `number` grows with every word that is added."""

    number: int
    query: str
    key: str
    judge: str
    grade: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """An evaluation to begin."""

    snapshot: str
    columns: tuple[int, ...]
    queue: tuple[Queued, ...]
    scale: Scale = Scale.GRADED
    k: int = 10
    seed: int = 1
    title: str = ""
    protocol: Mapping[str, Any] = field(default_factory=dict)


class Judgements:
    """The evaluations of a workspace and what judges said in them. Safe for several judges at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[evaluations, judgements])

    def begin(self, wanted: Wanted, *, by: str) -> Evaluation:
        """An evaluation without judgements; its protocol is locked from here on.

        Raises:
            Refused: fewer than two columns, or nothing to judge.
        """
        if len(set(wanted.columns)) < 2:
            raise Refused("Fewer than two columns are compared.", "Choose two or more columns of the snapshot.")
        if not wanted.queue:
            raise Refused("There is nothing to judge.", "Choose queries that all columns answered, and not alike.")
        told = {**asdict(wanted), "scale": wanted.scale.value, "id": f"e-{secrets.token_hex(4)}"}
        told |= {"columns": list(wanted.columns), "queue": [[one.query, one.probability] for one in wanted.queue]}
        with self._database.transaction() as connection:
            connection.execute(insert(evaluations).values(**told, made_by=by, made_at=now()))
        return self.get(told["id"])

    def get(self, evaluation: str) -> Evaluation:
        """
        Raises:
            NotFound: there is no such evaluation.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(evaluations).where(_E.id == evaluation)).first()
        if row is None:
            raise NotFound(f"There is no evaluation {evaluation}.", "Begin one from a snapshot.")
        return _evaluation(row)

    def all(self, *, snapshot: str = "", limit: int = 50) -> list[Evaluation]:
        """Evaluations, the newest first; of one snapshot or of all."""
        asked = select(evaluations).order_by(_E.made_at.desc(), _E.id).limit(limit)
        if snapshot:
            asked = asked.where(_E.snapshot == snapshot)
        with self._database.reading() as connection:
            return [_evaluation(row) for row in connection.execute(asked)]

    def judge(self, evaluation: Evaluation, query: str, key: str, grade: int, *, by: str) -> int:
        """Add a judge's word on a picture, instead of what they said of it before; its number.

        Raises:
            Refused: the scale has no such grade, the query is not in the queue, or models were told already.
        """
        if grade not in evaluation.scale.grades:
            raise Refused(f"{grade} is no grade.", f"Grades are {', '.join(map(str, evaluation.scale.grades))}.")
        if query not in {one.query for one in evaluation.queue}:
            raise Refused("That query is not judged here.", "Go on with the next one.")
        return self._add(evaluation, query, key, grade, by)

    def undo(self, evaluation: Evaluation, *, by: str) -> Judgement | None:
        """Take back the newest word of a judge that still counts; None where there is none left."""
        mine = self.of(evaluation.id, by)
        if not mine:
            return None
        newest = max(mine, key=lambda one: one.number)
        self._add(evaluation, newest.query, newest.key, None, by)
        return newest

    def of(self, evaluation: str, judge: str = "") -> list[Judgement]:
        """What counts of an evaluation: of one judge, or of all."""
        asked = select(judgements).where(_J.evaluation == evaluation)
        if judge:
            asked = asked.where(_J.judge == judge)
        newest: dict[tuple[str, str, str], Row[Any]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(asked.order_by(_J.number)):
                newest[row.judge, row.query, row.key] = row
        return [
            Judgement(row.number, row.query, row.key, row.judge, row.grade, row.at)
            for row in newest.values()
            if row.grade is not None
        ]

    def count(self, evaluation: str) -> int:
        """Words that were ever added, those that were taken back among them: what was seen is recorded by it."""
        with self._database.reading() as connection:
            asked = select(func.count()).select_from(judgements).where(_J.evaluation == evaluation)
            return int(connection.scalar(asked) or 0)

    def reveal(self, evaluation: str) -> Evaluation:
        """Tell which model is which; nothing more can be judged then. Twice is harmless."""
        with self._database.transaction() as connection:
            connection.execute(
                update(evaluations).where(_E.id == evaluation, _E.revealed_at.is_(None)).values(revealed_at=now())
            )
        return self.get(evaluation)

    def _add(self, evaluation: Evaluation, query: str, key: str, grade: int | None, judge: str) -> int:
        with self._database.transaction() as connection:
            if connection.scalar(select(_E.revealed_at).where(_E.id == evaluation.id)) is not None:
                raise Refused("The models were revealed, so nothing more is judged here.", "Begin another evaluation.")
            told = {
                "evaluation": evaluation.id,
                "query": query,
                "key": key,
                "judge": judge,
                "grade": grade,
                "at": now(),
            }
            made = connection.execute(insert(judgements).values(**told))
            number: int = made.inserted_primary_key[0]  # type: ignore[index]
            return number


def combined(given: Sequence[Judgement]) -> Grades:
    """One grade for each picture: the lower median of its judges', so that a tie is no praise."""
    several: dict[str, dict[str, list[int]]] = {}
    for one in given:
        several.setdefault(one.query, {}).setdefault(one.key, []).append(one.grade)
    return {
        query: {key: sorted(grades)[(len(grades) - 1) // 2] for key, grades in of.items()}
        for query, of in several.items()
    }


def upcoming(
    evaluation: Evaluation, pools: Mapping[str, Sequence[str]], mine: Sequence[Judgement]
) -> tuple[str, str] | None:
    """The next query and picture of a judge, by the queue and the order of the pools; None where all is judged."""
    done = {(one.query, one.key) for one in mine}
    for one in evaluation.queue:
        for key in pools.get(one.query, ()):
            if (one.query, key) not in done:
                return one.query, key
    return None


def _evaluation(row: Row[Any]) -> Evaluation:
    queue = tuple(Queued(query, probability) for query, probability in row.queue)
    return Evaluation(
        row.id,
        row.snapshot,
        row.title,
        tuple(row.columns),
        Scale(row.scale),
        row.k,
        row.seed,
        queue,
        row.protocol,
        row.made_by,
        row.made_at,
        row.revealed_at,
    )
