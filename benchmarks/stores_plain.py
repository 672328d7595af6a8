"""The engines without this project's adapters, for comparison: their own clients, called as their manuals say."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import qdrant_edge as edge
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from console_core.vectorstore.types import REQUEST, Point

_NAME = "plain"


class Plain(Protocol):
    """`most`: how many points are written; comparing more would take too long."""

    most: int

    def __init__(self, folder: Path, dimension: int) -> None: ...
    def write(self, batch: Sequence[Point]) -> None: ...
    def search(self, query: NDArray[np.float32]) -> list[Any]: ...
    def scroll(self) -> int: ...
    def count(self) -> int: ...
    def close(self) -> None: ...


class PlainLocal:
    """qdrant-client's embedded mode, as it is out of the box: four disk flushes a point."""

    most = 2_000

    def __init__(self, folder: Path, dimension: int) -> None:
        warnings.simplefilter("ignore", UserWarning)
        self._client = QdrantClient(path=str(folder))
        vectors = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        self._client.create_collection(_NAME, vectors_config=vectors)

    def write(self, batch: Sequence[Point]) -> None:
        points = [
            models.PointStruct(id=point.id, vector=_row(point).tolist(), payload=dict(point.payload)) for point in batch
        ]
        self._client.upsert(_NAME, points)

    def search(self, query: NDArray[np.float32]) -> list[Any]:
        return [hit.id for hit in self._client.query_points(_NAME, query=query.tolist(), limit=10).points]

    def scroll(self) -> int:
        number, offset = 0, None
        while True:
            found, offset = self._client.scroll(_NAME, limit=REQUEST, offset=offset, with_vectors=True)
            number += len(found)
            if offset is None:
                return number

    def count(self) -> int:
        return self._client.count(_NAME, exact=True).count

    def close(self) -> None:
        self._client.close()


class PlainEdge:
    """qdrant-edge-py in this very process."""

    most = sys.maxsize

    def __init__(self, folder: Path, dimension: int) -> None:
        folder.mkdir()
        vectors = edge.EdgeVectorParams(size=dimension, distance=edge.Distance.Cosine)
        self._shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=vectors))

    def write(self, batch: Sequence[Point]) -> None:
        points = [edge.Point(point.id, _row(point), dict(point.payload)) for point in batch]
        self._shard.update(edge.UpdateOperation.upsert_points(points))

    def search(self, query: NDArray[np.float32]) -> list[Any]:
        row: Any = query
        request = edge.QueryRequest(query=edge.Query.Nearest(row), limit=10, with_payload=True)
        return [hit.id for hit in self._shard.query(request)]

    def scroll(self) -> int:
        number, offset = 0, None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=REQUEST, with_payload=True, with_vector=True)
            found, offset = self._shard.scroll(request)
            number += len(found)
            if offset is None:
                return number

    def count(self) -> int:
        return int(self._shard.count(edge.CountRequest(exact=True)))

    def close(self) -> None:
        self._shard.close()


PLAIN: Mapping[str, type[Plain]] = {"local": PlainLocal, "edge": PlainEdge}


def _row(point: Point) -> Any:
    assert point.vector is not None
    return point.vector
