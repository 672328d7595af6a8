"""Vector columns of an application's tables as collections.

`table.column` is a collection; the name of the column that applications search, `table.embedding`, is an alias. While a
column is searched it bears that name and no other, and gets its own back when another takes its place.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from console_core.errors import CollectionExists
from console_core.settings import TableSettings
from console_core.vectorstore.pgvector_built import index_on
from console_core.vectorstore.pgvector_places import TableColumn
from console_core.vectorstore.pgvector_server import Connection, PostgresServer
from console_core.vectorstore.pgvector_tables import Attribute, Home, Tables, check_name, payload_column
from console_core.vectorstore.pgvector_words import Kept, relation
from console_core.vectorstore.types import CollectionSpec, ModelStamp

ALIASES, COLUMNS, SEARCHED = "console_aliases", "console_columns", "console_searched_columns"

_TABLES = """
CREATE TABLE IF NOT EXISTS {columns} (
    table_schema text, table_name text, name text, PRIMARY KEY (table_schema, table_name, name),
    number integer GENERATED ALWAYS AS IDENTITY, dimension integer NOT NULL, distance text NOT NULL,
    model text NOT NULL, fingerprint text NOT NULL, preprocess text NOT NULL, theirs boolean NOT NULL,
    index_deferred boolean NOT NULL, index jsonb NOT NULL, quantization jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS {searched} (
    table_schema text, table_name text, searched text, PRIMARY KEY (table_schema, table_name, searched),
    name text NOT NULL, moved_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE {aliases} DROP CONSTRAINT IF EXISTS console_aliases_collection_fkey;
"""
"""Aliases of the console's own may lead to columns too, which are no rows of its table of collections."""
_REGISTERED = """
SELECT name, number, dimension, distance, model, fingerprint, preprocess, theirs, index_deferred, index, quantization
FROM {columns} WHERE table_schema = %s AND table_name = %s
"""
_REGISTER = """
INSERT INTO {columns} (table_schema, table_name, name, dimension, distance, model, fingerprint, preprocess, theirs,
                       index_deferred, index, quantization)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (table_schema, table_name, name) DO UPDATE SET
    (dimension, distance, model, fingerprint, preprocess, theirs, index_deferred, index, quantization) =
    (excluded.dimension, excluded.distance, excluded.model, excluded.fingerprint, excluded.preprocess, excluded.theirs,
     excluded.index_deferred, excluded.index, excluded.quantization)
"""


class PgvectorColumns:
    """The collections of all tables of the settings, in transactions that the caller has opened."""

    def __init__(self, server: PostgresServer, settings: Sequence[TableSettings]) -> None:
        self._server = server
        self.tables = Tables(server, settings)
        self._names = {
            "columns": server.named(COLUMNS),
            "searched": server.named(SEARCHED),
            "aliases": server.named(ALIASES),
        }

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(**self._names)

    def _made(self, connection: Connection) -> bool:
        row = connection.execute(
            "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = ANY(%s)",
            (self._server.schema, [COLUMNS, SEARCHED]),
        ).fetchone()
        return row is not None and row[0] == 2

    def make(self, connection: Connection) -> None:
        """Make the tables that remember which column is what; the schema must be there."""
        if not self._made(connection):
            connection.execute(self._sql(_TABLES))

    def collections(self, connection: Connection) -> list[str]:
        return [kept.name for home in self._homes(connection) for kept in self.within(connection, home)]

    def aliases(self, connection: Connection) -> dict[str, str]:
        return {
            alias_of(home): next(kept.name for kept in self.within(connection, home) if is_searched(home, kept))
            for home in self._homes(connection)
        }

    def _homes(self, connection: Connection) -> list[Home]:
        return [self.tables.look(connection, settings) for settings in self.tables.settings.values()]

    def kept(self, connection: Connection, name: str) -> Kept | None:
        """A collection by its name or its alias; None where the name is of neither."""
        found = self.tables.of(name)
        if found is None:
            return None
        home = self.tables.look(connection, found[0])
        columns = self.within(connection, home)
        if name == alias_of(home):
            return next(kept for kept in columns if is_searched(home, kept))
        return next((kept for kept in columns if kept.name == name), None)

    def within(self, connection: Connection, home: Home) -> list[Kept]:
        """The collections of a table."""
        place = home.schema, home.relation
        registered: dict[str, Sequence[Any]] = {}
        searched = ""
        if self._made(connection):
            registered = {row[0]: row[1:] for row in connection.execute(self._sql(_REGISTERED), place)}
            query = self._sql("SELECT name FROM {searched} WHERE (table_schema, table_name, searched) = (%s, %s, %s)")
            row = connection.execute(query, (*place, home.settings.vector)).fetchone()
            searched = row[0] if row else ""
        found = []
        for column in home.vectors:
            own = column.name
            if own == home.settings.vector:
                own = searched or _own_name(home, column, registered)
            found.append(self._kept(connection, home, column, own, registered.get(own)))
        return found

    def _kept(
        self, connection: Connection, home: Home, column: Attribute, own: str, registered: Sequence[Any] | None
    ) -> Kept:
        number, dimension, distance, model, fingerprint, preprocess, theirs, deferred, index, quantization = (
            registered or (0, 0, "", "", "", "", True, False, {}, {})
        )
        payload = payload_column(own)
        place = TableColumn(
            schema=home.schema,
            relation=home.relation,
            index=relation(f"{home.relation}_{own}_hnsw"),
            vector=column.name,
            payload=payload if payload in home.attributes else "",
            key=home.settings.key,
            key_kind=home.key_kind,
            shown=home.shown,
        )
        length = column.length if column.length > 0 else self._length(connection, place)
        if registered is None or dimension != length:  # somebody else made it, or made it anew under the same name
            fingerprint, theirs, deferred, index, quantization = "", True, False, {}, {}
            built = index_on(connection, place)
            distance = built.distance if built else home.settings.distance
        stamp = ModelStamp(model, fingerprint, preprocess) if fingerprint else None
        name = f"{home.settings.name}.{own}"
        return Kept(number, name, place, length, distance, "", stamp, deferred, index, quantization, theirs)

    def _length(self, connection: Connection, place: TableColumn) -> int:
        """Of the first vector, where the column leaves it open; 0 where there is none."""
        query = sql.SQL("SELECT vector_dims({0}) FROM {1} WHERE {0} IS NOT NULL LIMIT 1")
        row = connection.execute(query.format(sql.Identifier(place.vector), place.table)).fetchone()
        return int(row[0]) if row else 0

    def add(self, connection: Connection, settings: TableSettings, own: str, spec: CollectionSpec) -> Kept:
        """Add an empty column. Its index is deferred: it is built once the vectors are there.

        Raises:
            CollectionExists, StoreRefused
        """
        check_name(own)
        home = self.tables.look(connection, settings, "ACCESS EXCLUSIVE")
        payload = payload_column(own)
        before = self.within(connection, home)
        if own in home.attributes or payload in home.attributes or own in map(own_name, before):
            raise CollectionExists(
                f'The table {home.shown_name} has a column "{payload if payload in home.attributes else own}" already.',
                "Choose another name; nothing was changed.",
            )
        connection.execute(
            sql.SQL("ALTER TABLE {} ADD COLUMN {} vector({}), ADD COLUMN {} jsonb").format(
                home.table, sql.Identifier(own), sql.Literal(spec.dimension), sql.Identifier(payload)
            )
        )
        self.remember(connection, next(kept for kept in before if is_searched(home, kept)))
        self._register(connection, home, own, spec, theirs=False, deferred=True)
        kept = self.kept(connection, f"{settings.name}.{own}")
        assert kept is not None
        return kept

    def remember(self, connection: Connection, kept: Kept, stamp: ModelStamp | None = None) -> None:
        """Register a collection as it is, with another stamp where one is given."""
        home, own = self._at(connection, kept)
        spec = replace(_spec(kept), stamp=stamp or kept.stamp)
        self._register(connection, home, own, spec, theirs=kept.theirs, deferred=kept.deferred)
        if is_searched(home, kept):
            self._searched(connection, home, own)

    def defer(self, connection: Connection, kept: Kept, deferred: bool) -> None:
        home, own = self._at(connection, kept)
        connection.execute(
            self._sql("UPDATE {columns} SET index_deferred = %s WHERE (table_schema, table_name, name) = (%s, %s, %s)"),
            (deferred, home.schema, home.relation, own),
        )

    def with_payload(self, connection: Connection, kept: Kept) -> Kept:
        """A collection that payloads can be written to: the column for them is added where it is missing."""
        assert isinstance(kept.place, TableColumn)
        if kept.place.payload:
            return kept
        column = sql.Identifier(payload_column(own_name(kept)))
        connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN IF NOT EXISTS {} jsonb").format(kept.place.table, column))
        again = self.kept(connection, kept.name)
        assert again is not None
        return again

    def drop(self, connection: Connection, kept: Kept) -> None:
        """Delete a column that is not searched, with its payload."""
        home, own = self._at(connection, kept)
        gone = [name for name in (own, payload_column(own)) if name in home.attributes]
        dropped = sql.SQL(", ").join(sql.SQL("DROP COLUMN {}").format(sql.Identifier(name)) for name in gone)
        connection.execute(sql.SQL("ALTER TABLE {} {}").format(home.table, dropped))
        if self._made(connection):
            query = self._sql("DELETE FROM {columns} WHERE (table_schema, table_name, name) = (%s, %s, %s)")
            connection.execute(query, (home.schema, home.relation, own))

    @property
    def schema(self) -> str:
        """The schema of the console's own tables and views."""
        return self._server.schema

    def searched_by(self, connection: Connection, alias: str) -> Home | None:
        """The table whose searched column an alias is the name of."""
        found = self.tables.of(alias)
        if found is None or found[1] != found[0].vector:
            return None
        return self.tables.look(connection, found[0])

    def moved(self, connection: Connection, home: Home, before: Kept, after: Kept) -> None:
        """Record that another column is searched now; both were looked at before."""
        for kept in (before, after):
            self._register(connection, home, own_name(kept), _spec(kept), theirs=kept.theirs, deferred=kept.deferred)
        self._searched(connection, home, own_name(after))

    def _searched(self, connection: Connection, home: Home, own: str) -> None:
        """Record which column bears the name that applications search."""
        connection.execute(
            self._sql(
                "INSERT INTO {searched} (table_schema, table_name, searched, name) VALUES (%s, %s, %s, %s) ON CONFLICT "
                "(table_schema, table_name, searched) DO UPDATE SET name = excluded.name, moved_at = now()"
            ),
            (home.schema, home.relation, home.settings.vector, own),
        )

    def _register(
        self, connection: Connection, home: Home, own: str, spec: CollectionSpec, *, theirs: bool, deferred: bool
    ) -> None:
        stamp = spec.stamp or ModelStamp("", "")
        connection.execute(
            self._sql(_REGISTER),
            (
                *(home.schema, home.relation, own, spec.dimension, spec.distance),
                *(stamp.model, stamp.fingerprint, stamp.preprocess, theirs, deferred),
                *(Jsonb(dict(spec.index)), Jsonb(dict(spec.quantization))),
            ),
        )

    def _at(self, connection: Connection, kept: Kept) -> tuple[Home, str]:
        found = self.tables.of(kept.name)
        assert found is not None
        return self.tables.look(connection, found[0]), found[1]


def _spec(kept: Kept) -> CollectionSpec:
    return CollectionSpec(kept.dimension, kept.distance, kept.stamp, kept.index, kept.quantization)


def alias_of(home: Home) -> str:
    return f"{home.settings.name}.{home.settings.vector}"


def own_name(kept: Kept) -> str:
    """The name of a column while nobody searches it."""
    return kept.name.partition(".")[2]


def is_searched(home: Home, kept: Kept) -> bool:
    return kept.place.vector == home.settings.vector


def _own_name(home: Home, column: Attribute, registered: dict[str, Sequence[Any]]) -> str:
    """What the searched column is called once another takes its place, as long as that is written down nowhere."""
    length = f"_{column.length}" if column.length > 0 else "_former"
    own = f"{column.name}{length}"
    number = 1
    while own in home.attributes or own in registered:
        number += 1
        own = f"{column.name}{length}_{number}"
    check_name(own)
    return own
