"""The neighbours of a picture in each collection, by the vector that it has of it itself. No model is needed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from console_core.errors import Refused
from console_core.querylab.answering import Asked, Sampling, answered
from console_core.querylab.comparison import Column, ColumnResult, Comparison, Where
from console_core.querylab.duplicates import THRESHOLD
from console_core.querylab.finding import plain
from console_core.querylab.search import compare
from console_core.querylab.stored import vector_of
from console_core.vectorstore.types import CollectionInfo, VectorStore


def ask_like(
    store: VectorStore,
    columns: Sequence[str | Column],
    key: str,
    *,
    limit: int = 20,
    where: Where | None = None,
    samples: Sampling | None = None,
) -> Comparison:
    """The pictures nearest to the one of a catalog key, itself left out, in each column.

    A column without that picture, or with a vector of it by another model than the collection's, has an `error`.

    Raises:
        Refused: there is no key, no column, or no sensible limit.
    """
    if not key:
        raise Refused("No picture was chosen.", "Choose the picture whose neighbours to show.")

    def answer(info: CollectionInfo, column: Column) -> ColumnResult:
        asked = Asked(vector_of(store, info, key), limit, where, column, leave_out=key)
        found = answered(store, info, asked, samples)
        copies = sum(hit.score >= THRESHOLD for hit in found.answers) if info.distance == "cosine" else 0
        return replace(found, note=f"{found.note} {_said_of(copies)}".strip())

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
