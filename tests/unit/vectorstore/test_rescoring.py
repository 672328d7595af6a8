"""Searches of a quantized collection rank what they find by the whole vectors, which the engine does only if asked."""

from pathlib import Path

import numpy as np
import pytest
import qdrant_edge as edge

from console_core.vectorstore.edge_shard import Shard
from console_core.vectorstore.edge_words import search_params
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import CollectionSpec, Point, Vector
from console_core.vectorstore.ways import Search
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant
from tests.unit.vectorstore.test_edge_index import DIMENSION, clustered

POINTS = 6_000
SPEC = CollectionSpec(
    DIMENSION,
    index={"m": 16, "ef_construct": 100},
    quantization={"type": "int8", "quantile": 0.99, "always_ram": True},
)


def off(shard: Shard, rows: Vector, queries: Vector, way: Search) -> tuple[float, float]:
    """How far scores are from the cosine at most, and what share of the ten nearest is found."""
    furthest, same = 0.0, 0
    for query in queries:
        true = rows @ query
        found = shard.search(query, 10, None, way)
        furthest = max(furthest, *(abs(score - float(true[int(key)])) for key, score, _ in found))
        same += len({key for key, _, _ in found} & set(np.argsort(-true)[:10].tolist()))
    return furthest, same / (10 * len(queries))


def test_an_indexed_int8_collection_of_the_edge_engine_is_ranked_by_whole_vectors(
    tmp_path: Path,
) -> None:
    rows = clustered(POINTS)
    (tmp_path / "shard").mkdir()
    shard = Shard(tmp_path / "shard", SPEC, new=True)
    for start in range(0, POINTS, 1000):
        shard.upsert(list(range(start, start + 1000)), rows[start : start + 1000], [{}] * 1000)
    shard._shard.optimize()
    assert shard.indexed() > 0
    queries = clustered(20, seed=9)
    ranked, plain, whole, exact = (
        off(shard, rows, queries, way)
        for way in (Search.USUAL, Search.WITHOUT_RESCORING, Search.UNQUANTIZED, Search.EXACT)
    )
    shard.close()
    print(f"found of the ten nearest, of {POINTS:,}: {plain[1]:.1%} plain, {ranked[1]:.1%} rescored")  # noqa: T201
    assert ranked[0] < 1e-5, "scores are those of the whole vectors"
    assert plain[0] > 1e-4, "unless asked, the engine gives those of the rounded ones"
    assert ranked[1] > plain[1]
    assert ranked[1] > 0.98
    assert whole[0] < 1e-5
    assert whole[1] > 0.98
    assert exact[0] < 1e-5
    assert exact[1] == 1


def test_only_a_quantized_collection_of_the_edge_engine_is_searched_like_that() -> None:
    asked = search_params(SPEC)
    assert isinstance(asked, edge.SearchParams)
    assert search_params(CollectionSpec(DIMENSION)) is None


IGNORED, ASKED = {"ignore": True}, {"rescore": True, "oversampling": 2.0}


@pytest.mark.parametrize(
    ("way", "quantized", "plain"),
    [
        (Search.USUAL, {"quantization": ASKED}, None),
        (Search.UNQUANTIZED, {"quantization": IGNORED}, None),
        (Search.WITHOUT_RESCORING, {"quantization": {"rescore": False}}, None),
        (Search.EXACT, {"exact": True, "quantization": IGNORED}, {"exact": True, "quantization": IGNORED}),
    ],
)
def test_a_server_is_asked_for_the_way_and_usually_to_rescore_where_the_collection_is_quantized(
    way: Search, quantized: dict[str, object], plain: dict[str, object] | None
) -> None:
    with LoopbackQdrant().running() as server:
        store = QdrantServer(server.url)
        for name, quantization in (("rounded", {"type": "int8", "quantile": 0.99}), ("whole", {})):
            store.create(name, CollectionSpec(2, quantization=quantization))
            store.upsert(name, [Point(1, np.array([3, 4], dtype=np.float32), {})])
            assert [hit.id for hit in store.search(name, np.array([1, 1], dtype=np.float32), way=way)] == [1]
        asked = [request.body.get("params") for request in server.requests if request.path.endswith("/query")]
        store.close()
    assert asked == [quantized, plain]
