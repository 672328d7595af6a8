"""The words of a comparison: what each column answered, and how it differs from the reference column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder
from console_core.errors import ConsoleError
from console_core.querylab.shifts import Agreement, Shift
from console_core.vectorstore.types import CollectionInfo, PointId, Vector
from console_core.vectorstore.ways import Search

Where = Mapping[str, Sequence[Any]]
"""Payload field → values: a point answers if each field has one of its values."""


class Models(Protocol):
    """The models of this process, by the key of their card. Loads what is not loaded yet."""

    cards: ModelCards

    def get(self, key: str) -> Embedder:
        """A loaded model.

        Raises:
            ModelUnknown, ModelNotLoadable
        """
        ...


@dataclass(frozen=True, slots=True)
class Column:
    """What is asked of a column: a collection or alias, how it is searched, and from which score on an answer counts.

    `threshold` is in the collection's own scores, the higher the nearer; None lets every score through.
    """

    asked: str
    way: Search = Search.USUAL
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One hit. `rank` counts from 1. `key` is the picture's catalog key, the same in every column.

    `score` is the store's own, comparable within a column only: two models spread their scores differently.
    `payload` is the application's, without what the console added. `shift` is against the reference column, and
    None in it and where there is none. `percentile`, 0 to 100, is the share of a random sample of the collection that
    scores lower for the same query, and comparable across columns; None where there is no sample (see `calibration`).
    """

    rank: int
    key: str
    id: PointId
    score: float
    payload: Mapping[str, Any]
    shift: Shift | None = None
    percentile: float | None = None


@dataclass(frozen=True, slots=True)
class ColumnResult:
    """What one collection answered, or the error that kept it from answering; the other columns stand by themselves.

    `asked` is the collection or alias as asked for, `collection` what it was then. `embed_ms` was spent once per
    model: columns of one model show the same number. `gone` are keys of the reference that are not among these
    answers. `note` is a sentence for people where something was left out or stands out, and usually "". `way` and
    `threshold` are as asked for; `below` counts the answers that the threshold kept out of those within the limit.
    `sampled` is the number of pictures that percentiles are among, 0 where there are none. `margin` is how far the
    first answer's score is above the sample's median, in the collection's own unit; None without a sample. `vector` is
    what the collection was asked, of length 1; None where it was not, or without a sample.
    """

    asked: str
    collection: CollectionInfo | None = None
    model: str = ""
    answers: tuple[Answer, ...] = ()
    embed_ms: float = 0.0
    search_ms: float = 0.0
    error: ConsoleError | None = None
    gone: tuple[str, ...] = ()
    agreement: Agreement | None = None
    note: str = ""
    way: Search = Search.USUAL
    threshold: float | None = None
    below: int = 0
    sampled: int = 0
    margin: float | None = None
    vector: Vector | None = field(default=None, compare=False, repr=False)

    @property
    def keys(self) -> tuple[str, ...]:
        """The ranking: picture keys, best first."""
        return tuple(answer.key for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One query in several columns. `reference` is the first column that answered, which the shifts compare with."""

    query: str
    limit: int
    columns: tuple[ColumnResult, ...]
    reference: int | None = None
