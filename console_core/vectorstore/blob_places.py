"""Where the points of a collection are, in a database that keeps vectors as bytes: float32, little endian."""

import json
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    MetaData,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from console_core.errors import StoreRefused
from console_core.vectorstore.types import Payload, Point, PointId, Vector

BYTES = np.dtype("<f4")
_CHUNK = 300
"""Ids in one condition: SQLite takes a bounded number of parameters."""

Row = tuple[PointId, bytes | None, str]
"""A point as it is written: its canonical id, the vector's bytes, and the payload as JSON."""


def own_table(name: str) -> Table:
    """A table that the console makes for one collection."""
    return Table(
        name,
        MetaData(),
        Column("is_uuid", Boolean, primary_key=True),
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("uuid", String(36), primary_key=True),
        Column("vector", LargeBinary),
        Column("payload", Text, nullable=False),
    )


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table of the console's own."""

    table: Table

    def select(self, *, vectors: bool) -> Select[Any]:
        """Points as rows that `point` understands: three columns of the id, the vector or NULL, the payload."""
        columns = self.table.c
        vector = columns.vector if vectors else null().label("vector")
        return select(columns.is_uuid, columns.number, columns.uuid, vector, columns.payload)

    @property
    def vector(self) -> Column[Any]:
        return self.table.c.vector

    @property
    def order(self) -> Sequence[Column[Any]]:
        return [self.table.c.is_uuid, self.table.c.number, self.table.c.uuid]

    def behind(self, after: PointId) -> ColumnElement[bool]:
        return tuple_(*self.order) > tuple_(*map(literal, _key(after)))

    def among(self, ids: Sequence[PointId]) -> ColumnElement[bool]:
        return tuple_(*self.order).in_([_key(identifier) for identifier in ids])

    def point(self, row: Sequence[Any], *, vectors: bool) -> Point:
        is_uuid, number, identifier, vector, payload = row
        return Point(identifier if is_uuid else number, vector_of(vector) if vectors else None, json.loads(payload))

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        statement = insert(self.table)
        replaced = {"vector": statement.excluded.vector, "payload": statement.excluded.payload}
        statement = statement.on_conflict_do_update(index_elements=list(self.order), set_=replaced)
        names = ("is_uuid", "number", "uuid", "vector", "payload")
        connection.execute(
            statement,
            [dict(zip(names, (*_key(identifier), vector, text), strict=True)) for identifier, vector, text in rows],
        )

    def remove(self, connection: Connection, ids: Sequence[PointId]) -> None:
        for some in chunks(ids):
            connection.execute(delete(self.table).where(self.among(some)))


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of an application's table, whose rows are told by one column of whole numbers or, in PostgreSQL, UUIDs.
    Its points are the rows whose vector has `dimension` numbers.

    `payload` is the column beside it that the console keeps its points' payload in; None where there is none yet. A
    vector that the console did not write has the row's `shown` columns as payload.
    """

    table: Table
    key: Column[Any]
    vector: Column[Any]
    payload: Column[Any] | None
    shown: tuple[Column[Any], ...]
    dimension: int
    keyed_by_uuid: bool

    def select(self, *, vectors: bool) -> Select[Any]:
        payload = null() if self.payload is None else self.payload
        query = select(self.key, self.vector if vectors else null(), payload, *self.shown)
        return query.where(func.length(self.vector) == BYTES.itemsize * self.dimension)

    @property
    def order(self) -> Sequence[Column[Any]]:
        return [self.key]

    def behind(self, after: PointId) -> ColumnElement[bool]:
        if self.keyed_by_uuid:
            return self.key > uuid.UUID(after) if isinstance(after, str) else literal(True)
        return self.key > after if isinstance(after, int) else literal(False)

    def among(self, ids: Sequence[PointId]) -> ColumnElement[bool]:
        kind = str if self.keyed_by_uuid else int
        wanted = [identifier for identifier in ids if isinstance(identifier, kind)]
        return self.key.in_([uuid.UUID(str(one)) for one in wanted] if self.keyed_by_uuid else wanted)

    def point(self, row: Sequence[Any], *, vectors: bool) -> Point:
        key, vector, payload, *shown = row
        told: Payload = (
            json.loads(payload) if payload else {c.name: _plain(v) for c, v in zip(self.shown, shown, strict=True)}
        )
        return Point(str(key) if self.keyed_by_uuid else key, vector_of(vector) if vectors else None, told)

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        assert self.payload is not None
        there: set[PointId] = set()
        for some in chunks([identifier for identifier, _, _ in rows]):
            found = connection.execute(select(self.key).where(self.among(some))).scalars()
            there.update(str(key) if self.keyed_by_uuid else key for key in found)
        if lacking := [identifier for identifier, _, _ in rows if identifier not in there]:
            raise StoreRefused(
                f"{len(lacking):,} of the points are no rows of {self.table.fullname}, such as "
                f"{', '.join(map(str, lacking[:3]))}.",
                "Only rows that exist can be given a vector; the catalog must list rows of this table by their key.",
            )
        statement = (
            update(self.table)
            .where(self.key == bindparam("which"))
            .values({self.vector: bindparam("numbers"), self.payload: bindparam("told")})
        )
        values = [
            {"which": self._key(identifier), "numbers": vector, "told": text} for identifier, vector, text in rows
        ]
        connection.execute(statement, values)

    def remove(self, connection: Connection, ids: Sequence[PointId]) -> None:
        """The rows stay: they are the application's."""
        emptied: dict[Any, Any] = {self.vector: None}
        if self.payload is not None:
            emptied[self.payload] = None
        for some in chunks(ids):
            connection.execute(update(self.table).where(self.among(some)).values(emptied))

    def _key(self, identifier: PointId) -> Any:
        return uuid.UUID(str(identifier)) if self.keyed_by_uuid else identifier


Place = OwnTable | TableColumn


def vector_of(data: bytes | None) -> Vector | None:
    """The vector of stored bytes."""
    return None if data is None else np.frombuffer(data, dtype=BYTES).astype(np.float32)


def chunks(ids: Sequence[PointId]) -> list[Sequence[PointId]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]


def _key(identifier: PointId) -> tuple[bool, int, str]:
    return (False, identifier, "") if isinstance(identifier, int) else (True, 0, identifier)


def _plain(value: Any) -> Any:
    """A value of the application as JSON has it."""
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return None
    return value if isinstance(value, str | int | bool | dict | list) or value is None else str(value)
