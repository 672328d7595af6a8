"""Vectors as plain bytes in SQLite or PostgreSQL: tables of the console's own, and columns of an application's.

For applications that keep float32 vectors in a BLOB or bytea column. The database knows nothing of vectors, so every
search reads all of them.
"""

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, func, select

from console_core.errors import CollectionExists, StoreError, StoreRefused
from console_core.settings import StoreSettings
from console_core.vectorstore import refusals
from console_core.vectorstore.blob_database import BlobDatabase
from console_core.vectorstore.blob_places import BYTES, Row, chunks
from console_core.vectorstore.blob_registry import BlobRegistry, Kept
from console_core.vectorstore.blob_search import scored
from console_core.vectorstore.blob_switch import announce, switch
from console_core.vectorstore.paging import pages
from console_core.vectorstore.pgvector_words import check
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.switching import Switching
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import (
    REQUEST,
    CollectionInfo,
    CollectionSpec,
    Hit,
    ModelStamp,
    Outline,
    Point,
    PointId,
    StoreInfo,
    Vector,
)
from console_core.vectorstore.vectors import canonical, plain_vectors, unit_query, unit_vectors
from console_core.vectorstore.ways import Search

CAPACITY = 100_000
"""Points in a collection beyond which comparing all of them takes too long for a search."""
_SAMPLE = 64
_LIMITS = (
    "The database knows nothing of vectors: every search reads and compares all of them.",
    "It has no index and does not quantize; such settings are only noted.",
    "It has no snapshots.",
)


def blob_store(settings: StoreSettings, traffic: Traffic | None = None, *, dry: bool = False) -> "BlobStore":
    """The store behind an SQLAlchemy URL. Nothing is sent before the first call.

    Raises:
        SettingsError: the URL cannot be used, or a table's distance is none.
    """
    database = BlobDatabase(settings.url, password=settings.api_key, timeout=settings.timeout, dry=dry)
    return BlobStore(database, BlobRegistry(database.place, settings.tables), traffic)


class BlobStore:
    """A whole `VectorStore`. Safe to use from several threads."""

    def __init__(self, database: BlobDatabase, registry: BlobRegistry, traffic: Traffic | None = None) -> None:
        self._database = database
        self._registry = registry
        self._traffic = traffic or Traffic()

    def info(self) -> StoreInfo:
        return StoreInfo(
            f"{'SQLite' if self._database.is_sqlite else 'PostgreSQL'}, vectors as bytes",
            self._database.location,
            self._database.version(),
            _LIMITS,
            capacity=CAPACITY,
            indexed_up_to=0,
            answered=self._database.answered,
            outgrown="Move to a store that has an index: `embedding-console store move --to URL`.",
        )

    def collections(self) -> list[CollectionInfo]:
        with self._database.reading() as connection:
            found = sorted(self._registry.collections(connection), key=lambda kept: kept.name)
            aliases = self._registry.aliases(connection)
            return [self._described(connection, kept, aliases) for kept in found]

    def describe(self, name: str) -> CollectionInfo:
        with self._database.reading(name) as connection:
            kept = self._registry.kept(connection, name)
            return self._described(connection, kept, self._registry.aliases(connection))

    def outline(self, name: str) -> Outline:
        with self._database.reading(name) as connection:
            kept = self._registry.kept(connection, name)
        return Outline(kept.name, kept.dimension, kept.distance, kept.stamp)

    def _described(self, connection: Connection, kept: Kept, aliases: Mapping[str, str]) -> CollectionInfo:
        query = kept.place.select(vectors=False).order_by(*kept.place.order).limit(_SAMPLE)
        sample = [kept.place.point(row, vectors=False).payload for row in connection.execute(query)]
        return CollectionInfo(
            name=kept.name,
            dimension=kept.dimension,
            distance=kept.distance,
            points=_count(connection, kept),
            status="green",
            stamp=kept.stamp,
            aliases=tuple(sorted(alias for alias, target in aliases.items() if target == kept.name)),
            index={},
            quantization={},
            payload_fields=tuple(sorted({name for payload in sample for name in application_payload(payload)})),
            vector_name=kept.vector_name,
            wished_index=kept.index,
            wished_quantization=kept.quantization,
            problem="" if kept.dimension else "Its column has no vector yet, so that nobody knows how long they are.",
        )

    def aliases(self) -> dict[str, str]:
        with self._database.reading() as connection:
            return self._registry.aliases(connection)

    def create(self, name: str, spec: CollectionSpec) -> None:
        check(spec)
        with self._database.writing(name) as connection:
            self._registry.make(connection)
            aliases = self._registry.aliases(connection)
            existing = {kept.name for kept in self._registry.collections(connection)}
            if name in aliases or name in existing or self._registry.taken(connection, name):
                what = f'an alias of "{aliases[name]}"' if name in aliases else "taken already"
                raise CollectionExists(f'"{name}" is {what}.', "Choose another name; nothing was changed.")
            self._registry.add(connection, name, spec)

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        with self._database.writing(name) as connection:
            self._registry.stamp(connection, self._registry.kept(connection, name), stamp)

    def drop(self, name: str) -> None:
        with self._database.writing(name) as connection:
            kept = self._named(connection, name)
            aliases = self._registry.aliases(connection)
            if pointing := sorted(alias for alias, target in aliases.items() if target == name):
                raise refusals.searched_through(name, pointing)
            self._registry.drop(connection, kept)

    def defer_index(self, name: str) -> None:
        self.count(name)

    def restore_index(self, name: str) -> None:
        self.count(name)

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        """All of the points or none of them, in one transaction."""
        if not points:
            return 0
        with self._database.writing(name) as connection:
            kept = self._registry.with_payload(connection, self._registry.kept(connection, name))
            bare = as_is and bool(kept.vector_name)
            whole = [point for point in points if not bare or point.vector is not None]
            vectors = (plain_vectors if as_is else unit_vectors)(whole, kept.dimension, kept.name)
            rows = iter(vectors.astype(BYTES))
            last: dict[PointId, Row] = {}
            for point in points:
                packed = None if bare and point.vector is None else next(rows).tobytes()
                identifier = canonical(point.id)
                last[identifier] = (identifier, packed, _json(point))
            kept.place.write(connection, list(last.values()))
        return len(points)

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        wanted = [canonical(identifier) for identifier in ids]
        with self._database.writing(name) as connection:
            self._registry.kept(connection, name).place.remove(connection, wanted)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        wanted = [canonical(identifier) for identifier in ids]
        with self._database.reading(name) as connection:
            kept = self._registry.kept(connection, name)
            found: dict[PointId, Point] = {}
            for some in chunks(wanted):
                query = kept.place.select(vectors=vectors).where(kept.place.among(some))
                points = (kept.place.point(row, vectors=vectors) for row in connection.execute(query))
                found.update((point.id, point) for point in points)
        return [found[identifier] for identifier in wanted if identifier in found]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = REQUEST, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        start = None if after is None else canonical(after)
        with self._database.reading(name) as connection:
            place = self._registry.kept(connection, name).place
            query = place.select(vectors=vectors).order_by(*place.order).limit(limit + 1)
            if start is not None:
                query = query.where(place.behind(start))
            found = [place.point(row, vectors=vectors) for row in connection.execute(query)]
        page = found[:limit]
        return page, page[-1].id if page and len(found) > limit else None

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = REQUEST) -> Iterator[Point]:
        return chain.from_iterable(pages(self, name, size=page_size, vectors=vectors))

    def count(self, name: str) -> int:
        with self._database.reading(name) as connection:
            return _count(connection, self._registry.kept(connection, name))

    def search(
        self,
        name: str,
        vector: Vector,
        *,
        limit: int = 10,
        where: Mapping[str, Sequence[Any]] | None = None,
        way: Search = Search.USUAL,
    ) -> list[Hit]:
        with self._traffic.search(), self._database.reading(name) as connection:
            kept = self._registry.kept(connection, name)
            query = unit_query(vector, kept.dimension, kept.name)
            if limit < 1 or (where and not all(where.values())):
                return []
            return heapq.nlargest(limit, scored(connection, kept, query, where), key=lambda hit: hit.score)

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        def move() -> None:
            with self._database.writing(to) as connection:
                kept = self._named(connection, to)
                aliases = self._registry.aliases(connection)
                if alias in {one.name for one in self._registry.collections(connection)}:
                    raise refusals.bears_a_name(alias, "The console")
                if aliases.get(alias) != expected:
                    raise refusals.not_expected(alias, aliases.get(alias), expected)
                self._registry.make(connection)
                found = self._registry.home(connection, alias)
                if found is not None and found[0].alias == alias:
                    former = self._registry.kept(connection, alias)
                    switch(connection, found[0], former, kept)
                    self._registry.remember(connection, former)
                self._registry.point(connection, alias, to)

        refusals.point(alias, to, move, self.aliases)

    def switching(self, alias: str) -> Switching | None:
        """See `switching.AnnouncesSwitch`."""
        with self._database.reading(alias) as connection:
            found = self._registry.home(connection, alias)
            return announce(connection, found[0]) if found is not None and found[0].alias == alias else None

    def refuses_writes(self, name: str) -> StoreError | None:
        return self._database.refusal()

    def refuses_spec(self, spec: CollectionSpec) -> StoreError | None:
        try:
            check(spec)
        except StoreRefused as error:
            return error
        return None

    def size_on_disk(self) -> int | None:
        return self._database.size()

    def close(self) -> None:
        self._database.close()

    def _named(self, connection: Connection, name: str) -> Kept:
        """The collection of exactly this name."""
        kept = self._registry.kept(connection, name)
        if kept.name != name:
            raise refusals.is_an_alias(name, kept.name)
        return kept


def _count(connection: Connection, kept: Kept) -> int:
    points = kept.place.select(vectors=False).subquery()
    return int(connection.execute(select(func.count()).select_from(points)).scalar_one())


def _json(point: Point) -> str:
    try:
        return json.dumps(dict(point.payload), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StoreRefused(
            f"The payload of point {point.id} cannot be stored: {error}.",
            "Payloads are JSON: text, finite numbers, true, false, null, lists and tables of those.",
        ) from error
