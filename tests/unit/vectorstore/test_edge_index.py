"""Large collections of the edge store are indexed beside what is searched and written, and quantized ones compared
again."""

import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from console_core.vectorstore import edge_index
from console_core.vectorstore.edge_collections import EdgeCollections
from console_core.vectorstore.edge_folder import EdgeFolder
from console_core.vectorstore.types import CollectionSpec

DIMENSION, POINTS = 64, 12_000
WHERE = "The store"


def clustered(count: int, seed: int = 1) -> NDArray[np.float32]:
    dice = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(60, DIMENSION))
    rows = centres[dice.integers(0, 60, count)] + 0.4 * dice.normal(size=(count, DIMENSION))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge_index, "DUE_BYTES", 2_000_000)
    monkeypatch.setattr(edge_index, "QUIET", 0.0)


def filled(folder: EdgeFolder, spec: CollectionSpec, rows: NDArray[np.float32]) -> EdgeCollections:
    collections = EdgeCollections(folder)
    collections.create("images", spec)
    for start in range(0, len(rows), 500):
        ids = list(range(start, min(start + 500, len(rows))))
        collections.writing("images", ids).upsert(ids, rows[ids], [{"n": number} for number in ids])
    return collections


def until_indexed(collections: EdgeCollections) -> set[str]:
    """Tend until the index is there; the words that the store said meanwhile."""
    said: set[str] = set()
    until = time.monotonic() + 120
    while not said or collections.described("images").status != "green":
        assert time.monotonic() < until
        said.add(collections.described("images").status)
        collections.tend_index()
        time.sleep(0.02)
    return said


def found(collections: EdgeCollections, query: NDArray[np.float32]) -> list[object]:
    return [key for key, _, _ in collections.shard("images").search(query, 10, None)]


@pytest.mark.parametrize("quantization", [{}, {"type": "int8", "quantile": 0.99, "always_ram": True}])
def test_an_index_is_built_and_searches_find_what_comparing_all_vectors_finds(
    tmp_path: Path, quantization: dict[str, object]
) -> None:
    rows = clustered(POINTS)
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION, index={"m": 8}, quantization=quantization), rows)
    assert collections.shard("images").indexed() == 0
    assert until_indexed(collections) == {"grey", "yellow"}
    shard = collections.shard("images")
    assert shard.indexed() >= POINTS - 1000
    assert shard.count() == POINTS
    queries = clustered(50, seed=9)
    right = [set(np.argsort(-(rows @ query))[:10].tolist()) for query in queries]
    same = sum(len(one & set(found(collections, query))) for one, query in zip(right, queries, strict=True))
    assert same / (10 * len(queries)) > 0.95
    assert not list(folder.building.iterdir())
    collections.close()
    assert len(list(folder.shards.iterdir())) == 1
    folder.close()


def test_what_is_written_and_deleted_while_the_index_is_built_is_there_afterwards(tmp_path: Path) -> None:
    rows = clustered(POINTS)
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION), rows)
    before = collections.shard("images")
    collections.tend_index()
    until, number = time.monotonic() + 60, 0
    building = collections._indexing._building["images"]
    while not building._copied:
        assert time.monotonic() < until
        time.sleep(0.01)
    later = clustered(4000, seed=5)
    while collections.shard("images") is before:
        assert time.monotonic() < until
        if number < 2000:
            ids = [number, POINTS + number]
            collections.writing("images", ids).upsert(ids, later[[number, number + 1]], [{"n": "new"}] * 2)
            collections.writing("images", [5000 + number]).delete([5000 + number])
            number += 1
        collections.tend_index()
        time.sleep(0.002)
    assert number > 0
    for _ in ("taken over", "reopened"):
        shard = collections.shard("images")
        assert shard.count() == POINTS
        found_ids, vectors, _, payloads = shard.retrieve([*range(number), *range(POINTS, POINTS + number)], True)
        assert len(found_ids) == 2 * number
        assert all(payload == {"n": "new"} for payload in payloads)
        assert vectors is not None
        placed = dict(zip(found_ids, vectors, strict=True))
        np.testing.assert_allclose(placed[0], later[0], atol=1e-6)
        assert shard.retrieve(list(range(5000, 5000 + number)), False)[0] == []
        collections.close()
        collections = EdgeCollections(folder)
    collections.close()
    folder.close()


def test_a_copy_that_a_write_overtook_is_thrown_away_and_made_again(tmp_path: Path) -> None:
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION), clustered(POINTS))
    collections.tend_index()
    overtaken = collections._indexing._building["images"]
    row = clustered(1, seed=3)
    collections.writing("images", [7]).upsert([7], row, [{"n": "new"}])
    assert overtaken.overtaken
    until_indexed(collections)
    ids, vectors, _, payloads = collections.shard("images").retrieve([7], True)
    assert (ids, payloads) == ([7], [{"n": "new"}])
    assert vectors is not None
    np.testing.assert_allclose(vectors, row, atol=1e-6)
    collections.close()
    folder.close()


def test_nothing_is_indexed_while_that_is_deferred_and_everything_once_it_is_restored(tmp_path: Path) -> None:
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION), clustered(0))
    collections.defer("images", True)
    rows = clustered(POINTS)
    ids = list(range(POINTS))
    collections.writing("images", ids).upsert(ids, rows, [{}] * POINTS)
    collections.tend_index()
    assert collections.described("images").status == "grey"
    collections.defer("images", False)
    until_indexed(collections)
    assert collections.shard("images").indexed() > 0
    collections.close()
    folder.close()


def test_a_collection_that_is_dropped_or_a_store_that_is_closed_stops_the_building(tmp_path: Path) -> None:
    folder = EdgeFolder(tmp_path, WHERE)
    for end in ("dropped", "closed"):
        collections = filled(folder, CollectionSpec(DIMENSION), clustered(POINTS))
        collections.tend_index()
        assert collections.described("images").status == "yellow"
        if end == "dropped":
            collections.drop("images")
        collections.close()
        assert not list(folder.building.iterdir())
    folder.close()
