"""The column of vectors in an application's table, compared with a collection row by row."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from console_core.catalog.embedding_column import EmbeddingColumn, Held
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import Vector, VectorStore

SAME_DIRECTION = 0.999
"""Cosine from which two vectors are of the same picture and model: above rounding, below any other picture."""
ROUNDING = 1e-6
"""So far numbers of up to 1 may be apart and are the same: an embedded store reads vectors back with other last bits
each time it is opened, and a column that followed it would be written for ever."""


class Mismatch(StrEnum):
    """Why a row's column is to be written: the first of these that is true."""

    ABSENT = "no vector"
    BROKEN = "not a vector"
    MODEL = "another model's name"
    LENGTH = "another length"
    VECTOR = "another vector"
    NUMBERS = "other numbers"


def mismatch_by_itself(held: Held, model: str, dimension: int) -> Mismatch | None:
    """What is wrong with the column whatever the vector of that model is; None where only that vector can tell."""
    if held.problem:
        return Mismatch.BROKEN
    if held.vector is None:
        return Mismatch.ABSENT
    if held.model != model:
        return Mismatch.MODEL
    return Mismatch.LENGTH if held.vector.shape != (dimension,) else None


def mismatch(held: Held, vector: Vector, model: str) -> Mismatch | None:
    """What is wrong with the column beside the vector that the store has, of that model; None where they are the same.

    NUMBERS is the same direction in other numbers: not of length 1, or of lower precision. A vector of the right length
    that another model made is a mismatch by VECTOR, whatever the row says made it.
    """
    if (wrong := mismatch_by_itself(held, model, len(vector))) is not None or held.vector is None:
        return wrong
    with np.errstate(invalid="ignore"):  # of infinite numbers
        apart = float(np.abs(held.vector - vector).max(initial=0))
    if apart <= ROUNDING * max(1.0, float(np.abs(vector).max(initial=0))):
        return None
    return Mismatch.NUMBERS if _cosine(held.vector, vector) >= SAME_DIRECTION else Mismatch.VECTOR


def _cosine(one: Vector, other: Vector) -> float:
    """0 where one of them has no direction."""
    first, second = one.astype(np.float64), other.astype(np.float64)
    with np.errstate(all="ignore"):
        cosine = float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))
    return cosine if np.isfinite(cosine) else 0.0


def vectors_of(store: VectorStore, collection: str, keys: Collection[str]) -> dict[str, Vector]:
    """The vectors of those of the keys that have a point.

    Raises:
        CollectionNotFound, StoreError
    """
    ids = {key: point_id(key) for key in keys}
    points = store.retrieve(collection, list(ids.values()), vectors=True)
    found = {point.id: point.vector for point in points if point.vector is not None}
    return {key: found[identifier] for key, identifier in ids.items() if identifier in found}


@dataclass(frozen=True, slots=True)
class ColumnReport:
    """A column compared with a collection. `total`, `with_embedding`, `wrong_length` and `by_model` are the database's
    own count of the table; the others come from looking at each row and its point.

    `with_embedding` rows have bytes of the collection's length under its model's name. `same` rows have the
    collection's vector under that name, but for the last bits; `completed` are those of them whose point is up to
    date. `differing` counts by `Mismatch` the rows that have something in both, but not the same. `same`,
    `only_in_column`, `only_in_store`, `in_neither` and `differing` add up to the rows that were looked at.
    """

    total: int
    with_embedding: int
    wrong_length: int
    by_model: Mapping[str, int]
    completed: int = 0
    same: int = 0
    only_in_column: int = 0
    only_in_store: int = 0
    in_neither: int = 0
    differing: Mapping[str, int] = field(default_factory=dict)

    @property
    def all_differing(self) -> int:
        return sum(self.differing.values())

    @property
    def drifted(self) -> int:
        """Rows in which the column and the collection do not say the same."""
        return self.only_in_column + self.only_in_store + self.all_differing

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ColumnReport":
        """The report as `dataclasses.asdict` made it."""
        return cls(**data)

    def stats(self) -> dict[str, Any]:
        """The report in the words of the command line; `completed` rows need nothing more."""
        percentage = round(100 * self.with_embedding / self.total, 2) if self.total else 0.0
        if self.with_embedding < self.total:
            percentage = min(percentage, 99.99)
        return {
            "total": self.total,
            "completed": self.completed,
            "with_embedding": self.with_embedding,
            "without_embedding": self.total - self.with_embedding,
            "coverage_percentage": percentage,
            "by_model": dict(self.by_model),
            "wrong_length": self.wrong_length,
            "same": self.same,
            "only_in_column": self.only_in_column,
            "only_in_store": self.only_in_store,
            "in_neither": self.in_neither,
            "differing": self.all_differing,
            "differing_by": dict(self.differing),
        }


Vectors = Callable[[Sequence[str]], Mapping[str, Vector]]
"""The vectors of those of the keys that have a point."""


class ColumnTally:
    """Compares page by page; memory does not grow with the table."""

    def __init__(self, column: EmbeddingColumn, model: str, dimension: int) -> None:
        self._column, self._model, self._dimension = column, model, dimension
        self._found: Counter[str] = Counter()
        self._differing: Counter[str] = Counter()

    def add(self, keys: Sequence[str], there: Collection[str], current: Collection[str], vectors: Vectors) -> None:
        """Rows of the catalog by their keys, which of them have a point, and which of those are up to date.

        `vectors` is asked for those that must be compared by their numbers.

        Raises:
            CatalogError
        """
        held = {key: Held(key) for key in keys} | self._column.at(keys)
        by_itself = {key: mismatch_by_itself(held[key], self._model, self._dimension) for key in keys if key in there}
        by_numbers = [key for key, wrong in by_itself.items() if wrong is None]
        stored = vectors(by_numbers) if by_numbers else {}
        compared = {key: mismatch(held[key], stored[key], self._model) for key in by_numbers if key in stored}
        for key in keys:
            if key not in by_itself or (by_itself[key] is None and key not in compared):
                self._found["in_neither" if held[key].vector is None else "only_in_column"] += 1
            elif (wrong := by_itself[key] or compared[key]) is None:
                self._found["same"] += 1
                self._found["completed"] += key in current
            elif wrong is Mismatch.ABSENT:
                self._found["only_in_store"] += 1
            else:
                self._differing[str(wrong)] += 1

    def report(self) -> ColumnReport:
        """What was found so far, with what the database counts now.

        Raises:
            CatalogError
        """
        counts = self._column.counts(self._model, self._dimension)
        return ColumnReport(
            counts.total,
            counts.with_vector,
            counts.wrong_length,
            counts.by_model,
            **self._found,
            differing=dict(self._differing),
        )
