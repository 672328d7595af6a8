"""A vector store in memory: as much of one as operations use. A thousand runs on a disk take long."""

from collections.abc import Sequence
from dataclasses import replace

from console_core.backup.rows import order
from console_core.errors import CollectionExists, CollectionNotFound
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Point, PointId, StoreInfo


class MemoryStore:
    """Collections as dictionaries. Vectors are kept as they are given."""

    def __init__(self) -> None:
        self.made: dict[str, tuple[CollectionSpec, dict[PointId, Point]]] = {}

    def info(self) -> StoreInfo:
        return StoreInfo("memory", "in memory", "1")

    def aliases(self) -> dict[str, str]:
        return {}

    def collections(self) -> list[CollectionInfo]:
        return [self.describe(name) for name in sorted(self.made)]

    def create(self, name: str, spec: CollectionSpec) -> None:
        if name in self.made:
            raise CollectionExists(f"{name} exists.")
        self.made[name] = (spec, {})

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        spec, points = self._found(name)
        self.made[name] = (replace(spec, stamp=stamp), points)

    def drop(self, name: str) -> None:
        self._found(name)
        del self.made[name]

    def describe(self, name: str) -> CollectionInfo:
        spec, points = self._found(name)
        return CollectionInfo(name, spec.dimension, spec.distance, len(points), "green", spec.stamp, (), {}, {}, ())

    def defer_index(self, name: str) -> None:
        self._found(name)

    def restore_index(self, name: str) -> None:
        self._found(name)

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self._found(name)[1].update((point.id, point) for point in points)
        return len(points)

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        there = self._found(name)[1]
        for identifier in ids:
            there.pop(identifier, None)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        there = self._found(name)[1]
        return [_read(there[identifier], vectors) for identifier in ids if identifier in there]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = 256, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        there = self._found(name)[1]
        ids = sorted((one for one in there if after is None or order(one) > order(after)), key=order)
        page = [_read(there[identifier], vectors) for identifier in ids[:limit]]
        return page, page[-1].id if len(ids) > limit else None

    def count(self, name: str) -> int:
        return len(self._found(name)[1])

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = 256) -> list[Point]:
        return [_read(point, vectors) for point in self._found(name)[1].values()]

    def _found(self, name: str) -> tuple[CollectionSpec, dict[PointId, Point]]:
        if name not in self.made:
            raise CollectionNotFound(f"There is no {name}.")
        return self.made[name]


def _read(point: Point, vectors: bool) -> Point:
    return point if vectors else replace(point, vector=None)
