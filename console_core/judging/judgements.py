"""Judgements: which grade which judge gave which picture for which query. Rows are only added; the newest counts."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, Table, case, func, insert, select, update

from console_core.database import Database, metadata, now
from console_core.errors import NotFound, Refused
from console_core.judging.judgement_tables import evaluations, judgements, votes
from console_core.judging.protocol import Protocol
from console_core.judging.spoken import TAKEN_BACK as TAKEN_BACK
from console_core.judging.spoken import TIE as TIE
from console_core.judging.spoken import CountedVote as CountedVote
from console_core.judging.spoken import Evaluation as Evaluation
from console_core.judging.spoken import Given as Given
from console_core.judging.spoken import Judgement as Judgement
from console_core.judging.spoken import Way as Way
from console_core.querylab.rankings import Grades

_E = evaluations.c


class Judgements:
    """The evaluations of a workspace and what judges said in them. Safe for several judges at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[evaluations, judgements, votes])

    def begin(self, snapshot: str, columns: Sequence[int], protocol: Protocol, *, way: Way = "grades", by: str) -> str:
        """The id of an evaluation without judgements, whose protocol is locked from here on.

        Raises:
            Refused: fewer than two columns, or one of them twice.
        """
        if len(set(columns)) < max(2, len(columns)):
            raise Refused("Two or more columns are compared, none of them twice.", "Choose others of the snapshot.")
        told = {"id": f"e-{secrets.token_hex(4)}", "snapshot": snapshot, "way": way, "columns": list(columns)}
        told |= {"protocol": protocol.to_json(), "digest": protocol.digest}
        with self._database.transaction() as connection:
            connection.execute(insert(evaluations).values(**told, made_by=by, made_at=now()))
        return str(told["id"])

    def get(self, evaluation: str) -> Evaluation:
        """
        Raises:
            NotFound: there is no such evaluation.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(evaluations).where(_E.id == evaluation)).first()
        if row is None:
            raise NotFound(
                f"There is no evaluation {evaluation}.",
                "`embedding-console evaluations` lists them, and so does the page Judging.",
            )
        return _evaluation(row)

    def all(self, *, snapshot: str = "", limit: int = 50) -> list[Evaluation]:
        """Evaluations, the newest first; of one snapshot or of all."""
        asked = select(evaluations).order_by(_E.made_at.desc(), _E.id).limit(limit)
        if snapshot:
            asked = asked.where(_E.snapshot == snapshot)
        with self._database.reading() as connection:
            return [_evaluation(row) for row in connection.execute(asked)]

    def blind(self, snapshot: str) -> list[Evaluation]:
        """Those of a snapshot whose models were not told yet, the newest first."""
        asked = select(evaluations).where(_E.snapshot == snapshot, _E.revealed_at.is_(None))
        with self._database.reading() as connection:
            return [_evaluation(row) for row in connection.execute(asked.order_by(_E.made_at.desc(), _E.id))]

    def judge(self, evaluation: Evaluation, query: str, key: str, grade: int, *, by: str, actor: str = "") -> None:
        """Add a judge's word on a picture, instead of what they said of it before; `actor` enters it.

        Raises:
            Refused: the scale has no such grade, or models were told already.
        """
        if isinstance(grade, bool) or not 0 <= grade <= evaluation.protocol.highest:
            raise Refused(f"{grade} is no grade.", f"Grades are 0 to {evaluation.protocol.highest}.")
        with self._open(evaluation) as connection:
            told = {"evaluation": evaluation.id, "query": query, "key": key, "judge": by, "actor": actor}
            _add(connection, judgements, **told, grade=grade)

    def judge_all(self, evaluation: Evaluation, given: Sequence[Given], *, origin: str = "", actor: str = "") -> None:
        """Add the words of several judges, all or none of them; `origin` is the file that they come from.

        Raises:
            Refused: the scale has no such grade, or models were told already.
        """
        if any(not 0 <= one.grade <= evaluation.protocol.highest for one in given):
            raise Refused("Not every grade is on the scale.", f"Grades are 0 to {evaluation.protocol.highest}.")
        told = {"evaluation": evaluation.id, "at": now(), "origin": origin, "actor": actor}
        with self._open(evaluation) as connection:
            if given:
                connection.execute(insert(judgements), [told | asdict(one) for one in given])

    def vote(
        self, evaluation: Evaluation, query: str, x: int, y: int, winner: int, *, by: str, actor: str = ""
    ) -> None:
        """Add a judge's vote between two columns, instead of the one before; `winner` is one of them or TIE.

        Raises:
            Refused: the winner is neither of them, or models were told already.
        """
        if x == y or winner not in (x, y, TIE):
            raise Refused("Neither of the two won, and it is no tie.", "Vote for one of them, or for both alike.")
        with self._open(evaluation) as connection:
            told = {"evaluation": evaluation.id, "query": query, "judge": by, "actor": actor}
            _add(connection, votes, **told, x=x, y=y, winner=winner)

    def undo(self, evaluation: Evaluation, *, by: str, actor: str = "") -> bool:
        """Take back the newest word of a judge that still counts; False where there is none left."""
        table = judgements if evaluation.way == "grades" else votes
        with self._open(evaluation) as connection:  # from here on nobody adds a word, so the newest stays the newest
            newest = _newest(connection, table, evaluation.id, by)
            if newest is None:
                return False
            told: dict[str, Any] = {"evaluation": evaluation.id, "query": newest.query, "judge": by, "actor": actor}
            if table is judgements:
                _add(connection, judgements, **told, key=newest.key, grade=TAKEN_BACK)
            else:
                _add(connection, votes, **told, x=newest.x, y=newest.y, winner=TAKEN_BACK)
        return True

    def of(self, evaluation: str, judge: str = "") -> list[Judgement]:
        """What counts of an evaluation: of one judge, or of all."""
        newest = {(row.judge, row.query, row.key): row for row in self._rows(judgements, evaluation, judge)}
        return [
            Judgement(
                *(row.number, row.query, row.key, row.judge, row.grade, row.at),
                *(row.actor, row.origin, row.made_at),
            )
            for row in newest.values()
            if row.grade is not TAKEN_BACK
        ]

    def votes(self, evaluation: str, judge: str = "") -> list[CountedVote]:
        """The votes that count of an evaluation: of one judge, or of all."""
        newest = {(row.judge, row.query, *sorted((row.x, row.y))): row for row in self._rows(votes, evaluation, judge)}
        return [
            CountedVote(row.number, row.query, row.judge, row.x, row.y, row.winner, row.at, row.actor)
            for row in newest.values()
            if row.winner is not TAKEN_BACK
        ]

    def counted(self, evaluation: str) -> int:
        """Words that were ever added, those that were taken back among them."""
        with self._database.reading() as connection:
            return sum(
                connection.scalar(select(func.count()).select_from(table).where(table.c.evaluation == evaluation)) or 0
                for table in (judgements, votes)
            )

    def standing(self, evaluations: Sequence[str]) -> dict[str, int]:
        """How many words count of each evaluation, of all judges; none of those without any."""
        v = votes.c
        of_pair = case((v.x < v.y, v.x), else_=v.y), case((v.x < v.y, v.y), else_=v.x)
        found: dict[str, int] = {}
        with self._database.reading() as connection:
            for table, said, of in (
                (judgements, judgements.c.grade, (judgements.c.query, judgements.c.key)),
                (votes, v.winner, (v.query, *of_pair)),
            ):
                newest = select(func.max(table.c.number)).where(table.c.evaluation.in_(evaluations))
                newest = newest.group_by(table.c.evaluation, table.c.judge, *of)
                counted = select(table.c.evaluation, func.count()).where(table.c.number.in_(newest))
                rows = connection.execute(counted.where(said.is_not(TAKEN_BACK)).group_by(table.c.evaluation))
                for name, number in rows:
                    found[name] = found.get(name, 0) + number
        return found

    def reveal(self, evaluation: str, *, by: str) -> Evaluation:
        """Tell which model is which; nothing more can be judged then. Twice is harmless."""
        unrevealed = update(evaluations).where(_E.id == evaluation, _E.revealed_at.is_(None))
        with self._database.transaction() as connection:
            connection.execute(unrevealed.values(revealed_at=now(), revealed_by=by))
        return self.get(evaluation)

    def _rows(self, table: Table, evaluation: str, judge: str) -> Sequence[Row[Any]]:
        asked = select(table).where(table.c.evaluation == evaluation).order_by(table.c.number)
        if judge:
            asked = asked.where(table.c.judge == judge)
        with self._database.reading() as connection:
            return connection.execute(asked).all()

    @contextmanager
    def _open(self, evaluation: Evaluation) -> Iterator[Connection]:
        """A transaction in which it is not revealed."""
        with self._database.transaction() as connection:
            if connection.scalar(select(_E.revealed_at).where(_E.id == evaluation.id)) is not None:
                raise Refused("The models were revealed, so nothing more is judged here.", "Begin another evaluation.")
            yield connection


def combined(given: Sequence[Judgement]) -> Grades:
    """One grade for each picture: the lower median of its judges', so that a tie is no praise. `judges.counting` says
    which grades are taken for a verdict."""
    several: dict[str, dict[str, list[int]]] = {}
    for one in given:
        several.setdefault(one.query, {}).setdefault(one.key, []).append(one.grade)
    return {
        query: {key: sorted(grades)[(len(grades) - 1) // 2] for key, grades in of.items()}
        for query, of in several.items()
    }


def by_judge(given: Sequence[Judgement]) -> dict[str, Grades]:
    """Each judge's own grades."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for one in given:
        found.setdefault(one.judge, {}).setdefault(one.query, {})[one.key] = one.grade
    return dict(found)


def _add(connection: Connection, table: Table, **told: Any) -> None:
    connection.execute(insert(table).values(**told, at=now()))


def _newest(connection: Connection, table: Table, evaluation: str, judge: str) -> Row[Any] | None:
    """A judge's newest word that counts, found from the end."""
    asked = select(table).where(table.c.evaluation == evaluation, table.c.judge == judge)
    behind = set()
    with connection.execute(asked.order_by(table.c.number.desc())) as rows:
        for row in rows:
            of = (row.query, row.key) if table is judgements else (row.query, *sorted((row.x, row.y)))
            if of not in behind and (row.grade if table is judgements else row.winner) is not TAKEN_BACK:
                return row
            behind.add(of)
    return None


def _evaluation(row: Row[Any]) -> Evaluation:
    return Evaluation(
        row.id,
        row.snapshot,
        row.way,
        tuple(row.columns),
        Protocol.from_json(row.protocol),
        row.digest,
        row.made_by,
        row.made_at,
        row.revealed_at,
        row.revealed_by,
    )
