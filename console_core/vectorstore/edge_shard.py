"""One collection in the edge engine: its points written, read and searched. For one thread; no call lets others run."""

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray

from console_core.vectorstore.edge_words import filter_for, search_params, shard_config
from console_core.vectorstore.types import CollectionSpec, Payload, PointId
from console_core.vectorstore.ways import Search

FLUSH_BYTES = 64_000_000
"""Of vectors, after which files are written out, so that the log stays short and opening again quick."""

Rows = tuple[list[PointId], NDArray[np.float32] | None, list[bool], list[Payload]]
"""Ids, one vector for each (zeros where a point has none), whether each has one, and payloads."""


class Shard:
    """A folder of the engine, open."""

    def __init__(self, folder: Path, spec: CollectionSpec, *, new: bool = False) -> None:
        """Open the shard, or make it.

        Raises:
            Exception: the engine cannot; it has no exceptions of its own.
        """
        self.folder, self.spec = folder, spec
        config = shard_config(spec)
        self._shard = edge.EdgeShard.create(str(folder), config) if new else edge.EdgeShard.load(str(folder))
        self._unflushed = 0
        self._counted: int | None = None
        self._at_most: int | None = None

    def upsert(self, ids: Sequence[PointId], vectors: NDArray[np.float32] | None, payloads: Sequence[Payload]) -> None:
        """Write points, which the engine's log has when this returns; without `vectors` they have none."""
        name = self.spec.vector_name
        rows: Sequence[Any] = [{}] * len(ids) if vectors is None else list(vectors)
        if name and vectors is not None:
            rows = [{name: row} for row in rows]
        points = [edge.Point(key, row, dict(load)) for key, row, load in zip(ids, rows, payloads, strict=True)]
        self._at_most = self.at_most() + len(ids)
        self._change(edge.UpdateOperation.upsert_points(points), len(ids))

    def delete(self, ids: Sequence[PointId]) -> None:
        self._change(edge.UpdateOperation.delete_points(list(ids)), len(ids))

    def _change(self, operation: edge.UpdateOperation, points: int) -> None:
        self._counted = None
        self._unflushed += points * (4 * self.spec.dimension + 200)
        self._shard.update(operation)
        if self._unflushed >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write everything out, also against a power cut; the log ends behind it."""
        if self._unflushed:
            self._shard.flush()
            self._unflushed = 0

    def retrieve(self, ids: Sequence[PointId], vectors: bool) -> Rows:
        """Those of the points that exist, in no order."""
        return self._rows(self._shard.retrieve(list(ids), True, vectors), vectors)

    def page(self, offset: PointId | None, limit: int, vectors: bool) -> tuple[Rows, bool]:
        """Points in id order from `offset` on, and whether there are more."""
        request = edge.ScrollRequest(offset=offset, limit=limit, with_payload=True, with_vector=vectors)
        records, following = self._shard.scroll(request)
        return self._rows(records, vectors), following is not None

    def count(self) -> int:
        """The exact number of points."""
        if self._counted is None:
            self._counted = self._at_most = int(self._shard.count(edge.CountRequest(exact=True)))
        return self._counted

    def at_most(self) -> int:
        """As many points or more than there are, without counting after every write."""
        if self._at_most is None:
            self._at_most = self.count()
        return self._at_most

    def search(
        self,
        vector: NDArray[np.float32],
        limit: int,
        where: Mapping[str, Sequence[Any]] | None,
        way: Search = Search.USUAL,
    ) -> list[tuple[PointId, float, Payload]]:
        """The nearest points with the engine's own scores, best first."""
        row: Any = vector
        request = edge.QueryRequest(
            query=edge.Query.Nearest(row, using=self.spec.vector_name or None),
            filter=filter_for(where),
            limit=limit,
            params=search_params(self.spec, way),
            with_payload=True,
        )
        return [(_id(hit.id), float(hit.score), hit.payload or {}) for hit in self._shard.query(request)]

    def indexed(self) -> int:
        """About how many vectors the index has."""
        return int(self._shard.info().indexed_vectors_count)

    def close(self) -> None:
        self._shard.close()

    def _rows(self, records: Sequence[edge.Record], vectors: bool) -> Rows:
        ids = [_id(record.id) for record in records]
        payloads: list[Payload] = [record.payload or {} for record in records]
        if not vectors:
            return ids, None, [False] * len(ids), payloads
        rows = np.zeros((len(ids), self.spec.dimension), dtype=np.float32)
        has = []
        for row, record in zip(rows, records, strict=True):
            stored: Any = record.vector
            if isinstance(stored, Mapping):
                stored = stored.get(self.spec.vector_name)
            has.append(stored is not None)
            if stored is not None:
                row[:] = stored
        return ids, rows, has, payloads


def _id(identifier: Any) -> PointId:
    return str(identifier) if isinstance(identifier, uuid.UUID) else identifier
