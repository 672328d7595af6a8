"""Large collections of the edge store are indexed beside what is searched and written, and quantized ones compared
again."""

import shutil
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


def until_built(collections: EdgeCollections) -> edge_index._Building:
    """Tend until the copy is indexed, and waits to take the collection's place."""
    collections.tend_index()
    building = collections._indexing._building["images"]
    assert building.over.wait(120)
    assert building.done
    return building


def rewritten(collections: EdgeCollections, ids: list[int], seed: int) -> NDArray[np.float32]:
    rows = clustered(len(ids), seed=seed)
    for start in range(0, len(ids), 250):
        part = ids[start : start + 250]
        collections.writing("images", part).upsert(part, rows[start : start + 250], [{"n": "new"}] * len(part))
    return rows


def test_what_was_written_meanwhile_is_carried_over_a_little_at_a_time_so_that_nobody_waits_long(
    tmp_path: Path,
) -> None:
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION), clustered(POINTS))
    before, building = collections.shard("images"), until_built(collections)
    ids = list(range(3 * edge_index.CARRIED))
    rows = rewritten(collections, ids, seed=5)
    for left in (2, 1):
        collections.tend_index()
        assert len(building.changed) == left * edge_index.CARRIED
        assert collections.shard("images") is before
        assert collections.described("images").status == "yellow"
    again = rewritten(collections, [0, POINTS], seed=6)
    collections.writing("images", [1]).delete([1])
    collections.tend_index()
    assert collections.shard("images") is before
    collections.tend_index()
    assert collections.shard("images") is not before
    assert collections.described("images").status == "green"
    rows[0] = again[0]
    found_ids, vectors, _, payloads = collections.shard("images").retrieve([*ids, POINTS], True)
    assert set(found_ids) == {*ids, POINTS} - {1}
    assert all(payload == {"n": "new"} for payload in payloads)
    assert vectors is not None
    for key, vector in zip(found_ids, vectors, strict=True):
        np.testing.assert_allclose(vector, again[1] if key == POINTS else rows[int(key)], atol=1e-6)
    collections.close()
    assert len(list(folder.shards.iterdir())) == 1
    folder.close()


@pytest.mark.parametrize("broken", ["before it was opened", "in the middle"])
def test_a_copy_that_cannot_take_the_place_is_thrown_away_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr(edge_index, "AGAIN_AFTER", 0.0)
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION), clustered(POINTS))
    before, building = collections.shard("images"), until_built(collections)
    if broken == "in the middle":
        rewritten(collections, list(range(2 * edge_index.CARRIED)), seed=5)
        collections.tend_index()
        assert building._built is not None
        building._built.close()
    else:
        shutil.rmtree(building.target)
    with pytest.raises(Exception, match=r"."):
        collections.tend_index()
    assert collections.shard("images") is before
    assert [one.name for one in folder.shards.iterdir()] == [before.folder.name]
    assert not list(folder.building.iterdir())
    until_indexed(collections)
    assert collections.shard("images") is not before
    assert collections.shard("images").count() == POINTS
    collections.close()
    assert len(list(folder.shards.iterdir())) == 1
    folder.close()


def test_a_collection_that_is_dropped_while_its_copy_takes_its_place_leaves_nothing(tmp_path: Path) -> None:
    folder = EdgeFolder(tmp_path, WHERE)
    collections = filled(folder, CollectionSpec(DIMENSION), clustered(POINTS))
    until_built(collections)
    rewritten(collections, list(range(2 * edge_index.CARRIED)), seed=5)
    collections.tend_index()
    collections.drop("images")
    collections.close()
    assert not list(folder.shards.iterdir())
    assert not list(folder.building.iterdir())
    folder.close()
