"""Where the points of a collection are in PostgreSQL: in a table of the console's own, or in an application's."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from psycopg import sql

from console_core.vectorstore.pgvector_rows import NO_UUID, key_of
from console_core.vectorstore.types import PointId

KeyKind = Literal["number", "uuid"]


class Place(Protocol):
    """What statements about the points of a collection are made of.

    `points` are what can stand behind FROM: rows of `pgvector_rows.COLUMNS`. `vector` is the column that an index is
    over, and `index` the name of the index that the console makes there.
    """

    @property
    def schema(self) -> str: ...

    @property
    def index(self) -> str: ...

    @property
    def table(self) -> sql.Identifier: ...

    @property
    def points(self) -> sql.Composable: ...

    @property
    def vector(self) -> str: ...

    @property
    def order(self) -> sql.Composable:
        """The columns of `points` that order them by id."""
        ...

    def behind(self, after: PointId) -> tuple[sql.Composable, Sequence[Any]]:
        """The condition that a point comes after an id in that order, and its parameters."""
        ...

    def merge(self, stage: sql.Composable) -> sql.Composed:
        """The statement that writes staged rows, replacing points with the same id."""
        ...

    def remove(self, wanted: sql.Composable) -> sql.Composed:
        """The statement that deletes the points whose ids are the rows of `wanted`."""
        ...


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table that the console made for one collection."""

    schema: str
    relation: str
    index: str

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.relation)

    @property
    def points(self) -> sql.Composable:
        return self.table

    @property
    def vector(self) -> str:
        return "vector"

    @property
    def order(self) -> sql.Composable:
        return sql.SQL("is_uuid, number, uuid")

    def behind(self, after: PointId) -> tuple[sql.Composable, Sequence[Any]]:
        return sql.SQL("(is_uuid, number, uuid) > (%s, %s, %s)"), key_of(after)

    def merge(self, stage: sql.Composable) -> sql.Composed:
        return sql.SQL(
            "INSERT INTO {} (is_uuid, number, uuid, vector, payload) "
            "SELECT is_uuid, number, uuid, vector, payload FROM {} "
            "ON CONFLICT (is_uuid, number, uuid) DO UPDATE SET vector = excluded.vector, payload = excluded.payload"
        ).format(self.table, stage)

    def remove(self, wanted: sql.Composable) -> sql.Composed:
        return sql.SQL(
            "DELETE FROM {} AS points USING {} "
            "WHERE (points.is_uuid, points.number, points.uuid) = (wanted.is_uuid, wanted.number, wanted.uuid)"
        ).format(self.table, wanted)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A vector column of an application's table. Its points are the rows that have a vector there.

    `payload` is the column beside it that the console keeps its points' payload in, "" where there is none yet. A
    vector that the console did not write has the row's `shown` columns as payload.
    """

    schema: str
    relation: str
    index: str
    vector: str
    payload: str
    key: str
    key_kind: KeyKind
    shown: tuple[str, ...]

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.relation)

    @property
    def points(self) -> sql.Composable:
        key = sql.Identifier(self.key)
        number, identifier = (key, _constant(NO_UUID)) if self.key_kind == "number" else (sql.SQL("0::bigint"), key)
        return sql.SQL(
            "(SELECT {is_uuid} AS is_uuid, {number} AS number, {uuid} AS uuid, {vector} AS vector, "
            "{payload} AS payload FROM {table} WHERE {vector} IS NOT NULL)"
        ).format(
            is_uuid=sql.SQL("false" if self.key_kind == "number" else "true"),
            number=number,
            uuid=identifier,
            vector=sql.Identifier(self.vector),
            payload=self._payload,
            table=self.table,
        )

    @property
    def order(self) -> sql.Composable:
        return sql.Identifier(self.key_kind)

    def behind(self, after: PointId) -> tuple[sql.Composable, Sequence[Any]]:
        is_uuid, number, identifier = key_of(after)
        if self.key_kind == "number":
            return (sql.SQL("false"), ()) if is_uuid else (sql.SQL("number > %s"), (number,))
        return (sql.SQL("uuid > %s"), (identifier,)) if is_uuid else (sql.SQL("true"), ())

    def merge(self, stage: sql.Composable) -> sql.Composed:
        return sql.SQL(
            "UPDATE {table} AS rows SET {vector} = staged.vector, {payload} = staged.payload "
            "FROM {stage} AS staged WHERE rows.{key} = staged.{kind} AND staged.is_uuid = {is_uuid}"
        ).format(stage=stage, payload=sql.Identifier(self.payload), **self._told)

    def lacking(self, stage: sql.Composable) -> sql.Composed:
        """A query for the first staged ids that are no row of the table, as text, and for how many there are."""
        return sql.SQL(
            "SELECT (array_agg(CASE WHEN staged.is_uuid THEN staged.uuid::text ELSE staged.number::text END "
            "ORDER BY staged.is_uuid, staged.number, staged.uuid))[:3], count(*) FROM {stage} AS staged WHERE NOT "
            "EXISTS (SELECT FROM {table} AS rows WHERE rows.{key} = staged.{kind} AND staged.is_uuid = {is_uuid})"
        ).format(stage=stage, **self._told)

    def remove(self, wanted: sql.Composable) -> sql.Composed:
        """The rows stay: they are the application's."""
        emptied = [sql.Identifier(column) for column in (self.vector, self.payload) if column]
        return sql.SQL(
            "UPDATE {table} AS rows SET {emptied} FROM {wanted} "
            "WHERE rows.{key} = wanted.{kind} AND wanted.is_uuid = {is_uuid} AND rows.{vector} IS NOT NULL"
        ).format(
            wanted=wanted,
            emptied=sql.SQL(", ").join(sql.SQL("{} = NULL").format(column) for column in emptied),
            **self._told,
        )

    @property
    def _told(self) -> dict[str, sql.Composable]:
        return {
            "table": self.table,
            "vector": sql.Identifier(self.vector),
            "key": sql.Identifier(self.key),
            "kind": sql.Identifier(self.key_kind),
            "is_uuid": sql.SQL("false" if self.key_kind == "number" else "true"),
        }

    @property
    def _payload(self) -> sql.Composable:
        row = sql.SQL(" || ").join(map(_object, _chunks(self.shown))) if self.shown else sql.SQL("'{}'::jsonb")
        return sql.SQL("coalesce({}, {})").format(sql.Identifier(self.payload), row) if self.payload else row


def _object(columns: Sequence[str]) -> sql.Composable:
    pairs = (sql.SQL("{}, {}").format(sql.Literal(column), sql.Identifier(column)) for column in columns)
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def _chunks(columns: Sequence[str], size: int = 45) -> list[Sequence[str]]:
    """A function of PostgreSQL takes 100 arguments."""
    return [columns[start : start + size] for start in range(0, len(columns), size)]


def _constant(identifier: uuid.UUID) -> sql.Composable:
    return sql.SQL("{}::uuid").format(sql.Literal(str(identifier)))
