"""Collections and their aliases in PostgreSQL: a table for each collection, a view for each alias."""

from collections.abc import Sequence

from psycopg import sql

from console_core.errors import AliasConflict, CollectionExists, CollectionNotFound, StoreError, StoreRefused
from console_core.settings import TableSettings
from console_core.vectorstore import pgvector_words as words
from console_core.vectorstore import refusals
from console_core.vectorstore.pgvector_access import column_refusal, refusal
from console_core.vectorstore.pgvector_built import index_on
from console_core.vectorstore.pgvector_indexes import PgvectorIndexes, statement, status
from console_core.vectorstore.pgvector_places import TableColumn
from console_core.vectorstore.pgvector_registry import PgvectorRegistry
from console_core.vectorstore.pgvector_server import Connection, PostgresServer
from console_core.vectorstore.pgvector_switch import announce, switch
from console_core.vectorstore.pgvector_words import Kept
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.switching import Switching
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Outline, StoreInfo

SAMPLE = 64
"""Points that the payload fields of a collection are read from."""

OPEN_LENGTH = "Its column does not say how many numbers a vector has, and has none yet."

LIMITS = (
    f"An index (HNSW) reaches {words.INDEXED:,} numbers a vector; up to {words.HALF_INDEXED:,} it is built over "
    "half-precision copies, and what it finds is ranked again in full precision. Beyond that every search compares "
    "all vectors. Vectors themselves are kept in full precision.",
    'It does not quantize but for quantization "float16", an index over half-precision copies; other settings are only '
    "noted.",
    f"Names over {words.LONGEST_NAME} bytes are shortened where they name a table or a view.",
    "It has no snapshots; use pg_dump, or the console's own backups.",
)

_TABLE = """
CREATE TABLE {table} (
    is_uuid boolean NOT NULL, number bigint NOT NULL, uuid uuid NOT NULL,
    vector vector({dimension}), payload jsonb NOT NULL,
    CONSTRAINT {key} PRIMARY KEY (is_uuid, number, uuid)
)
"""
_VIEW = """
CREATE OR REPLACE VIEW {view} AS
SELECT CASE WHEN is_uuid THEN uuid::text ELSE number::text END AS id, is_uuid, number, uuid,
       vector::vector AS vector, payload
FROM {points} AS points
"""
"""`vector::vector` leaves the length open: so a view can be given another model's table in place, and keeps its grants
and whatever is built on it. An index over the table is used all the same."""


class PgvectorCollections(PgvectorIndexes):
    """The part of a `VectorStore` that is about collections and aliases."""

    def __init__(
        self, server: PostgresServer, traffic: Traffic | None = None, tables: Sequence[TableSettings] = ()
    ) -> None:
        self._server = server
        self._registry = PgvectorRegistry(server, tables)
        self._traffic = traffic or Traffic()

    def info(self) -> StoreInfo:
        problem, remedy = self._server.versions.problem
        return StoreInfo(
            "PostgreSQL with pgvector",
            self._server.location,
            self._server.versions.text,
            LIMITS,
            answered=self._server.answered,
            problem=problem,
            remedy=remedy,
            indexed_up_to=words.HALF_INDEXED,
            quantizations=(words.FLOAT16,),
        )

    def collections(self) -> list[CollectionInfo]:
        found = []
        for name in sorted(self._server.ask(self._names)):
            try:
                found.append(self.describe(name))
            except CollectionNotFound:  # dropped since it was listed
                continue
        return found

    def _names(self, connection: Connection) -> list[str]:
        self._server.learn_offer(connection)
        return self._registry.collections(connection)

    def describe(self, name: str) -> CollectionInfo:
        return self._server.ask(lambda connection: self._described(connection, name), name=name)

    def outline(self, name: str) -> Outline:
        kept = self._server.ask(lambda connection: self._registry.kept(connection, name), name=name)
        return Outline(kept.name, kept.dimension, kept.distance, kept.stamp)

    def _described(self, connection: Connection, name: str) -> CollectionInfo:
        kept = self._registry.kept(connection, name)
        place = kept.place
        built = index_on(connection, place)
        query = sql.SQL("SELECT payload FROM {} AS points ORDER BY {} LIMIT {}").format(
            place.points, place.order, SAMPLE
        )
        payloads = [row[0] for row in connection.execute(query)]
        serves = built is not None and built.valid and built.method == "hnsw"
        in_force = kept.hnsw if kept.deferred else built.settings if built and serves else {}
        return CollectionInfo(
            name=kept.name,
            dimension=kept.dimension,
            distance=kept.distance,
            points=self._counted(connection, kept),
            status=status(kept, built),
            stamp=kept.stamp,
            aliases=tuple(sorted(a for a, to in self._registry.aliases(connection).items() if to == kept.name)),
            index=in_force,
            quantization={"type": words.FLOAT16} if in_force and kept.halved else {},
            payload_fields=tuple(sorted({field for payload in payloads for field in application_payload(payload)})),
            vector_name=kept.vector_name,
            problem="" if kept.dimension else OPEN_LENGTH,
            index_deferred=kept.deferred,
            wished_index=kept.index,
            wished_quantization=kept.quantization,
        )

    def count(self, name: str) -> int:
        return self._server.ask(lambda asked: self._counted(asked, self._registry.kept(asked, name)), name=name)

    def _counted(self, connection: Connection, kept: Kept) -> int:
        query = sql.SQL("SELECT count(*) FROM {} AS points").format(kept.place.points)
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def create(self, name: str, spec: CollectionSpec) -> None:
        words.check(spec)

        def make(connection: Connection) -> None:
            self._registry.make(connection)
            self._registry.lock(connection)
            target = self._registry.aliases(connection).get(name)
            if target or name in self._registry.collections(connection):
                what = f'an alias of "{target}"' if target else "a collection already"
                raise CollectionExists(f'"{name}" is {what}.', "Choose another name; nothing was changed.")
            if (found := self._registry.columns.tables.of(name)) is not None:
                self._registry.columns.add(connection, *found, spec)
                return
            kept = self._registry.add(connection, name, words.relation(name), spec)
            table = sql.SQL(_TABLE).format(
                table=kept.place.table,
                dimension=sql.Literal(kept.dimension),
                key=sql.Identifier(f"{words.RESERVED}{kept.number}_key"),
            )
            connection.execute(table)
            if kept.indexable:
                connection.execute(statement(kept))

        self._server.ask(make, name=name, again=False)

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        def write(connection: Connection) -> None:
            self._registry.stamp(connection, self._registry.kept(connection, name), stamp)

        self._server.ask(write, name=name)

    def drop(self, name: str) -> None:
        def remove(connection: Connection) -> None:
            kept, aliases = self._locked(connection, name)
            pointing = sorted(alias for alias, target in aliases.items() if target == name)
            if pointing:
                raise refusals.searched_through(name, pointing)
            if isinstance(kept.place, TableColumn):
                self._registry.columns.drop(connection, kept)
                return
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(kept.place.table))
            self._registry.forget(connection, name)

        self._server.ask(remove, name=name)

    def aliases(self) -> dict[str, str]:
        return self._server.ask(self._registry.aliases)

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        def move(connection: Connection) -> None:
            kept, aliases = self._locked(connection, to)
            if alias in self._registry.collections(connection):
                raise refusals.bears_a_name(alias, "PostgreSQL")
            found = aliases.get(alias)
            if found != expected:
                raise refusals.not_expected(alias, found, expected)
            self._registry.make(connection)
            if (home := self._registry.columns.searched_by(connection, alias)) is not None:
                switch(connection, self._registry.columns, home, kept)
                return
            view = words.relation(alias)
            self._refuse_foreign(connection, view)
            self._registry.point(connection, alias, to)
            connection.execute(sql.SQL(_VIEW).format(view=self._server.named(view), points=kept.place.points))

        refusals.point(alias, to, lambda: self._server.ask(move, name=to, again=False), self.aliases)

    def switching(self, alias: str) -> Switching | None:
        def look(connection: Connection) -> Switching | None:
            home = self._registry.columns.searched_by(connection, alias)
            return announce(connection, self._registry.columns, home) if home else None

        return self._server.ask(look, name=alias)

    def _locked(self, connection: Connection, name: str) -> tuple[Kept, dict[str, str]]:
        """The collection of exactly this name and all aliases, which nobody changes until the transaction ends."""
        self._registry.lock(connection)
        aliases = self._registry.aliases(connection)
        if name in aliases:
            raise refusals.is_an_alias(name, aliases[name])
        return self._registry.kept(connection, name), aliases

    def _refuse_foreign(self, connection: Connection, view: str) -> None:
        """What is neither a collection's table nor an alias' view, and yet has its name."""
        row = connection.execute(
            "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND c.relkind <> 'v'",
            (self._server.schema, view),
        ).fetchone()
        if row is not None:
            raise AliasConflict(
                f'The schema {self._server.schema} has a table "{view}" that is not the console\'s.',
                "Choose another alias, or rename that table.",
            )

    def refuses_writes(self, name: str) -> StoreError | None:
        def look(connection: Connection) -> StoreError | None:
            there = name in self._registry.collections(connection)
            if (found := self._registry.columns.tables.of(name)) is not None:
                home = self._registry.columns.tables.look(connection, found[0])
                return column_refusal(connection, self._server, home.table, there)
            place = self._registry.kept(connection, name).place if there else None
            return refusal(connection, self._server, place.table if place else None)

        return self._server.ask(look, name=name)

    def refuses_spec(self, spec: CollectionSpec) -> StoreError | None:
        try:
            words.check(spec)
        except StoreRefused as error:
            return error
        return None

    def size_on_disk(self) -> int | None:
        """None: the disk is the server's."""
        return None

    def close(self) -> None:
        self._server.close()
