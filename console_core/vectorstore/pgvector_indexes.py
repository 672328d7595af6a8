"""The HNSW index of a collection in PostgreSQL: built, left out during a load, and what of it is in force."""

import psycopg
from psycopg import sql

from console_core.errors import StoreUnavailable
from console_core.vectorstore.pgvector_built import Built, index_on
from console_core.vectorstore.pgvector_registry import PgvectorRegistry
from console_core.vectorstore.pgvector_server import Connection, PostgresServer, wait_for
from console_core.vectorstore.pgvector_words import Kept

POLL = 0.5
"""Seconds between two looks whether another process has built an index."""
_OURS = 0x656D6263
"""The first number of our advisory locks, so that they are not those of an application."""


def statement(kept: Kept, *, concurrently: bool = False) -> sql.Composed:
    """What builds the index."""
    vector = sql.Identifier(kept.place.vector)
    half = sql.SQL("({}::halfvec({}))").format(vector, sql.Literal(kept.dimension))
    return sql.SQL(
        "CREATE INDEX {how} {name} ON {table} USING hnsw ({column} {operators}) WITH (m = {m}, ef_construction = {ef})"
    ).format(
        how=sql.SQL("CONCURRENTLY" if concurrently else ""),
        name=sql.Identifier(kept.place.index),
        table=kept.place.table,
        column=half if kept.half else vector,
        operators=sql.SQL(kept.operator_class),
        m=sql.Literal(kept.hnsw["m"]),
        ef=sql.Literal(kept.hnsw["ef_construct"]),
    )


def status(kept: Kept, built: Built | None) -> str:
    """The state of the index in the words of `CollectionInfo`."""
    if not kept.indexable or kept.theirs or (built and built.valid):
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
            if kept.deferred or served or kept.theirs or not kept.indexable:
                return
            connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(_index(kept)))
            self._registry.defer(connection, kept, deferred=True)

        self._server.ask(defer, name=name)

    def restore_index(self, name: str) -> None:
        def look(connection: Connection) -> tuple[Kept, Built | None]:
            kept = self._registry.kept(connection, name)
            return kept, index_on(connection, kept.place)

        kept, built = self._server.ask(look, name=name)
        if kept.indexable and not kept.theirs and not (built and built.valid):
            self._build(kept)
        if kept.deferred:
            self._server.ask(lambda connection: self._registry.defer(connection, kept, deferred=False), name=name)

    def _build(self, kept: Kept) -> None:
        """Build the index, after any other process that is at it: a console that died leaves the server building."""
        index = _index(kept)
        with self._server.alone(kept.name) as connection:
            # Asked again and again, and not waited for: a build waits for whoever waits inside a statement.
            wait_for(lambda: _locked(connection, kept), POLL)
            built = index_on(connection, kept.place)
            if built and not built.valid:
                connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
            if not (built and built.valid):
                connection.execute(_memory(kept))
                create = statement(kept, concurrently=True)
                try:
                    connection.execute(create)
                except (psycopg.errors.DiskFull, psycopg.errors.OutOfMemory):
                    # Workers share memory, of which a container may have next to none: once more without them.
                    connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index))
                    connection.execute("SET max_parallel_maintenance_workers = 0")
                    connection.execute("RESET maintenance_work_mem")
                    connection.execute(create)
            built = index_on(connection, kept.place)
            if not (built and built.valid):
                raise StoreUnavailable(f'The index of "{kept.name}" was not built.', "Look into the server's log.")
            connection.execute(sql.SQL("ANALYZE {}").format(kept.place.table))


def _index(kept: Kept) -> sql.Identifier:
    """The index that the console makes, which stands beside its table."""
    return sql.Identifier(kept.place.schema, kept.place.index)


def _locked(connection: Connection, kept: Kept) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_OURS, kept.place.index)).fetchone()
    return row is not None and bool(row[0])


def _memory(kept: Kept) -> sql.Composed:
    """As much memory for the build as the graph needs, within what the server has set aside for its buffers.

    A graph that does not fit is built far slower.
    """
    return sql.SQL(
        "SELECT set_config('maintenance_work_mem', greatest(pg_size_bytes(current_setting('maintenance_work_mem')), "
        "least(pg_size_bytes(current_setting('shared_buffers')), 1.5 * pg_table_size({}::regclass)))::bigint / 1024 "
        "|| 'kB', false)"
    ).format(sql.Literal(kept.place.table.as_string()))
