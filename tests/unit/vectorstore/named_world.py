"""An application's Qdrant collection with named vectors, and the console's store over it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from console_core.vectorstore.provenance import Provenance, application_payload
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId, VectorStore
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

OLD, NEW, SERVED = "images@clip", "images@siglip", "images@searched"
CLIP, SIGLIP = ModelStamp("demo-clip", "c11b", "fast"), ModelStamp("demo-siglip", "51911b", "exact")
COSINE, DOT = models.Distance.COSINE, models.Distance.DOT


@dataclass
class World:
    """A store, and the application beside it, which knows Qdrant's client and nothing of the console."""

    store: VectorStore
    app: QdrantClient
    server: LoopbackQdrant | None = None

    def whole(self, vector: str = "clip") -> list[tuple[Any, ...]]:
        """All points as the application has them, with one of their vectors to the last bit."""
        records, _ = self.app.scroll("images", limit=1000, with_vectors=True)
        return [
            (record.id, tuple(named(record).get(vector, ())), application_payload(record.payload or {}))
            for record in records
        ]

    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = (self.app.get_collection("images").config.metadata or {}).get("_console", {})
        return found

    def raw(self, identifier: PointId) -> tuple[set[str], set[str]]:
        """The names of a point's vectors and of its payload fields."""
        [record] = self.app.retrieve("images", [identifier], with_vectors=True)
        return set(named(record)), set(record.payload or {})

    def made(self, name: str = NEW, dimension: int = 4, **spec: Any) -> str:
        self.store.create(name, CollectionSpec(dimension, stamp=SIGLIP, **spec))
        return name


def named(record: models.Record) -> dict[str, Any]:
    assert isinstance(record.vector, dict)
    return record.vector


def written(identifiers: range, dimension: int = 4, fingerprint: str = "51911b") -> list[Point]:
    rows = np.random.default_rng(7).normal(size=(len(identifiers), dimension)).astype(np.float32)
    made = Provenance("", "1", "c0ffee", fingerprint, "r-1", "2026-11-01").as_payload()
    return [Point(i, row, {"title": f"picture {i}", **made}) for i, row in zip(identifiers, rows, strict=True)]


def ids(points: Iterable[Point]) -> list[PointId]:
    return [point.id for point in points]


def filled(world: World) -> World:
    """`images` of an application, with one named vector, which the console has filled and stamped."""
    vectors = {"clip": models.VectorParams(size=3, distance=COSINE)}
    world.app.create_collection("images", vectors_config=vectors)
    world.store.upsert("images", written(range(20), 3, CLIP.fingerprint))
    world.store.stamp("images", CLIP)
    world.app.set_payload("images", {"likes": 3}, list(range(10)))
    return world


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[World]:
    if kind == "embedded":
        store = QdrantEmbedded(folder)
        yield World(store, store._client)
        store.close()
    else:
        with LoopbackQdrant().running() as server:
            yield World(QdrantServer(server.url, retries=0), server.engine, server)
