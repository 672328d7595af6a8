"""A vector store in a dictionary: as much of one as a verification, a repair and a cut-over use, without a disk."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from console_core.errors import CollectionNotFound
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Point, PointId, StoreInfo


class DictStore:
    """Collections as dictionaries. Vectors are kept as they are given, as another program may have written them."""

    def __init__(self) -> None:
        self.specs: dict[str, CollectionSpec] = {}
        self.points: dict[str, dict[PointId, Point]] = {}
        self.reads = 0
        self._order: dict[str, list[PointId]] = {}

    def create(self, name: str, spec: CollectionSpec) -> None:
        self.specs[name], self.points[name] = spec, {}

    def info(self) -> StoreInfo:
        return StoreInfo("dictionary", "memory", "", embedded=True)

    def describe(self, name: str) -> CollectionInfo:
        points, spec = self._of(name), self.specs[name]
        return CollectionInfo(name, spec.dimension, "cosine", len(points), "green", spec.stamp, (), {}, {}, ())

    def defer_index(self, name: str) -> None:
        self._of(name)

    def restore_index(self, name: str) -> None:
        self._of(name)

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        there = self._of(name)
        if any(point.id not in there for point in points):
            self._order.pop(name, None)
        there.update((point.id, point) for point in points)
        return len(points)

    def delete(self, name: str, ids: Iterable[PointId]) -> None:
        for identifier in ids:
            self._of(name).pop(identifier, None)
        self._order.pop(name, None)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        self.reads += 1
        there = self._of(name)
        return [self._read(there[one], vectors) for one in ids if one in there]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = 256, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        self.reads += 1
        there = self._of(name)
        if name not in self._order:
            self._order[name] = sorted(there, key=_rank)
        order = self._order[name]
        start = 0 if after is None else bisect_right(order, _rank(after), key=_rank)
        ids = order[start : start + limit]
        return [self._read(there[one], vectors) for one in ids], ids[-1] if start + limit < len(order) else None

    def count(self, name: str) -> int:
        return len(self._of(name))

    def _of(self, name: str) -> dict[PointId, Point]:
        if name not in self.points:
            raise CollectionNotFound(f"There is no {name}.")
        return self.points[name]

    @staticmethod
    def _read(point: Point, vectors: bool) -> Point:
        return point if vectors else replace(point, vector=None)


def _rank(identifier: PointId) -> tuple[bool, str]:
    """Integers before UUIDs."""
    return isinstance(identifier, str), f"{identifier:020}" if isinstance(identifier, int) else identifier
