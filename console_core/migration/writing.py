"""Write points so that a store that refuses one of them gets all the others."""

from collections.abc import Sequence

from console_core.errors import DimensionMismatch, StoreDenied, StoreError, StoreRefused, VectorInvalid
from console_core.vectorstore.types import Point, PointId, VectorStore

Refusals = dict[PointId, StoreError]
"""Why the store would not take a point, by its id."""


def write(store: VectorStore, target: str, points: Sequence[Point]) -> Refusals:
    """Write points, and return those that the store refuses; all others are acknowledged.

    A batch that is refused is halved until the refused point is alone, so that its neighbours are written.

    Raises:
        DimensionMismatch: the collection takes no vector of this length at all.
        StoreDenied: the store does not let the console in.
        StoreRefused: the store acknowledged fewer points than it was given.
        StoreError: the batch may have been written in part; writing it again is harmless.
    """
    refused = _write(store, target, points)
    if refused and len(refused) == len(points):
        for error in refused.values():
            if isinstance(error, DimensionMismatch):
                raise error
    return refused


def _write(store: VectorStore, target: str, points: Sequence[Point]) -> Refusals:
    if not points:
        return {}
    try:
        acknowledged = store.upsert(target, points)
    except StoreDenied:
        raise
    except (StoreRefused, DimensionMismatch, VectorInvalid) as error:
        if len(points) == 1:
            return {points[0].id: error}
        middle = len(points) // 2
        return {**_write(store, target, points[:middle]), **_write(store, target, points[middle:])}
    if acknowledged != len(points):
        raise StoreRefused(
            f"The store acknowledged {acknowledged} of {len(points)} points written to {target}.",
            "Look at the store's log, then resume: the batch is written again with the same ids.",
        )
    return {}
