"""Pictures that a collection has more than once, found by asking it for the neighbours of each of its own points."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from console_core.catalog.names import told
from console_core.catalog.types import ImageRow
from console_core.errors import Refused
from console_core.querylab.comparison import Where
from console_core.querylab.filtering import NAMESPACE
from console_core.querylab.grouping import Groups, Near
from console_core.runs.failures_csv import csv_line
from console_core.vectorstore.matching import matches
from console_core.vectorstore.paging import pages
from console_core.vectorstore.provenance import picture_key
from console_core.vectorstore.types import REQUEST, CollectionInfo, Point, PointId, VectorStore

THRESHOLD = 0.98
"""Cosine from which two points are taken for the same picture; a re-encoded one is usually above 0.99."""
LEAST = 0.5
"""The lowest threshold: below it everything hangs together."""
_AT_ONCE = 200
_FEW, _MANY = 16, 1024
"""Neighbours that are asked for first, and at most: a point of a larger group meets the rest through the others."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A point of a group: its id, where its picture lies, the highest cosine to another point of the group, the key by
    which the catalog knows the picture, and the namespace under which it was put in, "" where its payload has none."""

    id: PointId
    path: str
    cosine: float
    key: str = ""
    namespace: str = ""

    @property
    def place(self) -> str:
        """Its namespace and path, as people are told them."""
        return f"{self.namespace}: {told(self.path)}" if self.namespace else told(self.path)


Group = list[Copy]


class Duplicates:
    """Groups of points that hang together by cosines of at least the threshold. Nothing is written.

    An index may overlook a neighbour; two near points find each other from either side, so that a pair is missed only
    where both are. Memory: a page of points, and three entries for each point that has a duplicate.
    """

    def __init__(self, store: VectorStore, asked: str, *, threshold: float = THRESHOLD, where: Where | None = None):
        """Of a collection or an alias; with `where` only among points that it lets through.

        Raises:
            Refused: the collection does not compare by cosine, or the threshold makes no sense.
            CollectionNotFound, StoreError
        """
        info = store.describe(asked)
        refuse_duplicates(info, threshold)
        self.collection, self.points, self.looked_at = info.name, info.points, 0
        self.found = Groups()
        self.last: PointId | None = None
        self._store, self._threshold, self._where = store, threshold, where

    def steps(self, *, after: PointId | None = None, size: int = REQUEST) -> Iterator[tuple[int, int]]:
        """Look through the collection; after each page how many points of how many were looked at. May be left early.

        It begins behind the point `after`, and `last` is the last that was looked at.

        Raises:
            StoreError
        """
        for page in pages(self._store, self.collection, size=size, vectors=True, after=after):
            for point in page:
                if point.vector is not None and matches(point.payload, self._where):
                    self._look_at(point)
                self.last = point.id
            self.looked_at += len(page)
            yield self.looked_at, max(self.points, self.looked_at)

    def groups(self) -> list[dict[PointId, float]]:
        """The groups found so far, the largest first: each point's id with its highest cosine to another of them."""
        return self.found.all()

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
                self.found.add(Near(point.id, hit.id, min(hit.score, 1.0)))


def refuse_duplicates(info: CollectionInfo, threshold: float) -> None:
    """Raises Refused where a collection does not compare by cosine, or nothing would be told by such a threshold."""
    if info.distance != "cosine":
        raise Refused(
            f"{info.name} compares by {info.distance}, and duplicates are told by cosine.",
            "Look for them in a collection that compares by cosine.",
        )
    if not LEAST <= threshold <= 1:
        raise Refused(f"{threshold:g} is no threshold for duplicates.", f"Choose a cosine from {LEAST:g} to 1.")


def groups_told(store: VectorStore, collection: str, groups: Iterable[dict[PointId, float]]) -> Iterator[Group]:
    """Each group with where its pictures lie, in the order of their paths; without points deleted since.

    Raises:
        StoreError
    """
    some: list[dict[PointId, float]] = []
    for group in groups:
        some.append(group)
        if sum(map(len, some)) >= REQUEST:
            yield from _told(store, collection, some)
            some = []
    yield from _told(store, collection, some)


def with_paths(groups: Iterable[Group], rows: Callable[[Sequence[str]], Sequence[ImageRow]]) -> Iterator[Group]:
    """Points whose payload says no path have the one of the catalog, where that knows their picture.

    `rows` are the catalog's of the keys that it is asked for.

    Raises:
        CatalogError
    """
    remaining = iter(groups)
    while some := list(islice(remaining, _AT_ONCE)):
        lacking = [one.key for group in some for one in group if one.path == one.key]
        paths = {row.key: row.candidates[0] for row in (rows(lacking) if lacking else ()) if row.candidates}
        for group in some:
            yield [replace(one, path=paths.get(one.key, one.path)) for one in group]


def same_file(group: Group) -> frozenset[PointId]:
    """The points of a group that are of one file with another of them: two namespaces may have it, and deleting the
    file takes both."""
    paths = Counter(one.path for one in group)
    return frozenset(one.id for one in group if paths[one.path] > 1)


def groups_csv(groups: Iterable[Group]) -> Iterator[str]:
    """The groups as CSV, a line at a time: the group's number, a point's id, path, cosine, namespace and key, and
    whether another of the group is of the same file."""
    yield csv_line(("group", "id", "path", "cosine", "namespace", "key", "same file"))
    for number, group in enumerate(groups, start=1):
        alike = same_file(group)
        for one in group:
            about = (one.namespace, told(one.key), "yes" if one.id in alike else "no")
            yield csv_line((str(number), str(one.id), told(one.path), f"{one.cosine:.6f}", *about))


def _told(store: VectorStore, collection: str, groups: list[dict[PointId, float]]) -> Iterator[Group]:
    if not groups:
        return
    points = {point.id: point for point in store.retrieve(collection, [id for group in groups for id in group])}
    for group in groups:
        there = [(points[id], cosine) for id, cosine in group.items() if id in points]
        copies = [_copy(point, near) for point, near in there]
        if len(copies) > 1:
            yield sorted(copies, key=lambda copy: (copy.path, str(copy.id)))


def _copy(point: Point, near: float) -> Copy:
    key, namespace = picture_key(point.id, point.payload), point.payload.get(NAMESPACE)
    return Copy(point.id, _path(point), near, key, "" if namespace is None else str(namespace))


def _path(point: Point) -> str:
    """Where a point's picture lies, as its payload says; else its key."""
    said = next((point.payload[name] for name in ("path", "file_path", "image_path") if name in point.payload), "")
    return str(said) or picture_key(point.id, point.payload)
