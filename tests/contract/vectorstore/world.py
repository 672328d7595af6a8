"""A store to try the contract on, and the pictures' points that the tests write."""

import os
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId, VectorStore

URL = os.environ.get("QDRANT_URL", "")
DIMENSION = 8
STAMP = ModelStamp("demo-clip", "f00dfeed")


@dataclass
class World:
    """A store, how to open it anew, the searches that it counts, and collection names that nobody else uses.

    `home` is "" where collections are the store's own; those in an application's table have names that begin with it.
    """

    open: Callable[[], VectorStore]
    store: VectorStore
    traffic: Traffic
    prefix: str = field(default_factory=lambda: f"contract-{uuid.uuid4().hex[:12]}")
    home: str = ""

    def name(self, label: str = "images") -> str:
        return f"{self.home}{self.prefix}-{label}"

    def made(self, label: str = "images", count: int = 0, **spec: Any) -> str:
        name = self.name(label)
        self.store.create(name, CollectionSpec(**{"dimension": DIMENSION, **spec}))
        if count:
            self.store.upsert(name, points(count))
        return name

    def reopened(self) -> VectorStore:
        self.store.close()
        self.store = self.open()
        return self.store


def vectors(count: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)


def points(count: int, first: int = 0, **payload: Any) -> list[Point]:
    rows = vectors(count, seed=first + 1)
    return [Point(first + i, rows[i], {"caption": f"picture {first + i}", **payload}) for i in range(count)]


def ids(found: Iterable[Point]) -> list[PointId]:
    return [point.id for point in found]


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), dtype=np.float32)
