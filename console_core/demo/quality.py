"""How good a model finds what is asked for, measured on scenes whose content is known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console_core.demo.queries import Query
from console_core.demo.scene import Scene
from console_core.embedding.types import Embedder, Pixels, Vectors

OVERALL = "all"
_DEPTHS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Precision:
    """Means over the queries of a kind. P@k is right answers among the first k, of at most as many as there are."""

    kind: str
    queries: int
    at_1: float
    at_5: float
    at_10: float


def embed(embedder: Embedder, prepared: Sequence[Pixels]) -> Vectors:
    """Vectors of all pictures, in steps that keep memory small."""
    return np.concatenate([embedder.embed_images(prepared[i : i + 128]) for i in range(0, len(prepared), 128)])


def precision(
    embedder: Embedder, pictures: Vectors, scenes: Sequence[Scene], queries: Sequence[Query]
) -> dict[str, Precision]:
    """Precision by kind of query and `OVERALL`, from a full search. Queries without a right answer do not count."""
    texts = embedder.embed_texts([query.text for query in queries])
    best = np.argsort(-(texts @ pictures.T), axis=1, kind="stable")[:, : _DEPTHS[-1]]
    rows: dict[str, list[NDArray[np.float64]]] = {}
    for query, ranked in zip(queries, best, strict=True):
        relevant = np.array([query.is_relevant(scene) for scene in scenes])
        if relevant.any():
            hits = relevant[ranked]
            row = np.array([hits[:k].sum() / min(k, relevant.sum()) for k in _DEPTHS])
            for kind in (query.kind, OVERALL):
                rows.setdefault(kind, []).append(row)
    return {kind: Precision(kind, len(found), *map(float, np.mean(found, axis=0))) for kind, found in rows.items()}
