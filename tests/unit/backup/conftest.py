"""A small world of real parts: an embedded store with collections of every kind, and a folder for backups."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.backup.backups import Backups
from console_core.backup.operation import BackUp
from console_core.backup.proving import Prove
from console_core.backup.restoring import Restore
from console_core.runs.types import Counts, Operation, Progress
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore

DIMENSION = 8
STAMP = ModelStamp("demo-clip", "f00dfeedf00dfeed")
PART_BYTES = 4_000
"""So small that a few hundred points make several parts."""


def vectors(count: int, seed: int = 1, dimension: int = DIMENSION) -> Any:
    return np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)


def points(count: int) -> list[Point]:
    """With integers and UUIDs as ids, and payloads as applications write them."""
    rows = vectors(count)
    ids = [n if n % 3 else str(uuid.UUID(int=n * 2**100 + n)) for n in range(count)]
    return [
        Point(ids[n], rows[n], {"caption": f"Übung {n} 日本", "tags": [n, None, {"deep": 1.5}], "big": 2**60 + n})
        for n in range(count)
    ]


@dataclass
class World:
    store: VectorStore
    backups: Backups

    def made(self, name: str = "images", count: int = 300, **spec: Any) -> str:
        self.store.create(name, CollectionSpec(**{"dimension": DIMENSION, "stamp": STAMP, **spec}))
        if count:
            self.store.upsert(name, points(count), as_is=True)
        return name

    def back_up(self, collection: str = "images", archive: str = "", part_bytes: int = PART_BYTES) -> str:
        """A finished archive; its id."""
        archive = archive or self.backups.new_id(collection)
        run(BackUp(self.store, self.backups, collection, archive, "r-test", part_bytes=part_bytes))
        return archive

    def prove(self, backup: str) -> Mapping[str, Any]:
        return run(Prove(self.store, self.backups, backup, "images__proof-abcdef", "r-prove", by="olga"))

    def restore(self, backup: str, into: str) -> Mapping[str, Any]:
        return run(Restore(self.store, self.backups, backup, into))


def run(operation: Operation) -> Mapping[str, Any]:
    """Do an operation to its end; its result."""
    last: Progress | None = None
    for step in operation.steps("", Counts()):
        assert last is None or step.counts.done >= last.counts.done
        last = step
    assert last is not None
    assert last.result is not None
    return last.result


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    store = open_store(StoreSettings(url=f"local:{tmp_path / 'qdrant'}"))
    yield World(store, Backups(tmp_path / "backups"))
    store.close()
