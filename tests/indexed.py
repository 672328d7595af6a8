"""Collections in the edge engine, with an index that is good or crippled, whose pictures are of known classes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from console_core.querylab.probes import Kind, Probe
from console_core.vectorstore import edge_words
from console_core.vectorstore.edge_shard import Shard
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Hit, ModelStamp, Point, PointId, Vector
from console_core.vectorstore.ways import Search

POINTS, DIMENSION, CLASSES, QUERIES, K = 500, 32, 50, 16, 10
GOOD = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10}
CRIPPLED = {"m": 2, "ef_construct": 4, "full_scan_threshold": 10}

Shards = Callable[..., Any]


class EngineStore:
    """A shard of the edge engine, indexed, asked without the process that it usually has; the rest of a store is not
    asked for."""

    def __init__(self, folder: Path, rows: NDArray[np.float32], spec: CollectionSpec) -> None:
        folder.mkdir()
        self.shard = Shard(folder, spec, new=True)
        self.shard.upsert(list(range(len(rows))), rows, [{}] * len(rows))
        self.shard._shard.optimize()
        assert self.shard.indexed() == len(rows)

    def describe(self, name: str) -> CollectionInfo:
        spec = self.shard.spec
        return CollectionInfo(
            name, spec.dimension, "cosine", POINTS, "green", ModelStamp(name, name), (), spec.index, {}, ()
        )

    def retrieve(self, name: str, ids: list[PointId], *, vectors: bool = False) -> list[Point]:
        found, rows, _, payloads = self.shard.retrieve(ids, vectors=True)
        assert rows is not None
        return [Point(*one) for one in zip(found, rows, payloads, strict=True)]

    def search(
        self, name: str, vector: Vector, *, limit: int = 10, where: Any = None, way: Search = Search.USUAL
    ) -> list[Hit]:
        return [Hit(*found) for found in self.shard.search(vector, limit, where, way)]


@contextmanager
def engine_stores(folder: Path) -> Iterator[Shards]:
    """Makes stores of rows and the settings of an index, in a folder that is there; each is closed at the end."""
    opened: list[EngineStore] = []

    def made(rows: NDArray[np.float32], **spec: Any) -> EngineStore:
        opened.append(EngineStore(folder / f"{len(opened)}", rows, CollectionSpec(rows.shape[1], **spec)))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(edge_words, "_INDEXED_FROM", 10)
        yield made
    for store in opened:
        store.shard.close()


def embedded(seed: int, noise: float) -> tuple[NDArray[np.float32], dict[Kind, list[Probe]]]:
    """What a model makes of pictures of some classes and of texts that name them; the more noise, the worse it is.

    Texts lie in a cone of their own, as those of real models do.
    """
    random = np.random.default_rng(seed)
    classes = random.normal(size=(CLASSES, DIMENSION))
    pictures = classes[np.arange(POINTS) % CLASSES] + noise * random.normal(size=(POINTS, DIMENSION))
    texts = classes[np.arange(QUERIES) % CLASSES] + 0.5 * noise * random.normal(size=(QUERIES, DIMENSION))
    rows, asked = _unit(pictures), _unit(texts + 0.5 * random.normal(size=DIMENSION))
    probes: dict[Kind, list[Probe]] = {
        "text": [Probe(str(place), vector) for place, vector in enumerate(asked)],
        "picture": [Probe(str(place), rows[place], place) for place in range(QUERIES)],
    }
    return rows, probes


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)
