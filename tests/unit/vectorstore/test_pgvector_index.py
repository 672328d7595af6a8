"""The HNSW index in PostgreSQL: what it answers, how it is built beside readers and writers, and builds that break."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from psycopg import sql

from console_core.errors import StoreUnavailable
from console_core.settings import StoreSettings
from console_core.vectorstore import pgvector
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore
from console_core.vectorstore.ways import Search
from tests.postgres import Postgres

BUILDING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active'"


@pytest.fixture
def store(url: str) -> Iterator[VectorStore]:
    opened = open_store(StoreSettings(url))
    yield opened
    opened.close()


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small collections too are searched through their index."""
    monkeypatch.setattr(pgvector, "EXACT_BELOW", 0)


def _points(count: int, dimension: int, seed: int = 1) -> list[Point]:
    """Points in ten clusters, as pictures are: in a random cloud no index finds its way."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(10, dimension))
    rows = centres[np.arange(count) % 10] + 0.3 * random.normal(size=(count, dimension))
    return [Point(i, row.astype(np.float32), {"cluster": i % 10, "rare": i % 100 == 0}) for i, row in enumerate(rows)]


def _made(store: VectorStore, points: list[Point], **spec: Any) -> list[Point]:
    assert points[0].vector is not None
    store.create("images", CollectionSpec(len(points[0].vector), **spec))
    store.defer_index("images")
    store.upsert("images", points)
    store.restore_index("images")
    return points


def _wait_for(postgres: Postgres, query: str, wanted: int) -> None:
    until = time.monotonic() + 30
    with postgres.connect() as connection:
        while (row := connection.execute(query.encode()).fetchone()) is None or row[0] != wanted:
            assert time.monotonic() < until
            time.sleep(0.02)


@pytest.mark.usefixtures("indexed")
@pytest.mark.parametrize(("dimension", "quantization"), [(32, {}), (32, {"type": "float16"}), (2100, {})])
def test_an_index_finds_nearly_all_that_a_comparison_with_every_vector_finds(
    store: VectorStore, dimension: int, quantization: dict[str, str]
) -> None:
    points = _made(store, _points(600, dimension), quantization=quantization)
    info = store.describe("images")
    assert (info.index, info.status) == ({"m": 16, "ef_construct": 100}, "green")
    assert info.quantization == quantization
    rows = np.array([point.vector for point in points])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    right = asked = 0
    rounded = []
    for query in rows[::40]:
        nearest = store.search("images", query, limit=10, way=Search.EXACT)
        assert [hit.id for hit in nearest] == np.argsort(-(rows @ query))[:10].tolist()
        rounded += [
            abs(hit.score - rows[int(hit.id)] @ query)
            for hit in store.search("images", query, way=Search.WITHOUT_RESCORING)
        ]
        hits = store.search("images", query, limit=10)
        exact = rows @ query
        np.testing.assert_allclose([hit.score for hit in hits], exact[[int(hit.id) for hit in hits]], atol=1e-5)
        right += len({hit.id for hit in hits} & set(np.argsort(-exact)[:10].tolist()))
        asked += 10
    assert right / asked > 0.95
    assert (max(rounded) > 1e-6) == (bool(quantization) or dimension > 2000), "scores are of half-precision copies"


@pytest.mark.usefixtures("indexed")
def test_a_filter_that_lets_few_points_through_leaves_none_of_them_out(store: VectorStore) -> None:
    points = _made(store, _points(1500, 16))
    assert points[0].vector is not None
    hits = store.search("images", points[0].vector, limit=15, where={"rare": [True]})
    assert {hit.id for hit in hits} == set(range(0, 1500, 100))
    assert len(store.search("images", points[0].vector, limit=50, where={"cluster": [3]})) == 50
    assert len(store.search("images", points[0].vector, limit=1200)) == 1200


def test_vectors_that_are_too_long_for_an_index_are_kept_whole_and_searched_one_by_one(store: VectorStore) -> None:
    points = _made(store, _points(30, 4100), distance="dot")
    info = store.describe("images")
    assert (info.index, info.quantization, info.status, info.index_deferred) == ({}, {}, "green", False)
    assert points[7].vector is not None
    assert store.search("images", points[7].vector, limit=1)[0].id == 7


def test_vectors_over_two_thousand_numbers_come_back_bit_by_bit(store: VectorStore) -> None:
    points = _points(20, 2100)
    store.create("images", CollectionSpec(2100, "dot"))
    store.upsert("images", points, as_is=True)
    found = store.retrieve("images", range(20), vectors=True)
    assert [point.vector.tobytes() for point in found if point.vector is not None] == [
        point.vector.tobytes() for point in points if point.vector is not None
    ]


def test_a_vector_without_a_direction_has_the_cosine_0(store: VectorStore) -> None:
    store.create("images", CollectionSpec(4))
    rows = [np.zeros(4, np.float32), np.array([1, 0, 0, 0], np.float32), np.array([-1, 0, 0, 0], np.float32)]
    store.upsert("images", [Point(i, row, {}) for i, row in enumerate(rows)], as_is=True)
    assert {hit.id: round(hit.score, 6) for hit in store.search("images", rows[1])} == {0: 0.0, 1: 1.0, 2: -1.0}


def test_points_without_a_vector_are_kept_where_the_vector_has_a_name_and_never_found(store: VectorStore) -> None:
    store.create("images", CollectionSpec(4, vector_name="image"))
    row = np.array([1, 0, 0, 0], np.float32)
    store.upsert("images", [Point(1, row, {}), Point(2, None, {"bare": True}), Point(3, row, {})], as_is=True)
    assert store.describe("images").vector_name == "image"
    assert [point.vector is None for point in store.retrieve("images", [1, 2, 3], vectors=True)] == [False, True, False]
    assert {hit.id for hit in store.search("images", row)} == {1, 3}


def test_an_index_is_built_beside_readers_and_writers(postgres: Postgres, url: str, store: VectorStore) -> None:
    store.create("images", CollectionSpec(16))
    store.defer_index("images")
    store.upsert("images", _points(500, 16))
    with postgres.connect() as holding, holding.transaction():
        _hold(holding, url)
        thread = threading.Thread(target=store.restore_index, args=("images",))
        thread.start()
        _wait_for(postgres, BUILDING, 1)
        assert store.upsert("images", _points(600, 16)) == 600
        assert store.count("images") == 600
        assert store.describe("images").index_deferred
    thread.join()
    assert (store.describe("images").status, store.describe("images").index_deferred) == ("green", False)


def _hold(connection: Any, url: str) -> None:
    """Keep a build of an index waiting until the connection's transaction ends."""
    table = sql.Identifier(url.rpartition("schema=")[2], "images")
    connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(table))


@pytest.mark.parametrize("leaves_the_server_building", [False, True])
def test_a_build_that_was_broken_off_is_made_good_by_whoever_comes_next(
    postgres: Postgres, url: str, store: VectorStore, leaves_the_server_building: bool
) -> None:
    store.create("images", CollectionSpec(16))
    store.defer_index("images")
    store.upsert("images", _points(200, 16))
    failures: list[StoreUnavailable] = []

    def restore() -> None:
        try:
            store.restore_index("images")
        except StoreUnavailable as error:
            failures.append(error)

    with postgres.connect() as holding, holding.transaction():
        _hold(holding, url)
        first = threading.Thread(target=restore)
        first.start()
        _wait_for(postgres, BUILDING, 1)
        later = open_store(StoreSettings(url))
        second = threading.Thread(target=later.restore_index, args=("images",))
        if not leaves_the_server_building:
            with postgres.connect() as other:
                other.execute(BUILDING.replace("count(*)", "pg_terminate_backend(pid)").encode())
            first.join()
            assert later.describe("images").status == "yellow"
            assert later.describe("images").index_deferred
        second.start()
        time.sleep(0.2)
        assert second.is_alive()
    for thread in (first, second):
        thread.join()
    assert len(failures) == (not leaves_the_server_building)
    info = later.describe("images")
    assert (info.status, info.index_deferred, info.index) == ("green", False, {"m": 16, "ef_construct": 100})
    later.close()


def test_an_index_that_somebody_dropped_by_hand_is_seen_and_built_again(
    postgres: Postgres, url: str, store: VectorStore
) -> None:
    store.create("images", CollectionSpec(8, index={"m": 8, "ef_construct": 40}))
    store.upsert("images", _points(20, 8))
    postgres.execute(f"DROP INDEX {url.rpartition('schema=')[2]}.console_1_hnsw")
    assert (store.describe("images").index, store.describe("images").status) == ({}, "grey")
    store.restore_index("images")
    assert (store.describe("images").index, store.describe("images").status) == ({"m": 8, "ef_construct": 40}, "green")
