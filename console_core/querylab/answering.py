"""What one collection answers to one vector, ranked, cut off and calibrated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from time import perf_counter

from console_core.errors import ConsoleError
from console_core.querylab.calibration import Sample
from console_core.querylab.comparison import Answer, Column, ColumnResult, Where
from console_core.vectorstore.provenance import application_payload, picture_key, point_id
from console_core.vectorstore.types import CollectionInfo, Hit, Outline, Vector, VectorStore
from console_core.vectorstore.vectors import unit_query
from console_core.vectorstore.ways import Search

Sampling = Callable[[CollectionInfo], Sample | None]
"""The sample of a collection; None where there is none yet. `Samples.of` is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A vector to one column. `leave_out` is a catalog key that shall not be among the answers, "" for none."""

    vector: Vector
    limit: int
    where: Where | None
    column: Column
    leave_out: str = ""


def answered(store: VectorStore, info: CollectionInfo, asked: Asked, samples: Sampling | None) -> ColumnResult:
    """The answers of a collection from the column's threshold on; with samples, each has its percentile.

    A filter changes no percentile: it is among the pictures of the whole collection.

    Raises:
        StoreError
    """
    found = nearest(store, info, asked.vector, asked.limit + bool(asked.leave_out), asked.where, way=asked.column.way)
    left_out = point_id(asked.leave_out) if asked.leave_out else None
    within = [hit for hit in found.answers if hit.id != left_out][: asked.limit]
    threshold = asked.column.threshold
    passed = [hit for hit in within if threshold is None or hit.score >= threshold]
    ranked = tuple(replace(hit, rank=rank) for rank, hit in enumerate(passed, start=1))
    result = replace(found, answers=ranked, below=len(within) - len(passed))
    return result if samples is None else _calibrated(result, info, asked.vector, samples)


def _calibrated(result: ColumnResult, info: CollectionInfo, vector: Vector, samples: Sampling) -> ColumnResult:
    """The same with percentiles. Without a sample the answers stand without them: they are what was asked for."""
    try:
        sample = samples(info)
    except ConsoleError as error:
        return replace(result, note=f"{result.note} There are no percentiles: {error.message}".strip())
    if sample is None or not len(sample.ids):
        return result
    query = unit_query(vector, info.dimension, info.name)
    told = sample.percentiles(query, [(hit.id, hit.score) for hit in result.answers])
    hits = tuple(replace(hit, percentile=share) for hit, share in zip(result.answers, told, strict=True))
    margin = hits[0].score - sample.median(query) if hits else None
    return replace(result, answers=hits, sampled=len(sample.ids), margin=margin, vector=query)


def nearest(
    store: VectorStore,
    info: CollectionInfo | Outline,
    vector: Vector,
    limit: int,
    where: Where | None,
    *,
    way: Search = Search.USUAL,
) -> ColumnResult:
    """The answers of one collection to a vector."""
    started = perf_counter()
    hits = store.search(info.name, vector, limit=limit, where=where, way=way)
    elapsed = (perf_counter() - started) * 1000
    sound = [hit for hit in hits if isfinite(hit.score)]
    return ColumnResult(asked=info.name, answers=answers(sound), search_ms=elapsed, note=_note(len(hits) - len(sound)))


def answers(hits: Sequence[Hit]) -> tuple[Answer, ...]:
    """Hits as ranked answers."""
    return tuple(
        Answer(rank, picture_key(hit.id, hit.payload), hit.id, hit.score, application_payload(hit.payload))
        for rank, hit in enumerate(hits, start=1)
    )


def _note(unsound: int) -> str:
    if not unsound:
        return ""
    points = "1 point" if unsound == 1 else f"{unsound} points"
    return f"{points} without a finite score left out: verify this collection."
