"""The neighbours of a picture in each collection, by the vector that it has of it itself. No model is needed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from console_core.errors import FingerprintMismatch, NotFound, Refused, VectorInvalid
from console_core.querylab.comparison import ColumnResult, Comparison, Where
from console_core.querylab.duplicates import THRESHOLD
from console_core.querylab.finding import plain
from console_core.querylab.search import compare, nearest
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import CollectionInfo, Vector, VectorStore


def ask_like(
    store: VectorStore, columns: Sequence[str], key: str, *, limit: int = 20, where: Where | None = None
) -> Comparison:
    """The pictures nearest to the one of a catalog key, itself left out, in each collection or alias.

    A column without that picture, or with a vector of it by another model than the collection's, has an `error`.

    Raises:
        Refused: there is no key, no column, or no sensible limit.
    """
    if not key:
        raise Refused("No picture was chosen.", "Choose the picture whose neighbours to show.")

    def answer(info: CollectionInfo) -> ColumnResult:
        vector = _vector_of(store, info, key)
        found = nearest(store, info, vector, limit + 1, where)
        others = [hit for hit in found.answers if hit.id != point_id(key)][:limit]
        ranked = tuple(replace(hit, rank=rank) for rank, hit in enumerate(others, start=1))
        copies = sum(hit.score >= THRESHOLD for hit in ranked) if info.distance == "cosine" else 0
        return replace(found, answers=ranked, note=f"{found.note} {_said_of(copies)}".strip())

    return compare(store, columns, key, limit, answer)


def search_like(
    store: VectorStore, name: str, key: str, *, limit: int = 10, where: Where | None = None
) -> list[dict[str, Any]]:
    """The pictures nearest to the one of a catalog key, itself left out, in one collection: `[{rank, id, score,
    payload}]`.

    Raises:
        ConsoleError: whatever kept the collection from answering.
    """
    (column,) = ask_like(store, [name], key, limit=limit, where=where).columns
    if column.error is not None:
        raise column.error
    return plain(column.answers)


def _said_of(copies: int) -> str:
    """That pictures are as near as copies are; "" where none is."""
    if not copies:
        return ""
    these = "One of them is" if copies == 1 else f"{copies} of them are"
    return f"{these} so near (a cosine of {THRESHOLD:g} or more) that this may be the same picture."


def _vector_of(store: VectorStore, info: CollectionInfo, key: str) -> Vector:
    found = store.retrieve(info.name, [point_id(key)], vectors=True)
    if not found:
        raise NotFound(
            f'The collection "{info.name}" has no point of picture {key}.',
            "Look at the picture in Coverage, and fill the gaps of the collection.",
        )
    (point,) = found
    origin = provenance(point.payload)
    if info.stamp and origin and origin.fingerprint not in ("", info.stamp.fingerprint):
        raise FingerprintMismatch(
            f'The point of picture {key} in "{info.name}" was made by another model than the collection.',
            "Re-embed that picture: Coverage lists it as stale.",
        )
    if point.vector is None or not np.isfinite(point.vector).all():
        raise VectorInvalid(
            f'The point of picture {key} in "{info.name}" has no usable vector.', "Verify and repair the collection."
        )
    return point.vector
