"""Comparing a query with every vector of a collection that is kept as bytes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from console_core.vectorstore.blob_registry import Kept
from console_core.vectorstore.distances import scores
from console_core.vectorstore.matching import matches
from console_core.vectorstore.types import Hit, Point

_AT_ONCE = 4096
"""Vectors that are read at a time."""


def scored(
    connection: Connection, kept: Kept, query: NDArray[np.float32], where: Mapping[str, Sequence[Any]] | None
) -> Iterator[Hit]:
    """Every point that a filter lets through, with its score: the higher, the nearer."""
    statement = kept.place.select(vectors=True).where(kept.place.vector.is_not(None))
    rows = connection.execution_options(yield_per=_AT_ONCE).execute(statement)
    while some := list(islice(rows, _AT_ONCE)):
        points = [kept.place.point(row, vectors=True) for row in some]
        points = [point for point in points if matches(point.payload, where)]
        if points:
            found = scores(np.stack([_numbers(point) for point in points]), query, kept.distance)
            yield from (Hit(point.id, float(score), point.payload) for point, score in zip(points, found, strict=True))


def _numbers(point: Point) -> NDArray[np.float32]:
    assert point.vector is not None
    return point.vector
