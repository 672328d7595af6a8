"""The HNSW index of a collection in PostgreSQL: built, left out during a load, and what of it is in force."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from console_core.errors import StoreUnavailable
from console_core.vectorstore.pgvector_registry import PgvectorRegistry
from console_core.vectorstore.pgvector_server import Connection, PostgresServer, wait_for
from console_core.vectorstore.pgvector_words import Kept

POLL = 0.5
"""Seconds between two looks whether another process has built an index."""
_OURS = 0x656D6263
"""The first number of our advisory locks, so that they are not those of an application."""


@dataclass(frozen=True, slots=True)
class Built:
    """An index as PostgreSQL has it. `valid` is False while it is built, and after a build that was broken off."""

    settings: dict[str, int]
    valid: bool


def index_of(connection: Connection, schema: str, kept: Kept) -> Built | None:
    """The index of a collection; None where there is none."""
    row = connection.execute(
        "SELECT coalesce(c.reloptions, '{}'), i.indisvalid FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid "
        "WHERE n.nspname = %s AND c.relname = %s",
        (schema, kept.index_name),
    ).fetchone()
    if row is None:
        return None
    options = dict(option.split("=", 1) for option in row[0])
    names = {"m": "m", "ef_construction": "ef_construct"}
    return Built({names[name]: int(value) for name, value in options.items() if name in names}, row[1])


def statement(server: PostgresServer, kept: Kept, *, concurrently: bool = False) -> sql.Composed:
    """What builds the index."""
    half = sql.SQL("(vector::halfvec({}))").format(sql.Literal(kept.dimension))
    return sql.SQL(
        "CREATE INDEX {how} {name} ON {table} USING hnsw ({column} {operators}) WITH (m = {m}, ef_construction = {ef})"
    ).format(
        how=sql.SQL("CONCURRENTLY" if concurrently else ""),
        name=sql.Identifier(kept.index_name),
        table=server.named(kept.relation),
        column=half if kept.half else sql.Identifier("vector"),
        operators=sql.SQL(kept.operator_class),
        m=sql.Literal(kept.hnsw["m"]),
        ef=sql.Literal(kept.hnsw["ef_construct"]),
    )


def status(kept: Kept, built: Built | None) -> str:
    """The state of the index in the words of `CollectionInfo`."""
    if not kept.indexable or (built and built.valid):
        return "green"
    return "yellow" if built else "grey"


class PgvectorIndexes:
    """Leaving out an index during a load, and building it afterwards without keeping anybody from the table."""

    _server: PostgresServer
    _registry: PgvectorRegistry

    def defer_index(self, name: str) -> None:
        def defer(connection: Connection) -> None:
            self._registry.lock(connection)
            kept = self._registry.kept(connection, name)
            served = kept.name in self._registry.aliases(connection).values()
            if kept.deferred or served or not kept.indexable:
                return
            index = self._server.named(kept.index_name)
            connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(index))
            self._registry.defer(connection, kept.name, deferred=True)

        self._server.ask(defer, name=name)

    def restore_index(self, name: str) -> None:
        def look(connection: Connection) -> tuple[Kept, Built | None]:
            kept = self._registry.kept(connection, name)
            return kept, index_of(connection, self._server.schema, kept)

        kept, built = self._server.ask(look, name=name)
        if kept.indexable and not (built and built.valid):
            self._build(kept)
        if kept.deferred:
            self._server.ask(lambda connection: self._registry.defer(connection, kept.name, deferred=False), name=name)

    def _build(self, kept: Kept) -> None:
        """Build the index, after any other process that is at it: a console that died leaves the server building."""
        index = self._server.named(kept.index_name)
        with self._server.alone(kept.name) as connection:
            # Asked again and again, and not waited for: a build waits for whoever waits inside a statement.
            wait_for(lambda: _locked(connection, kept), POLL)
            built = index_of(connection, self._server.schema, kept)
            if built and not built.valid:
                connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
            if not (built and built.valid):
                connection.execute(_memory(self._server, kept))
                create = statement(self._server, kept, concurrently=True)
                try:
                    connection.execute(create)
                except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory):
                    # Workers share memory, of which a container may have next to none: once more without them.
                    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
                    connection.execute("SET max_parallel_maintenance_workers = 0")
                    connection.execute("RESET maintenance_work_mem")
                    connection.execute(create)
            built = index_of(connection, self._server.schema, kept)
            if not (built and built.valid):
                raise StoreUnavailable(f'The index of "{kept.name}" was not built.', "Look into the server's log.")
            connection.execute(sql.SQL("ANALYZE {}").format(self._server.named(kept.relation)))


def _locked(connection: Connection, kept: Kept) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_OURS, kept.relation)).fetchone()
    return row is not None and bool(row[0])


def _memory(server: PostgresServer, kept: Kept) -> sql.Composed:
    """As much memory for the build as the graph needs, within what the server has set aside for its buffers.

    A graph that does not fit is built far slower.
    """
    return sql.SQL(
        "SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')), "
        "least(pg_size_bytes(current_setting('shared_buffers')), 1.5 * pg_table_size({}::regclass)))::bigint / 1024 "
        "|| 'kB', false)"
    ).format(sql.Literal(sql.Identifier(server.schema, kept.relation).as_string()))
