"""Pictures that a collection has more than once, found by asking it for the neighbours of each of its own points."""

from collections.abc import Iterator
from dataclasses import dataclass

from console_core.errors import Refused
from console_core.querylab.comparison import Where
from console_core.vectorstore.matching import matches
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import picture_key
from console_core.vectorstore.types import REQUEST, Point, PointId, VectorStore

THRESHOLD = 0.98
"""Cosine from which two points are taken for the same picture; a re-encoded one is usually above 0.99."""
_FEW, _MANY = 16, 1024
"""Neighbours that are asked for first, and at most: a point of a larger group meets the rest through the others."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A point of a group: its id, where its picture lies, and the highest cosine to another point of the group."""

    id: PointId
    path: str
    cosine: float


Group = list[Copy]


class Duplicates:
    """Groups of points that hang together by cosines of at least the threshold. Nothing is written.

    An index may overlook a neighbour; two near points find each other from either side, so that a pair is missed only
    where both are. Memory: a page of points, and three entries for each point that has a duplicate.
    """

    def __init__(self, store: VectorStore, asked: str, *, threshold: float = THRESHOLD, where: Where | None = None):
        """Of a collection or an alias; with `where` only among points that it lets through.

        Raises:
            Refused: the collection does not compare by cosine.
            CollectionNotFound, StoreError
        """
        info = store.describe(asked)
        if info.distance != "cosine":
            raise Refused(
                f"{info.name} compares by {info.distance}, and duplicates are told by cosine.",
                "Look for them in a collection that compares by cosine.",
            )
        self.collection, self.points, self.looked_at = info.name, info.points, 0
        self._store, self._threshold, self._where = store, threshold, where
        self._parent: dict[PointId, PointId] = {}
        self._nearest: dict[PointId, float] = {}

    def steps(self) -> Iterator[tuple[int, int]]:
        """Look through the collection; after each page how many points of how many were looked at. May be left early.

        Raises:
            StoreError
        """
        for page in pages(self._store, self.collection, size=REQUEST, vectors=True):
            for point in page:
                if point.vector is not None and matches(point.payload, self._where):
                    self._look_at(point)
            self.looked_at += len(page)
            yield self.looked_at, max(self.points, self.looked_at)

    def groups(self) -> list[dict[PointId, float]]:
        """The groups found so far, the largest first: each point's id with its highest cosine to another of them."""
        found: dict[PointId, dict[PointId, float]] = {}
        for identifier in self._parent:
            found.setdefault(self._root(identifier), {})[identifier] = self._nearest[identifier]
        return sorted(found.values(), key=len, reverse=True)

    def _look_at(self, point: Point) -> None:
        limit = _FEW
        while True:
            assert point.vector is not None
            hits = self._store.search(self.collection, point.vector, limit=limit, where=self._where)
            if limit >= _MANY or len(hits) < limit or hits[-1].score < self._threshold:
                break
            limit *= 8
        for hit in hits:
            if hit.id != point.id and hit.score >= self._threshold:
                self._join(point.id, hit.id, hit.score)

    def _join(self, one: PointId, other: PointId, cosine: float) -> None:
        for identifier in (one, other):
            self._parent.setdefault(identifier, identifier)
            self._nearest[identifier] = max(self._nearest.get(identifier, -1.0), min(cosine, 1.0))
        self._parent[self._root(one)] = self._root(other)

    def _root(self, identifier: PointId) -> PointId:
        while (parent := self._parent[identifier]) != identifier:
            self._parent[identifier] = self._parent[parent]
            identifier = parent
        return identifier


def groups_told(store: VectorStore, found: Duplicates) -> Iterator[Group]:
    """Each group with where its pictures lie, in the order of their paths; without points deleted since."""
    for group in found.groups():
        points = store.retrieve(found.collection, list(group))
        copies = [Copy(point.id, _path(point), group[point.id]) for point in points]
        if len(copies) > 1:
            yield sorted(copies, key=lambda copy: (copy.path, str(copy.id)))


def _path(point: Point) -> str:
    """Where a point's picture lies, as its payload says; else its key."""
    told = next((point.payload[name] for name in ("path", "file_path", "image_path") if name in point.payload), "")
    return str(told) or picture_key(point.id, point.payload)
