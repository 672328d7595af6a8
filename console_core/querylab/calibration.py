"""A fixed random sample of a collection, and how a score stands among the scores that it gives a query.

Scores of two models share no axis: 0.25 may be the best of one and ordinary in another. The share of a collection's
pictures that score lower for the same query is a number that both have; no rescaling of a model's scores that keeps
their order changes it.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from console_core.vectorstore.distances import scores
from console_core.vectorstore.paging import pages
from console_core.vectorstore.types import REQUEST, CollectionInfo, PointId, Vector, VectorStore

SIZE = 2000
"""Points in a sample. The standard error of a percentile is then at most 1.1, and 0.2 around the 99th."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Which points are the sample of a collection that had `points` of them, made by the model of `fingerprint`."""

    ids: tuple[PointId, ...]
    points: int
    fingerprint: str


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Points of a collection with their vectors, shape (n, dimension), float32, in the order of `ids`."""

    ids: tuple[PointId, ...]
    vectors: NDArray[np.float32]
    distance: str

    def percentiles(self, query: Vector, hits: Sequence[tuple[PointId, float]]) -> tuple[float, ...]:
        """For each hit, an id and its score, the share in percent of the sample that scores lower for the same query.

        `query` has length 1, as a store is asked. A point of the sample that is itself a hit has that hit's score, so
        that no rounding of the store puts a hit below itself. An empty sample gives 50 to each.
        """
        told = dict(hits)
        own = scores(self.vectors, query, self.distance).astype(np.float64)
        for place, identifier in enumerate(self.ids):
            if identifier in told:
                own[place] = told[identifier]
        return tuple(mid_ranks(own, np.array([score for _, score in hits], dtype=np.float64)).tolist())

    def median(self, query: Vector) -> float:
        """The median score of the sample for a query, in the collection's own unit. The sample must not be empty."""
        return float(np.median(scores(self.vectors, query, self.distance)))


def mid_ranks(sample: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The percentile rank, 0 to 100, of each number of `found` among those of `sample`; what is equal counts half.

    The definition with ties at half (mid-rank), as `scipy.stats.percentileofscore(kind="mean")`. It depends on the
    order of the numbers only. An empty sample gives 50.
    """
    if not len(sample):
        return np.full(len(found), 50.0)
    ordered = np.sort(sample)
    below, upto = (np.searchsorted(ordered, found, side=side) for side in ("left", "right"))
    return np.asarray(100.0 * (below + upto) / (2 * len(ordered)), dtype=np.float64)


class Drawing:
    """The sample of a collection in the making: the points whose ids have the smallest hashes (bottom-k sampling:
    Cohen and Kaplan, "Summarizing Data Using Bottom-k Sketches", 2007).

    The hash knows nothing of a picture but its id, so the sample is a random one. It is the same whoever draws it and
    in whatever order points are read; where points come or go it changes by those alone; and two collections of the
    same pictures have the same sample, so that what two models say of a score is said of the same pictures. One pass
    over the ids, without vectors. Memory: a page of points, and as many ids as the sample has.
    """

    def __init__(self, store: VectorStore, info: CollectionInfo, *, size: int = SIZE) -> None:
        self._store, self._info, self._size = store, info, size
        self._kept: list[tuple[int, PointId]] = []
        self.looked_at = 0

    def steps(self) -> Iterator[tuple[int, int]]:
        """Look through the collection; after each page how many points of how many were looked at.

        Raises:
            StoreError
        """
        for page in pages(self._store, self._info.name, size=REQUEST):
            for point in page:
                entry = (-_hash(point.id), point.id)
                if len(self._kept) < self._size:
                    heapq.heappush(self._kept, entry)
                elif entry[0] > self._kept[0][0]:
                    heapq.heapreplace(self._kept, entry)
            self.looked_at += len(page)
            yield self.looked_at, max(self._info.points, self.looked_at)

    def drawn(self) -> Draw:
        """The sample of what was looked at so far, ids in the order of their hashes."""
        ids = tuple(identifier for _, identifier in sorted(self._kept, key=lambda entry: -entry[0]))
        return Draw(ids, self.looked_at, self._info.stamp.fingerprint if self._info.stamp else "")


def draw(store: VectorStore, info: CollectionInfo, *, size: int = SIZE) -> Draw:
    """The sample of a collection, drawn at once; reads all its ids.

    Raises:
        StoreError
    """
    drawing = Drawing(store, info, size=size)
    for _ in drawing.steps():
        pass
    return drawing.drawn()


def read(store: VectorStore, info: CollectionInfo, drawn: Draw) -> Sample:
    """A sample with the vectors that the collection has now; points without a usable one, or gone, are left out.

    Raises:
        StoreError
    """
    ids: list[PointId] = []
    rows: list[Vector] = []
    for start in range(0, len(drawn.ids), REQUEST):
        for point in store.retrieve(info.name, drawn.ids[start : start + REQUEST], vectors=True):
            vector = point.vector
            if vector is not None and vector.shape == (info.dimension,) and np.isfinite(vector).all():
                ids.append(point.id)
                rows.append(vector)
    vectors = np.stack(rows) if rows else np.zeros((0, info.dimension), dtype=np.float32)
    return Sample(tuple(ids), vectors.astype(np.float32, copy=False), info.distance)


def _hash(identifier: PointId) -> int:
    said = f"sample {type(identifier).__name__} {identifier}"
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big")
