# ruff: noqa: T201
"""Backing up, checking and comparing take the memory of a part, whatever the size of the collection."""

import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from console_core.backup.archive import Archive
from console_core.backup.backups import Backups
from console_core.backup.operation import BackUp
from console_core.backup.restoring import Restore
from console_core.runs.types import Counts
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Point, PointId, StoreInfo

DIMENSION = 256
PART_BYTES = 1_000_000


class Endless:
    """A store whose points are made when they are asked for, and forgotten when they are written."""

    def __init__(self, points: int) -> None:
        self.names = {"images": points}

    def _point(self, number: int) -> Point:
        vector = np.random.default_rng(number).normal(size=DIMENSION).astype(np.float32)
        return Point(number, vector, {"caption": f"picture {number}"})

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = 256, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        first = 0 if after is None else int(after) + 1
        last = min(first + limit, self.names[name])
        return [self._point(number) for number in range(first, last)], last - 1 if last < self.names[name] else None

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self.names[name] = max(self.names[name], *(int(point.id) + 1 for point in points))
        return len(points)

    def create(self, name: str, spec: CollectionSpec) -> None:
        self.names[name] = 0

    def count(self, name: str) -> int:
        return self.names[name]

    def info(self) -> StoreInfo:
        return StoreInfo("endless", "nowhere", "1")

    def aliases(self) -> dict[str, str]:
        return {}

    def collections(self) -> list[CollectionInfo]:
        return [self.describe(name) for name in self.names]

    def describe(self, name: str) -> CollectionInfo:
        return CollectionInfo(name, DIMENSION, "cosine", self.names[name], "green", None, (), {}, {}, ())


def _peak(work: Any) -> float:
    """The most that Python, NumPy and Arrow held at once, in MB."""
    pool, most = pa.default_memory_pool(), 0
    tracemalloc.start()
    for _ in work:
        most = max(most, pool.bytes_allocated())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak + most) / 1e6


def test_memory_is_that_of_a_part_whatever_the_size_of_the_collection(tmp_path: Path) -> None:
    peaks: dict[str, list[float]] = {"backup": [], "check": [], "restore": []}
    sizes = (3_000, 15_000)
    for points in (500, *sizes):  # the first takes what is loaded once
        store: Any = Endless(points)
        backups = Backups(tmp_path / str(points))
        backup = BackUp(store, backups, "images", "images-x", "r", part_bytes=PART_BYTES)
        peaks["backup"].append(_peak(backup.steps("", Counts())))
        peaks["check"].append(_peak(Archive.open(backups.folder / "images-x").check()))
        peaks["restore"].append(_peak(Restore(store, backups, "images-x", "back").steps("", Counts())))
        assert store.names == {"images": points, "back": points}
    plain = [points * DIMENSION * 4 / 1e6 for points in sizes]
    print()
    for what, (_, small, large) in peaks.items():
        print(f"{what}: {small:.1f} MB for {plain[0]:.0f} MB of vectors, {large:.1f} MB for {plain[1]:.0f} MB")
        assert large < 1.3 * small + 0.2
        assert large < plain[1] / 2
