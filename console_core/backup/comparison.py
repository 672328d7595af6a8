"""An archive beside a collection, point by point in id order: what is missing, too much or different."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from console_core.backup.archive import Archive
from console_core.backup.rows import order
from console_core.vectorstore.signature import canonical_payload
from console_core.vectorstore.types import Point, PointId, Vector, VectorStore

KINDS = ("missing", "extra", "payload", "vector")
EXAMPLES = 5
SAME = 1e-6
"""How far a vector may be off: of the cosine from 1, or of its length. A store may round the last bit when it loads."""


@dataclass
class Differences:
    """Counts by kind, and the first few as sentences. A point whose payload and vector differ counts in both."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def note(self, kind: str, identifier: PointId) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: point {identifier}")

    def as_json(self) -> dict[str, Any]:
        return {"counts": dict(self.counts), "examples": list(self.examples)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Differences":
        return cls(dict(data.get("counts", {})), list(data.get("examples", ())))


def compare_part(
    archive: Archive, number: int, store: VectorStore, collection: str, differences: Differences, page_size: int
) -> None:
    """Note what differs between one part and the points of a collection in its range of ids.

    The last part's range has no end, so that all parts together cover every id.

    Raises:
        BackupDamaged, CollectionNotFound, StoreError
    """
    last = number == len(archive.parts) - 1
    until = None if last else archive.parts[number].last
    cosine = archive.manifest.collection.distance == "cosine"
    theirs = _between(store, collection, archive.before(number), until, page_size)
    found = next(theirs, None)
    for page in archive.pages(number):
        for saved in page:
            while found is not None and order(found.id) < order(saved.id):
                differences.note("extra", found.id)
                found = next(theirs, None)
            if found is None or found.id != saved.id:
                differences.note("missing", saved.id)
                continue
            _compare(saved, found, cosine, differences)
            found = next(theirs, None)
    while found is not None:
        differences.note("extra", found.id)
        found = next(theirs, None)


def compare_with_nothing(store: VectorStore, collection: str, differences: Differences, page_size: int) -> None:
    """The same for an archive without a part: every point is one too many."""
    for point in store.scroll(collection, page_size=page_size):
        differences.note("extra", point.id)


def _compare(saved: Point, found: Point, cosine: bool, differences: Differences) -> None:
    if canonical_payload(saved.payload) != canonical_payload(found.payload):
        differences.note("payload", saved.id)
    if not same_vector(saved.vector, found.vector, cosine=cosine):
        differences.note("vector", saved.id)


def same_vector(saved: Vector | None, found: Vector | None, *, cosine: bool) -> bool:
    """Whether two readings are of one vector; `cosine`: only its direction counts."""
    if saved is None or found is None:
        return saved is found
    if np.array_equal(saved, found):
        return True
    if saved.shape != found.shape:
        return False
    a, b = saved.astype(np.float64), found.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if cosine:
        return lengths > 0 and float(a @ b) / lengths >= 1 - SAME
    return float(np.linalg.norm(a - b)) <= SAME * float(np.linalg.norm(a))


def _between(
    store: VectorStore, collection: str, after: PointId | None, until: PointId | None, page_size: int
) -> Iterator[Point]:
    """The points of a collection behind one id and up to another one."""
    while True:
        points, following = store.page(collection, after=after, limit=page_size, vectors=True)
        for point in points:
            if until is not None and order(point.id) > order(until):
                return
            yield point
        if following is None:
            return
        after = following
