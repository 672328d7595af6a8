"""Searching, and reading without the right to write, in every store."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from console_core.errors import (
    DimensionMismatch,
    StoreReadOnly,
    VectorInvalid,
)
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.types import CollectionSpec, Point, PointId
from console_core.vectorstore.ways import Search
from tests.contract.vectorstore.world import DIMENSION, STAMP, World, ids, points, unit, vectors


def test_a_search_ranks_and_scores_as_the_cosine_does(world: World) -> None:
    name = world.made(count=200)
    query = vectors(1, seed=77)[0]
    for _ in ("before", "after reopening"):
        cosines = unit(vectors(200, seed=1)) @ unit(query)
        hits = world.store.search(name, query * 12.5, limit=20)
        assert [hit.id for hit in hits] == np.argsort(-cosines)[:20].tolist()
        np.testing.assert_allclose([hit.score for hit in hits], np.sort(cosines)[::-1][:20], atol=1e-5)
        assert hits[0].payload == {"caption": f"picture {hits[0].id}"}
        world.reopened()


def test_an_exact_search_finds_what_comparing_every_vector_finds_in_every_distance(world: World) -> None:
    rows, query = unit(vectors(300, seed=1)), unit(vectors(1, seed=78))[0]
    scores = {
        "cosine": rows @ query,
        "dot": rows @ query,
        "euclid": -np.linalg.norm(rows - query, axis=1),
        "manhattan": -np.abs(rows - query).sum(axis=1),
    }
    captions: list[Any] = [f"picture {key}" for key in range(0, 300, 7)]
    for distance, true in scores.items():
        name = world.made(distance, count=300, distance=distance, quantization=_quantization(world))
        for store in (world.store, ReadOnlyStore(world.store)):
            hits = store.search(name, query, limit=40, way=Search.EXACT)
            assert [hit.id for hit in hits] == np.argsort(-true)[:40].tolist()
            np.testing.assert_allclose([hit.score for hit in hits], np.sort(true)[::-1][:40], atol=1e-5)
        some = world.store.search(name, query, limit=5, where={"caption": captions}, way=Search.EXACT)
        assert [hit.id for hit in some] == (np.argsort(-true[::7])[:5] * 7).tolist()
        for way in Search:
            hits = world.store.search(name, rows[17], limit=5, way=way)
            assert hits[0].id == 17
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def _quantization(world: World) -> dict[str, Any]:
    """One that rounds, where the store has one."""
    kinds = world.store.info().quantizations
    return {"type": "int8", "quantile": 0.99} if "int8" in kinds else {"type": "float16"} if kinds else {}


def test_searches_are_seen_by_whoever_shall_yield_to_them_and_nothing_else_is(world: World) -> None:
    name = world.made(count=5)
    list(world.store.scroll(name, vectors=True))
    world.store.retrieve(name, [1])
    assert not world.traffic.busy()
    world.store.search(name, vectors(1)[0])
    assert world.traffic.busy()


def test_a_query_of_another_length_or_that_is_not_a_direction_is_refused(world: World) -> None:
    name = world.made(count=3)
    with pytest.raises(DimensionMismatch, match="Use the model that made the collection"):
        world.store.search(name, np.ones(DIMENSION + 1, dtype=np.float32))
    for wrong in (0.0, np.nan, np.inf):
        with pytest.raises(VectorInvalid, match="The query vector"):
            world.store.search(name, np.full(DIMENSION, wrong, dtype=np.float32))


def test_a_search_can_be_limited_to_values_of_payload_fields(world: World) -> None:
    name = world.made()
    payloads: list[dict[str, Any]] = [
        {"user": 1, "type": "photo", "public": True},
        {"user": 2, "type": "photo", "public": False},
        {"user": 3, "type": "icon", "score": 0.5},
        {"user": 3, "type": None},
        {"user": "3"},
    ]
    rows = vectors(len(payloads))
    world.store.upsert(name, [Point(i, rows[i], payload) for i, payload in enumerate(payloads)])

    def found(**where: Any) -> set[PointId]:
        return {hit.id for hit in world.store.search(name, rows[0], where=where)}

    assert found(user=[1, 2]) == {0, 1}
    assert found(user=[3]) == {2, 3}
    assert found(user=["3"]) == {4}
    assert found(user=[3], type=["icon"]) == {2}
    assert found(public=[True]) == {0}
    assert found(score=[0.5, 0.75]) == {2}
    assert found(type=[""]) == {3, 4}
    assert found(type=["", "icon"]) == {2, 3, 4}
    assert found(user=[]) == set()


def test_a_payload_field_is_found_by_its_own_name_whatever_is_in_it(world: World) -> None:
    name, rows = world.made(), vectors(2)
    odd = ("shoe size", "a.b", "größe", "tags[0]", "a-b")
    world.store.upsert(name, [Point(0, rows[0], dict.fromkeys(odd, "46")), Point(1, rows[1], {"a": {"b": "46"}})])
    for field in odd:
        assert {hit.id for hit in world.store.search(name, rows[0], where={field: ["46"]})} == {0}, field
        assert {hit.id for hit in world.store.search(name, rows[0], where={field: [""]})} == {1}, field


def test_a_search_answers_with_no_more_than_the_limit(world: World) -> None:
    name = world.made(count=10)
    assert len(world.store.search(name, vectors(1)[0], limit=3)) == 3
    assert len(world.store.search(name, vectors(1)[0], limit=30)) == 10
    assert world.store.search(name, vectors(1)[0], limit=0) == []


def test_a_read_only_store_reads_everything_and_writes_nothing(world: World) -> None:
    name, alias = world.made(count=3), world.name("alias")
    world.store.set_alias(alias, name, expected=None)
    store = ReadOnlyStore(world.store)
    writes: list[Callable[[], object]] = [
        lambda: store.create(world.name("new"), CollectionSpec(DIMENSION)),
        lambda: store.stamp(name, STAMP),
        lambda: store.drop(name),
        lambda: store.upsert(name, points(1, first=50)),
        lambda: store.set_alias(alias, name, expected=name),
        lambda: store.defer_index(name),
        lambda: store.restore_index(name),
        lambda: store.delete(name, [1]),
    ]
    before = store.describe(alias)
    for write in writes:
        with pytest.raises(StoreReadOnly, match="dry run"):
            write()
    assert store.describe(alias) == before
    assert before in store.collections()
    assert ids(list(store.scroll(name))) == ids(store.retrieve(name, [0, 1, 2])) == ids(store.page(name)[0])
    assert len(store.search(name, vectors(1)[0])) == store.count(name) == 3
    assert store.aliases()[alias] == name
    assert (store.info(), store.size_on_disk()) == (world.store.info(), world.store.size_on_disk())
    store.close()
    assert world.store.count(name) == 3
