"""What columns answered to a query set, kept for ever: written once, and read again with no store and no model."""

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Row, Text, func, insert, select, type_coerce, update

from console_core.catalog.types import ImageRow
from console_core.database import Database, metadata, now
from console_core.errors import NotFound, Refused
from console_core.judging.asked_columns import AskedColumn
from console_core.judging.query_sets import QuerySet, queries, query_sets
from console_core.judging.sealing import digest_of
from console_core.judging.snapshot_tables import answers, shown, snapshots
from console_core.querylab.rankings import Rankings
from console_core.vectorstore.types import PointId

_S, _A, _P = snapshots.c, answers.c, shown.c
_PAGE = 500
_HEAD = 1_000
"""Characters of an answer's text that nearly always have its first picture in them."""
KEY_SIGNS = "/:@[],\"'-_.~!$&()*+;=?#{}|^<>"
"""Signs that stay as they are in a key that is written as one word; "%" and spaces do not."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A picture in an answer: its catalog key, its point's id, the store's own score of it, and the share of a fixed
    sample of the collection that scores lower, in percent; None where there was no sample."""

    key: str
    id: PointId
    score: float
    percentile: float | None = None


@dataclass(frozen=True, slots=True)
class ColumnAnswer:
    """What a column answered to one query, best first; or why it could not, in a sentence. `margin` is the text-image
    margin of a question in words alone: how far the first score is above the sample's median, in the column's own unit,
    never to be compared with another column's. Questions with a picture have none."""

    query: str
    column: int
    ranked: tuple[Ranked, ...] = ()
    error: str = ""
    margin: float | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answers of `columns` to a version of a query set, `depth` to each query. `digest` is of all of them, of
    the questions, the columns and the pictures, and "" until the last answer is there; from then on nothing of it
    changes."""

    id: str
    set_name: str
    set_version: int
    depth: int
    columns: tuple[AskedColumn, ...]
    made_by: str
    made_at: datetime
    digest: str

    @property
    def is_complete(self) -> bool:
        return bool(self.digest)

    @property
    def label(self) -> str:
        return f"{self.set_name} v{self.set_version}, {' · '.join(column.name for column in self.columns)}"


class Snapshots:
    """The snapshots of a workspace."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[query_sets, queries, snapshots, answers, shown])

    def begin(self, of: QuerySet, columns: Sequence[AskedColumn], *, depth: int, by: str) -> Snapshot:
        """A snapshot without answers."""
        made = Snapshot(f"s-{secrets.token_hex(4)}", of.name, of.version, depth, tuple(columns), by, now(), digest="")
        told = {**asdict(made), "columns": [column.as_json() for column in columns]}
        with self._database.transaction() as connection:
            connection.execute(insert(snapshots).values(**told))
        return made

    def add(self, snapshot: str, given: Sequence[ColumnAnswer], pictures: Sequence[ImageRow]) -> None:
        """Answers, and what is to be shown of their pictures. The same query twice is harmless: the later one counts.

        Raises:
            Refused: the snapshot is complete.
        """
        with self._database.transaction() as connection:
            self._refuse_complete(connection, snapshot)
            for one in given:
                connection.execute(
                    answers.delete().where(_A.snapshot == snapshot, _A.query == one.query, _A.column == one.column)
                )
            if given:
                connection.execute(insert(answers), [_row(snapshot, one) for one in given])
            known = set(
                connection.scalars(
                    select(_P.key).where(_P.snapshot == snapshot, _P.key.in_([one.key for one in pictures]))
                )
            )
            new = {one.key: one for one in pictures if one.key not in known}
            if new:
                connection.execute(
                    insert(shown),
                    [
                        {
                            "snapshot": snapshot,
                            "key": one.key,
                            "candidates": list(one.candidates),
                            "payload": dict(one.payload),
                            "revision": one.revision,
                        }
                        for one in new.values()
                    ],
                )

    def seal(self, snapshot: str) -> Snapshot:
        """Complete from now on."""
        with self._database.transaction() as connection:
            self._refuse_complete(connection, snapshot)
            digest = digest_of(connection, snapshot)
            connection.execute(update(snapshots).where(_S.id == snapshot).values(digest=digest))
        return self.get(snapshot)

    def get(self, snapshot: str) -> Snapshot:
        """
        Raises:
            NotFound: there is no such snapshot.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(snapshots).where(_S.id == snapshot)).first()
        if row is None:
            raise NotFound(f"There is no snapshot {snapshot}.", "`embedding-console results` lists them.")
        return _snapshot(row)

    def all(self, *, set_name: str = "", limit: int = 50) -> list[Snapshot]:
        """Complete snapshots, the newest first; of one query set or of all."""
        asked = select(snapshots).where(_S.digest != "").order_by(_S.made_at.desc(), _S.id).limit(limit)
        if set_name:
            asked = asked.where(_S.set_name == set_name)
        with self._database.reading() as connection:
            return [_snapshot(row) for row in connection.execute(asked)]

    def answers(self, snapshot: str, *, queries: Sequence[str] | None = None) -> list[ColumnAnswer]:
        """All answers, or those to some queries."""
        asked = select(answers).where(_A.snapshot == snapshot).order_by(_A.query, _A.column)
        if queries is not None:
            asked = asked.where(_A.query.in_(list(queries)))
        known: dict[str, str] = {}
        with self._database.reading() as connection:
            return [_answer(row, known) for row in connection.execute(asked)]

    def rankings(self, snapshot: Snapshot) -> tuple[Rankings, ...]:
        """For each column the picture keys that it answered, by query id. A query that a column could not answer is not
        in its rankings."""
        found: tuple[dict[str, tuple[str, ...]], ...] = tuple({} for _ in snapshot.columns)
        known: dict[str, str] = {}
        asked = select(_A.query, _A.column, _A.ranked).where(_A.snapshot == snapshot.id, _A.error == "")
        with self._database.reading() as connection:
            for query, column, ranked in connection.execute(asked.order_by(_A.query, _A.column)):
                found[column][query] = tuple(known.setdefault(key, key) for key, *_ in ranked)
        return found

    def margins(self, snapshot: Snapshot) -> tuple[dict[str, float], ...]:
        """For each column the text-image margin of each query that has one."""
        found: tuple[dict[str, float], ...] = tuple({} for _ in snapshot.columns)
        asked = select(_A.query, _A.column, _A.margin).where(_A.snapshot == snapshot.id, _A.margin.is_not(None))
        with self._database.reading() as connection:
            for query, column, margin in connection.execute(asked.order_by(_A.query, _A.column)):
                found[column][query] = margin
        return found

    def firsts(self, snapshot: str) -> Iterator[tuple[str, int, float]]:
        """Query, column and the score of the first answer, wherever there is one; no other answer is read."""
        whole = type_coerce(_A.ranked, Text)
        asked = select(_A.query, _A.column, func.substr(whole, 1, _HEAD, type_=Text)).where(_A.snapshot == snapshot)
        with self._database.reading() as connection:
            for query, column, head in connection.execute(asked.order_by(_A.query, _A.column)).all():
                if (first := _first(head)) is None and len(head) == _HEAD:
                    one = select(whole).where(_A.snapshot == snapshot, _A.query == query, _A.column == column)
                    first = _first(connection.scalar(one) or "")
                if first is not None:
                    yield query, column, first

    def pictures(self, snapshot: str, keys: Sequence[str]) -> dict[str, ImageRow]:
        """What is to be shown of pictures, as it was when they were found."""
        found: dict[str, ImageRow] = {}
        wanted = list(dict.fromkeys(keys))
        with self._database.reading() as connection:
            for start in range(0, len(wanted), _PAGE):
                asked = select(shown).where(_P.snapshot == snapshot, _P.key.in_(wanted[start : start + _PAGE]))
                for row in connection.execute(asked):
                    found[row.key] = ImageRow(row.key, tuple(row.candidates), row.payload, row.revision)
        return found

    def is_intact(self, snapshot: Snapshot) -> bool:
        """Whether questions, columns, answers and pictures are still those that it was sealed with."""
        with self._database.reading() as connection:
            return snapshot.digest == digest_of(connection, snapshot.id)

    def count(self, snapshot: str) -> int:
        """Queries that were answered so far, by whatever column."""
        with self._database.reading() as connection:
            asked = select(func.count(_A.query.distinct())).where(_A.snapshot == snapshot)
            return int(connection.scalar(asked) or 0)

    def _refuse_complete(self, connection: Connection, snapshot: str) -> None:
        digest = connection.scalar(select(_S.digest).where(_S.id == snapshot))
        if digest is None:
            raise NotFound(f"There is no snapshot {snapshot}.", "Begin one.")
        if digest:
            raise Refused(f"The snapshot {snapshot} is complete.", "Ask the query set again: that is another snapshot.")


def _first(told: str) -> float | None:
    """The first score in the text of a list of answers, which may be cut off behind it."""
    try:
        (_, _, score, *_), _ = json.JSONDecoder().raw_decode(told, 1)
    except ValueError:
        return None
    return float(score)


def _row(snapshot: str, one: ColumnAnswer) -> dict[str, Any]:
    ranked = [[each.key, each.id, each.score, each.percentile] for each in one.ranked]
    told = {"snapshot": snapshot, "query": one.query, "column": one.column, "ranked": ranked}
    return {**told, "error": one.error, "margin": one.margin}


def _answer(row: Row[Any], known: dict[str, str]) -> ColumnAnswer:
    """`known` are the keys so far, each of which is to be in memory once."""
    ranked = tuple(Ranked(known.setdefault(key, key), *others) for key, *others in row.ranked)
    return ColumnAnswer(row.query, row.column, ranked, row.error, row.margin)


def _snapshot(row: Row[Any]) -> Snapshot:
    columns = tuple(map(AskedColumn.from_json, row.columns))
    return Snapshot(row.id, row.set_name, row.set_version, row.depth, columns, row.made_by, row.made_at, row.digest)


def as_trec(snapshot: Snapshot, column: int, rankings: Sequence[ColumnAnswer]) -> Iterator[str]:
    """The lines of a TREC run file: query, Q0, picture, rank, score, and the column's name as the tag. A key is one
    word: what is no letter, number or usual sign in it is written as in addresses (%20)."""
    tag = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in snapshot.columns[column].name)
    for one in rankings:
        if one.column == column:
            for rank, each in enumerate(one.ranked, start=1):
                yield f"{one.query} Q0 {quote(each.key, safe=KEY_SIGNS)} {rank} {each.score!r} {tag}"
