"""Points in Qdrant, the same for the embedded store and a server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, cast

import numpy as np
from qdrant_client import models

from console_core.errors import StoreRefused, StoreUnavailable
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore.paging import pages
from console_core.vectorstore.qdrant_collections import QdrantCollections
from console_core.vectorstore.qdrant_filters import filter_for
from console_core.vectorstore.types import REQUEST, Hit, Point, PointId, Vector
from console_core.vectorstore.vectors import canonical, plain_vectors, successor, unit_query, unit_vectors
from console_core.vectorstore.ways import Search

BATCH = REQUEST


class QdrantStore(QdrantCollections):
    """A whole `VectorStore` over a `QdrantClient`, but for how a call is made."""

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        if not points:
            return 0
        shape = self._writable(name)
        bare = [point for point in points if as_is and shape.vector_name and point.vector is None]
        whole = [point for point in points if not bare or point.vector is not None]
        vectors = (plain_vectors if as_is else unit_vectors)(whole, shape.dimension, name)
        self._make_room(name, [canonical(point.id) for point in points])
        for start in range(0, len(whole), BATCH):
            part = slice(start, start + BATCH)
            rows = vectors[part].tolist()
            self._write(name, whole[part], {shape.vector_name: rows} if shape.vector_name else rows)
        for start in range(0, len(bare), BATCH):
            self._write(name, bare[start : start + BATCH], {})
        return len(points)

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        wanted = [canonical(identifier) for identifier in ids]
        for start in range(0, len(wanted), BATCH):
            some = models.PointIdsList(points=cast(list[models.ExtendedPointId], wanted[start : start + BATCH]))
            self._confirmed(partial(self._client.delete, name, some, wait=True), name, "deletion", len(some.points))

    def _writable(self, name: str) -> words.Shape:
        shape = self._shape(name)
        if shape.problem:
            raise StoreRefused(f'The console does not write to "{name}": {shape.problem}', "Choose another collection.")
        return shape

    def _make_room(self, name: str, ids: Sequence[PointId]) -> None:
        """Refuse points that the store has no room for; here there is always room."""
        return

    def _write(self, name: str, points: Sequence[Point], vectors: models.BatchVectorStruct) -> None:
        batch = models.Batch(
            ids=cast(list[models.ExtendedPointId], [canonical(point.id) for point in points]),
            vectors=vectors,
            payloads=[dict(point.payload) for point in points],
        )
        self._confirmed(partial(self._client.upsert, name, points=batch, wait=True), name, "writing", len(points))

    def _confirmed(self, change: Callable[[], models.UpdateResult], name: str, what: str, number: int) -> None:
        def made() -> None:
            if change().status != models.UpdateStatus.COMPLETED:
                raise StoreUnavailable(
                    f"{self._place} took the {what} of {number} points but did not confirm in time that it is durable.",
                    "It will be done again on resume, which does no harm; look at the server's load.",
                )

        self._ask(made, name=name)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        wanted = [canonical(identifier) for identifier in ids]
        found: dict[PointId, Point] = {}
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            read = partial(self._client.retrieve, name, some, with_payload=True, with_vectors=vectors)
            found.update((point.id, point) for point in map(point_of, self._ask(read, name=name)))
        return [found[identifier] for identifier in wanted if identifier in found]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = BATCH, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        # Qdrant's offset is the first id of the page itself, so the page starts at the next id that could exist.
        offset = None if after is None else successor(canonical(after))
        if after is not None and offset is None:
            return [], None
        records, following = self._ask(
            lambda: self._client.scroll(name, limit=limit, offset=offset, with_payload=True, with_vectors=vectors),
            name=name,
        )
        points = [point_of(record) for record in records]
        return points, points[-1].id if points and following is not None else None

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = BATCH) -> Iterator[Point]:
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
        return self._nearest(name, self._config(name), vector, limit, where, filter_for, way)

    def _params(self, way: Search, config: models.CollectionConfig, vector_name: str) -> models.SearchParams | None:
        """How the client is asked to search."""
        return words.search_params(way, quantized=bool(self._quantization(config, vector_name)))

    def _nearest(
        self,
        name: str,
        config: models.CollectionConfig,
        vector: Vector,
        limit: int,
        where: Mapping[str, Sequence[Any]] | None,
        wanted_by: Callable[[Mapping[str, Sequence[Any]] | None], models.Filter | None],
        way: Search,
    ) -> list[Hit]:
        """A search of the one vector that the configuration tells, with the payloads as they are stored."""
        shape = words.shape(config.params)
        query = unit_query(vector, shape.dimension, name).tolist()
        if limit < 1 or (where and not all(where.values())):
            return []
        wanted = wanted_by(where)
        params = self._params(way, config, shape.vector_name)
        with self._traffic.search():
            answer = self._ask(
                lambda: self._client.query_points(
                    name,
                    query=query,
                    using=shape.vector_name or None,
                    query_filter=wanted,
                    search_params=params,
                    limit=limit,
                    with_payload=True,
                ),
                name=name,
            )
        sign = -1.0 if shape.distance in words.NEARER_IS_LESS else 1.0
        return [Hit(_id(found.id), sign * found.score, found.payload or {}) for found in answer.points]


def _id(identifier: Any) -> PointId:
    return identifier if isinstance(identifier, int) else str(identifier)


def point_of(record: models.Record) -> Point:
    """A point as we have it; of several vectors that were read, the first."""
    stored: Any = record.vector
    if isinstance(stored, dict):  # the one named vector
        stored = next(iter(stored.values()), None)
    return Point(_id(record.id), None if stored is None else np.asarray(stored, dtype=np.float32), record.payload or {})
