"""The console's own tables in PostgreSQL: which collections there are, and where each alias leads."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from console_core.errors import StoreError
from console_core.settings import TableSettings
from console_core.vectorstore import refusals
from console_core.vectorstore.pgvector_columns import ALIASES, PgvectorColumns
from console_core.vectorstore.pgvector_places import OwnTable, TableColumn
from console_core.vectorstore.pgvector_server import Connection, PostgresServer
from console_core.vectorstore.pgvector_words import RESERVED, Kept
from console_core.vectorstore.types import CollectionSpec, ModelStamp

COLLECTIONS = "console_collections"

_TABLES = """
CREATE TABLE IF NOT EXISTS {collections} (
    name text PRIMARY KEY, number integer GENERATED ALWAYS AS IDENTITY UNIQUE, relation text NOT NULL UNIQUE,
    dimension integer NOT NULL, distance text NOT NULL, vector_name text NOT NULL,
    model text NOT NULL, fingerprint text NOT NULL, preprocess text NOT NULL,
    index_deferred boolean NOT NULL DEFAULT false,
    index jsonb NOT NULL, quantization jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS {aliases} (
    alias text PRIMARY KEY, collection text NOT NULL REFERENCES {collections} (name),
    moved_at timestamptz NOT NULL DEFAULT now()
);
"""
_COLUMNS = (
    "number, name, relation, dimension, distance, vector_name, model, fingerprint, preprocess, index_deferred, index, "
    "quantization"
)


class PgvectorRegistry:
    """The tables, in transactions that the caller has opened."""

    def __init__(self, server: PostgresServer, tables: Sequence[TableSettings] = ()) -> None:
        self._server = server
        self.columns = PgvectorColumns(server, tables)
        self._names = {"collections": server.named(COLLECTIONS), "aliases": server.named(ALIASES)}

    def _sql(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(**self._names)

    def made(self, connection: Connection) -> bool:
        """Whether the tables are there."""
        wanted = [f"{COLLECTIONS}", f"{ALIASES}"]
        row = connection.execute(
            "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = ANY(%s)",
            (self._server.schema, wanted),
        ).fetchone()
        return row is not None and row[0] == len(wanted)

    def make(self, connection: Connection) -> None:
        """Make the extension, the schema and the tables where they are not there yet."""
        if not self.made(connection):
            self._make(connection)
        if self.columns.tables.settings:
            self.columns.make(connection)

    def _make(self, connection: Connection) -> None:
        schema = self._server.schema
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('embedding-console', 0))")
        found = connection.execute(
            "SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname = ANY(%s)", (["public", schema],)
        )
        there = {row[0] for row in found}
        if schema not in there:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        if not self._server.versions.extension:
            shared = sql.Identifier("public" if "public" in there else schema)
            connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS vector SCHEMA {}").format(shared))
        connection.execute(self._sql(_TABLES))

    def lock(self, connection: Connection) -> None:
        """Keep others from changing what there is until the end of the transaction; they may read."""
        if self.made(connection):
            connection.execute(self._sql("LOCK TABLE {collections} IN SHARE ROW EXCLUSIVE MODE"))

    def collections(self, connection: Connection) -> list[str]:
        """The names of all collections, the application's columns among them."""
        query = self._sql("SELECT name FROM {collections}")
        own = [row[0] for row in connection.execute(query)] if self.made(connection) else []
        return own + self.columns.collections(connection)

    def aliases(self, connection: Connection) -> dict[str, str]:
        """Alias → collection; for the application's columns too."""
        return self._own_aliases(connection) | self.columns.aliases(connection)

    def _own_aliases(self, connection: Connection) -> dict[str, str]:
        query = self._sql("SELECT alias, collection FROM {aliases}")
        return dict(connection.execute(query).fetchall()) if self.made(connection) else {}

    def kept(self, connection: Connection, name: str) -> Kept:
        """A collection by its name or an alias.

        Raises:
            CollectionNotFound
        """
        if self.columns.tables.settings:
            target = self._own_aliases(connection).get(name, name)
            if (column := self.columns.kept(connection, target)) is not None:
                return column
        text = f"SELECT {_COLUMNS} FROM {{collections}} WHERE name = coalesce("
        query = self._sql(text + "(SELECT collection FROM {aliases} WHERE alias = %(name)s), %(name)s)")
        row = connection.execute(query, {"name": name}).fetchone()
        if row is None:
            raise self.missing(name)
        return _kept(self._server.schema, row)

    def missing(self, name: str) -> StoreError:
        return refusals.not_found(name, self._server.place)

    def add(self, connection: Connection, name: str, relation: str, spec: CollectionSpec) -> Kept:
        stamp = spec.stamp or ModelStamp("", "")
        connection.execute(
            self._sql(
                "INSERT INTO {collections} (name, relation, dimension, distance, vector_name, model, fingerprint, "
                "preprocess, index, quantization) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            ),
            (
                *(name, relation, spec.dimension, spec.distance, spec.vector_name, stamp.model, stamp.fingerprint),
                *(stamp.preprocess, Jsonb(dict(spec.index)), Jsonb(dict(spec.quantization))),
            ),
        )
        return self.kept(connection, name)

    def stamp(self, connection: Connection, kept: Kept, stamp: ModelStamp) -> None:
        if isinstance(kept.place, TableColumn):
            self.make(connection)
            self.columns.remember(connection, kept, stamp)
            return
        query = self._sql("UPDATE {collections} SET model = %s, fingerprint = %s, preprocess = %s WHERE name = %s")
        connection.execute(query, (stamp.model, stamp.fingerprint, stamp.preprocess, kept.name))

    def defer(self, connection: Connection, kept: Kept, deferred: bool) -> None:
        if isinstance(kept.place, TableColumn):
            self.columns.defer(connection, kept, deferred)
            return
        query = self._sql("UPDATE {collections} SET index_deferred = %s WHERE name = %s")
        connection.execute(query, (deferred, kept.name))

    def forget(self, connection: Connection, name: str) -> None:
        connection.execute(self._sql("DELETE FROM {collections} WHERE name = %s"), (name,))

    def point(self, connection: Connection, alias: str, to: str) -> None:
        connection.execute(
            self._sql(
                "INSERT INTO {aliases} (alias, collection) VALUES (%s, %s) "
                "ON CONFLICT (alias) DO UPDATE SET collection = excluded.collection, moved_at = now()"
            ),
            (alias, to),
        )


def _kept(schema: str, row: tuple[Any, ...]) -> Kept:
    number, name, relation, dimension, distance, vector_name, model, fingerprint, preprocess, *settings = row
    deferred, index, quantization = settings
    stamp = ModelStamp(model, fingerprint, preprocess) if fingerprint else None
    place = OwnTable(schema, relation, f"{RESERVED}{number}_hnsw")
    return Kept(number, name, place, dimension, distance, vector_name, stamp, deferred, index, quantization)
