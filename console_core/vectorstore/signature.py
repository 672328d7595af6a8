"""What a collection holds, in a few bytes: so that any later write to it, whoever made it, can be noticed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b, shake_256
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from console_core.vectorstore.paging import pages
from console_core.vectorstore.types import Payload, Point, VectorStore

WIDTH = 16
"""Numbers in a sketch."""
_MODULUS = 2**256


@dataclass(frozen=True, slots=True)
class Signature:
    """A summary of points that does not depend on their order, and to which points can be added and taken away.

    `digest` is the sum of the points' BLAKE2b-256 digests modulo 2**256 (ids and payloads, exactly; Bellare and
    Micciancio, "A New Paradigm for Collision-Free Hashing", 1997), in hexadecimal. `sketch` sums random projections
    of the vectors, each with a random sign of its point: reading a vector again may differ in its last bit, which a
    digest would not forgive. A vector that moved by a hundredth of its length changes the sketch beyond any tolerance.
    """

    points: int = 0
    digest: str = "0" * 64
    sketch: tuple[float, ...] = (0.0,) * WIDTH

    def same_as(self, other: "Signature") -> bool:
        """Whether both summarise the same points, vectors compared within what reading them again may change."""
        if (self.points, self.digest) != (other.points, other.digest):
            return False
        tolerance = 1e-4 + 1e-6 * max(self.points, 1) ** 0.5
        return bool(np.allclose(self.sketch, other.sketch, rtol=1e-9, atol=tolerance))

    def as_json(self) -> dict[str, Any]:
        return {"points": self.points, "digest": self.digest, "sketch": list(self.sketch)}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The reverse of `as_json`."""
        return cls(int(data["points"]), str(data["digest"]), tuple(float(number) for number in data["sketch"]))


class Signing:
    """A signature in the making."""

    def __init__(self, start: Signature | None = None) -> None:
        start = start or Signature()
        self._points = start.points
        self._sum = int(start.digest, 16)
        self._sketch = np.array(start.sketch, dtype=np.float64)

    def add(self, points: Iterable[Point]) -> None:
        """Count these points in; they must have been read with their vectors."""
        self._count(points, 1)

    def remove(self, points: Iterable[Point]) -> None:
        """Count these points out, as they were when they were counted in."""
        self._count(points, -1)

    def signature(self) -> Signature:
        return Signature(self._points, f"{self._sum:064x}", tuple(self._sketch.tolist()))

    def _count(self, points: Iterable[Point], sign: int) -> None:
        signs: list[NDArray[np.float64]] = []
        vectors: list[NDArray[np.float32]] = []
        for point in points:
            digest = _digest(point)
            self._points += sign
            self._sum = (self._sum + sign * int.from_bytes(digest, "big")) % _MODULUS
            if point.vector is not None and np.isfinite(point.vector).all():
                signs.append(_signs(digest[:2]))
                vectors.append(point.vector)
        if vectors:
            rows = np.asarray(vectors, dtype=np.float64)
            self._sketch += sign * np.sum((rows @ _directions(rows.shape[1])) * np.asarray(signs), axis=0)


def signature_of(store: VectorStore, name: str, *, page_size: int = 256) -> Signature:
    """The signature of everything that a collection holds now; memory is bounded by one page.

    Raises:
        CollectionNotFound, StoreError
    """
    signing = Signing()
    for points in pages(store, name, size=page_size, vectors=True):
        signing.add(points)
    return signing.signature()


def canonical_payload(payload: Payload) -> str:
    """A payload as text: equal payloads are equal texts. JSON with sorted keys, no spaces, and no escapes."""
    return json.dumps(dict(payload), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _digest(point: Point) -> bytes:
    """Of a point's id and payload; a vector that has no direction to project is told apart here."""
    vector = b"" if point.vector is None else b"\1" if np.isfinite(point.vector).all() else b"\2"
    said = f"{type(point.id).__name__} {point.id}\0{canonical_payload(point.payload)}\0"
    return blake2b(said.encode("utf-8", "surrogatepass") + vector, digest_size=32).digest()


def _signs(bits: bytes) -> NDArray[np.float64]:
    return 1.0 - 2.0 * np.unpackbits(np.frombuffer(bits, dtype=np.uint8)).astype(np.float64)


@lru_cache(maxsize=8)
def _directions(dimension: int) -> NDArray[np.float64]:
    """WIDTH directions of ±1, shape (dimension, WIDTH), the same on every machine and for ever."""
    bits = shake_256(f"signature {dimension}".encode()).digest(2 * dimension)
    return _signs(bits).reshape(dimension, WIDTH)
