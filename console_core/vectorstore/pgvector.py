"""Points in PostgreSQL with pgvector."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from psycopg import sql

from console_core.errors import StoreRefused
from console_core.settings import StoreSettings
from console_core.vectorstore import pgvector_rows as rows
from console_core.vectorstore.paging import pages
from console_core.vectorstore.pgvector_built import index_on
from console_core.vectorstore.pgvector_collections import PgvectorCollections
from console_core.vectorstore.pgvector_filters import filter_for
from console_core.vectorstore.pgvector_places import TableColumn
from console_core.vectorstore.pgvector_server import Connection, PostgresServer
from console_core.vectorstore.pgvector_tables import check
from console_core.vectorstore.pgvector_words import OPERATORS, Kept
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import REQUEST, Hit, Point, PointId, Vector
from console_core.vectorstore.vectors import canonical, plain_vectors, unit_query, unit_vectors
from console_core.vectorstore.ways import Search

EXACT_BELOW = 10_000_000
"""Bytes of a table up to which every vector is compared: that is fast enough, and exact."""
CANDIDATES = 100
"""Points that an index looks at for one search, at least (`hnsw.ef_search`); at most 1,000."""
AGAIN_IN_FULL = 4
"""Times as many points as asked for that a half-precision index finds, to be ranked again in full precision."""

_STAGE = sql.Identifier("pg_temp", "console_staged")
_STAGED = """
CREATE TEMP TABLE IF NOT EXISTS {stage}
    (is_uuid boolean, number bigint, uuid uuid, vector vector, payload jsonb) ON COMMIT DELETE ROWS
"""
_KEYS = "unnest(%s::boolean[], %s::bigint[], %s::uuid[]) AS wanted (is_uuid, number, uuid)"
_SAME = "(points.is_uuid, points.number, points.uuid) = (wanted.is_uuid, wanted.number, wanted.uuid)"


def pgvector_store(settings: StoreSettings, traffic: Traffic | None = None, *, dry: bool = False) -> "PgvectorStore":
    """The store behind a PostgreSQL URL. Nothing is sent before the first call.

    Raises:
        SettingsError: the URL cannot be understood.
    """
    server = PostgresServer(
        settings.url, password=settings.api_key, timeout=settings.timeout, retries=settings.retries, dry=dry
    )
    check(settings.tables)
    return PgvectorStore(server, traffic, settings.tables)


class PgvectorStore(PgvectorCollections):
    """A whole `VectorStore` over a schema of a PostgreSQL database."""

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        """All of the points or none of them, in one transaction."""
        if not points:
            return 0

        def write(connection: Connection) -> None:
            kept = self._registry.kept(connection, name)
            if isinstance(kept.place, TableColumn):
                kept = self._registry.columns.with_payload(connection, kept)
            bare = as_is and bool(kept.vector_name)
            whole = [point for point in points if not bare or point.vector is not None]
            vectors = (plain_vectors if as_is else unit_vectors)(whole, kept.dimension, kept.name)
            connection.execute(sql.SQL(_STAGED).format(stage=_STAGE))
            self._stage(connection, rows.staged(points, vectors, bare=bare))
            written = connection.execute(kept.place.merge(_STAGE)).rowcount
            if isinstance(kept.place, TableColumn):
                _refuse_rowless(connection, kept.place, written, len({canonical(point.id) for point in points}))

        self._server.ask(write, name=name)
        return len(points)

    @staticmethod
    def _stage(connection: Connection, staged: Iterator[tuple[Any, ...]]) -> None:
        query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(_STAGE, _columns(rows.COLUMNS))
        with connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(rows.TYPES)
            for row in staged:
                copy.write_row(row)

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        wanted = rows.arrays(canonical(identifier) for identifier in ids)
        if not wanted[0]:
            return

        def remove(connection: Connection) -> None:
            place = self._registry.kept(connection, name).place
            connection.execute(place.remove(sql.SQL(_KEYS)), wanted)

        self._server.ask(remove, name=name)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        wanted = [canonical(identifier) for identifier in ids]
        if not wanted:
            return []

        def read(connection: Connection) -> list[Point]:
            source = self._registry.kept(connection, name).place.points
            query = sql.SQL(f"SELECT {{}} FROM {{}} AS points JOIN {_KEYS} ON {_SAME}")
            return _read(connection, query.format(_columns(_of(vectors), "points"), source), rows.arrays(wanted))

        found = {point.id: point for point in self._server.ask(read, name=name)}
        return [found[identifier] for identifier in wanted if identifier in found]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = REQUEST, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        start = None if after is None else canonical(after)

        def read(connection: Connection) -> list[Point]:
            place = self._registry.kept(connection, name).place
            condition, parameters = (sql.SQL("true"), ()) if start is None else place.behind(start)
            query = sql.SQL("SELECT {} FROM {} AS points WHERE {} ORDER BY {} LIMIT {}").format(
                _columns(_of(vectors)), place.points, condition, place.order, limit + 1
            )
            return _read(connection, query, parameters)

        found = self._server.ask(read, name=name)
        page = found[:limit]
        return page, page[-1].id if page and len(found) > limit else None

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = REQUEST) -> Iterator[Point]:
        return chain.from_iterable(pages(self, name, size=page_size, vectors=vectors))

    def search(
        self,
        name: str,
        vector: Vector,
        *,
        limit: int = 10,
        where: Mapping[str, Sequence[Any]] | None = None,
        way: Search = Search.USUAL,
    ) -> list[Hit]:
        def look(connection: Connection) -> list[Hit]:
            kept = self._registry.kept(connection, name)
            query = rows.vector_text(unit_query(vector, kept.dimension, kept.name))
            if limit < 1 or (where and not all(where.values())):
                return []
            exact = way is Search.EXACT or (way is Search.UNQUANTIZED and kept.half)
            approximate = not exact and self._index_serves(connection, kept, limit, filtered=bool(where))
            again = way is not Search.WITHOUT_RESCORING
            found = self._nearest(connection, kept, query, limit, where, approximate=approximate, again=again)
            if approximate and len(found) < limit:  # an index gives up where a filter lets few points through
                found = self._nearest(connection, kept, query, limit, where, approximate=False)
            return found

        with self._traffic.search():
            return self._server.ask(look, name=name)

    def _index_serves(self, connection: Connection, kept: Kept, limit: int, *, filtered: bool) -> bool:
        if kept.deferred or limit > 1000 or (filtered and not self._server.versions.iterates):
            return False
        built = index_on(connection, kept.place)
        if not (built and built.valid and built.method == "hnsw" and built.distance == kept.distance):
            return False
        table = kept.place.table.as_string()
        row = connection.execute("SELECT pg_table_size(%s::regclass)", (table,)).fetchone()
        return row is not None and row[0] > EXACT_BELOW

    def _plan(self, connection: Connection, approximate: bool, candidates: int) -> None:
        """Have the next query use the index, or compare every vector."""
        through_index, otherwise = ("on", "off") if approximate else ("off", "on")
        settings = {"enable_indexscan": through_index, "enable_seqscan": otherwise, "jit": "off"}
        if approximate:
            settings["hnsw.ef_search"] = str(candidates)
            if self._server.versions.iterates:
                settings["hnsw.iterative_scan"] = "strict_order"
        names, values = list(settings), list(settings.values())
        connection.execute(
            "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS s (name, value)",
            (names, values),
        )

    def _nearest(
        self,
        connection: Connection,
        kept: Kept,
        query: str,
        limit: int,
        where: Mapping[str, Sequence[Any]] | None,
        *,
        approximate: bool,
        again: bool = True,
    ) -> list[Hit]:
        """`again`: what an index over rounded vectors finds is ranked anew by the whole ones."""
        wanted = AGAIN_IN_FULL * limit if kept.half else 2 * limit
        candidates = max(min(wanted, 1000), CANDIDATES)
        self._plan(connection, approximate, candidates)
        condition, parameters = filter_for(where)
        operator = sql.SQL(OPERATORS[kept.distance])
        points: sql.Composable = sql.SQL("SELECT * FROM {} AS points WHERE {}").format(kept.place.points, condition)
        kind: sql.Composable = sql.SQL("vector")
        if approximate and kept.half:
            half = sql.SQL("halfvec({})").format(sql.Literal(kept.dimension))
            kind = kind if again else half
            points = sql.SQL("{} ORDER BY vector::{} {} %s::{} LIMIT {}").format(
                points, half, operator, half, min(wanted, 1000)
            )
            parameters.append(query)
        statement = sql.SQL(
            "SELECT is_uuid, number, uuid, payload, vector::{kind} {} %s::{kind} AS distance FROM ({}) AS points "
            "ORDER BY distance LIMIT {}"
        ).format(operator, points, limit, kind=kind)
        with connection.cursor(binary=True) as cursor:
            found = cursor.execute(statement, [query, *parameters]).fetchall()
        return [Hit(rows.id_of(*row[:3]), _score(kept.distance, row[4]), row[3]) for row in found]


def _refuse_rowless(connection: Connection, place: TableColumn, written: int, wanted: int) -> None:
    """An application's rows are its own: none is made for a point."""
    if written == wanted:
        return
    row = connection.execute(place.lacking(_STAGE)).fetchone()
    first, number = row or ([], 0)
    raise StoreRefused(
        f"{number:,} of the points are no rows of {place.schema}.{place.relation}, such as {', '.join(first or ())}.",
        "Only rows that exist can be given a vector; the catalog must list rows of this table by their key.",
    )


def _score(distance: str, found: float) -> float:
    """The higher, the nearer. A vector without a direction has the cosine 0 to everything."""
    if np.isnan(found):
        return 0.0
    return 1.0 - found if distance == "cosine" else -found


def _of(vectors: bool) -> tuple[str, ...]:
    return rows.COLUMNS if vectors else tuple(column for column in rows.COLUMNS if column != "vector")


def _columns(names: Sequence[str], table: str = "") -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(*((table, name) if table else (name,))) for name in names)


def _read(connection: Connection, query: sql.Composed, parameters: Sequence[Any]) -> list[Point]:
    with connection.cursor(binary=True) as cursor:
        return [rows.point_of(row) for row in cursor.execute(query, parameters)]
