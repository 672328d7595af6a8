"""The vectors that a query set asks a collection with, texts and pictures apart: an index may serve them unalike.

Texts lie elsewhere in a model's space than pictures do, and an index is built over pictures. One that finds nearly all
neighbours of a picture may lose those of a text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from console_core.errors import FingerprintMismatch, NotFound, Refused, VectorInvalid
from console_core.querylab.calibration import Sample
from console_core.querylab.comparison import Models
from console_core.querylab.question import Embedded, Question, combined
from console_core.querylab.rankings import Query
from console_core.querylab.search import fitting_model
from console_core.querylab.stored import vector_of
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import CollectionInfo, PointId, Vector, VectorStore

Kind = Literal["text", "picture", "text and picture"]
_TEXTS = 64
"""Texts that are embedded at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One query's vector for a collection. `itself` is the point of the picture that is asked for: no answer is it."""

    query: str
    vector: Vector
    itself: PointId | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """What a collection is asked with. `left_out` are ids of queries that it cannot be asked: it has no usable vector
    of their picture, or their parts cancel each other out."""

    by_kind: Mapping[Kind, Sequence[Probe]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def probes_of(store: VectorStore, models: Models, info: CollectionInfo, queries: Sequence[Query]) -> Probes:
    """The vectors of a query set in the model of a collection.

    Raises:
        ModelError: there are texts, and the collection's model is not known, cannot be loaded, or embeds none.
        FingerprintMismatch: it is another one by now than that which made the collection.
        StoreError
    """
    texts = list(dict.fromkeys(query.text.strip() for query in queries if query.text.strip()))
    made: dict[str, Vector] = {}
    if texts:
        embedder = fitting_model(models, info)
        for start in range(0, len(texts), _TEXTS):
            some = texts[start : start + _TEXTS]
            made.update(zip(some, embedder.embed_texts(some), strict=True))
    found: dict[Kind, list[Probe]] = {}
    left_out: list[str] = []
    for query in queries:
        question = Question(query.text, query.like)
        parts = Embedded(tuple(made[text] for text in question.texts))
        try:
            vector = combined(question, parts, lambda key: vector_of(store, info, key))
        except (NotFound, FingerprintMismatch, VectorInvalid, Refused):
            left_out.append(query.id)
            continue
        itself = point_id(query.like) if query.like else None
        found.setdefault(_kind(question), []).append(Probe(query.id, vector, itself))
    return Probes(found, tuple(left_out))


def pictures_of(sample: Sample, number: int) -> list[Probe]:
    """As many pictures of a random sample, each to be asked for its neighbours: where a query set has no pictures."""
    return [
        Probe(str(identifier), vector, identifier)
        for identifier, vector in zip(sample.ids[:number], sample.vectors[:number], strict=True)
    ]


def _kind(question: Question) -> Kind:
    if not question.like:
        return "text"
    return "text and picture" if question.texts else "picture"
