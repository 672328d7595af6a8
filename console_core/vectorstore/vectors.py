"""What may be written and asked: checked, canonical point ids and vectors of length 1."""

import uuid
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from console_core.errors import DimensionMismatch, StoreRefused, VectorInvalid
from console_core.vectorstore.types import Point, PointId, Vector

_REEMBED = "Embed it again; a model that answers like this is loaded wrongly or runs in too low a precision."


def canonical(identifier: PointId) -> PointId:
    """A point id as the stores write it.

    Raises:
        StoreRefused: it is neither an unsigned integer below 2**63 nor a UUID.
    """
    if isinstance(identifier, int | np.integer) and not isinstance(identifier, bool) and 0 <= identifier < 2**63:
        return int(identifier)
    if isinstance(identifier, str | uuid.UUID):
        try:
            return str(uuid.UUID(str(identifier)))
        except ValueError:
            pass
    raise StoreRefused(
        f"{identifier!r} is not a point id.", "Use an unsigned integer below 2**63 or a UUID; point_id() makes one."
    )


def successor(identifier: PointId) -> PointId | None:
    """The smallest possible id behind this one, integers coming before UUIDs; None behind the very last."""
    if isinstance(identifier, int):
        return identifier + 1
    following = uuid.UUID(identifier).int + 1
    return str(uuid.UUID(int=following)) if following < 2**128 else None


def unit_vectors(points: Sequence[Point], dimension: int, collection: str) -> NDArray[np.float32]:
    """The vectors of points as an array of shape (n, dimension), float32, every row of length 1.

    Raises:
        DimensionMismatch, VectorInvalid: naming the first point that is wrong.
    """
    rows = np.empty((len(points), dimension), dtype=np.float64)
    for row, point in zip(rows, points, strict=True):
        row[:] = _checked(point.vector, dimension, f"The vector of point {point.id}", collection)
    return _unit(rows)


def plain_vectors(points: Sequence[Point], dimension: int, collection: str) -> NDArray[np.float32]:
    """The vectors of points as they are, shape (n, dimension), float32.

    Raises:
        DimensionMismatch, VectorInvalid: naming the first point whose vector is missing, too long or not finite.
    """
    rows = np.empty((len(points), dimension), dtype=np.float32)
    for row, point in zip(rows, points, strict=True):
        row[:] = _shaped(point.vector, dimension, f"The vector of point {point.id}", collection)
    return rows


def unit_query(vector: Vector, dimension: int, collection: str) -> NDArray[np.float32]:
    """A query vector of shape (dimension,), float32, length 1.

    Raises:
        DimensionMismatch, VectorInvalid
    """
    row = _checked(vector, dimension, "The query vector", collection)
    return _unit(row.reshape(1, -1)).reshape(-1)


def _checked(vector: Vector | None, dimension: int, what: str, collection: str) -> NDArray[np.float64]:
    row = _shaped(vector, dimension, what, collection)
    if not row.any():
        raise VectorInvalid(f"{what} is zero: it has no direction.", _REEMBED)
    return row


def _shaped(vector: Vector | None, dimension: int, what: str, collection: str) -> NDArray[np.float64]:
    if vector is None:
        raise VectorInvalid(f"{what} is missing.", "Read points with their vectors before writing them.")
    row = np.asarray(vector, dtype=np.float64)
    if row.shape != (dimension,):
        has = str(row.shape[0]) if row.ndim == 1 else f"shape {row.shape}"
        raise DimensionMismatch(
            f'{what} has {has} numbers, the collection "{collection}" has {dimension}.',
            "Use the model that made the collection, or build a collection for this model beside it.",
        )
    if not np.isfinite(row).all():
        raise VectorInvalid(f"{what} has a number that is not finite.", _REEMBED)
    return row


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    # Dividing by the largest number first keeps squares of very large and very small ones representable.
    rows = rows / np.abs(rows).max(axis=1, keepdims=True)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return rows.astype(np.float32)
