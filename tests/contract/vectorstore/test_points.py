"""Writing and reading points, in every store."""

import uuid
from typing import Any

import numpy as np
import pytest

from console_core.errors import (
    DimensionMismatch,
    StoreRefused,
    VectorInvalid,
)
from console_core.vectorstore.types import Point, PointId
from tests.contract.vectorstore.world import DIMENSION, World, ids, points, unit, vectors


def test_points_come_back_with_payload_and_unit_float32_vectors(world: World) -> None:
    name = world.made()
    written = points(20)
    assert world.store.upsert(name, written) == 20
    for _ in ("before", "after reopening"):
        found = world.store.retrieve(name, range(20), vectors=True)
        for before, after in zip(written, found, strict=True):
            assert before.vector is not None
            assert after.vector is not None
            assert after.vector.dtype == np.float32
            np.testing.assert_allclose(after.vector, unit(before.vector), atol=1e-6)
            assert (after.id, after.payload) == (before.id, before.payload)
        world.reopened()


def test_vectors_are_left_out_unless_asked_for(world: World) -> None:
    name = world.made(count=2)
    assert [point.vector for point in world.store.retrieve(name, [0, 1])] == [None, None]
    assert [point.vector for point in world.store.page(name)[0]] == [None, None]


def test_writing_twice_is_harmless(world: World) -> None:
    name = world.made(count=30)
    before = [(point.id, dict(point.payload)) for point in world.store.scroll(name)]
    assert world.store.upsert(name, points(30)) == 30
    assert [(point.id, dict(point.payload)) for point in world.store.scroll(name)] == before


def test_overwriting_a_point_replaces_its_whole_payload_and_vector(world: World) -> None:
    name = world.made(count=1)
    row = vectors(1, seed=9)[0]
    world.store.upsert(name, [Point(0, row, {"other": True})])
    [found] = world.store.retrieve(name, [0], vectors=True)
    assert found.payload == {"other": True}
    assert found.vector is not None
    np.testing.assert_allclose(found.vector, unit(row), atol=1e-6)


def test_one_call_may_write_more_than_a_request_holds(world: World) -> None:
    name = world.made()
    assert world.store.upsert(name, points(700)) == 700
    assert world.store.count(name) == 700
    assert ids(world.store.retrieve(name, range(699, -1, -1))) == list(range(699, -1, -1))


def test_writing_nothing_writes_nothing(world: World) -> None:
    name = world.made()
    assert world.store.upsert(name, []) == 0
    assert world.store.retrieve(name, []) == []


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_vector_that_is_not_finite_is_refused_and_nothing_is_written(world: World, wrong: float) -> None:
    name = world.made()
    batch = points(3)
    spoiled = np.array(batch[2].vector)
    spoiled[4] = wrong
    with pytest.raises(VectorInvalid, match="point 2"):
        world.store.upsert(name, [*batch[:2], Point(2, spoiled, {})])
    assert world.store.count(name) == 0


def test_a_zero_or_missing_vector_is_refused_and_nothing_is_written(world: World) -> None:
    name = world.made()
    for wrong in (np.zeros(DIMENSION, dtype=np.float32), None):
        with pytest.raises(VectorInvalid, match="point 7"):
            world.store.upsert(name, [*points(2), Point(7, wrong, {})])
    assert world.store.count(name) == 0


def test_a_vector_of_another_length_is_refused_and_nothing_is_written(world: World) -> None:
    name = world.made()
    with pytest.raises(DimensionMismatch, match="point 7 has 9 numbers"):
        world.store.upsert(name, [*points(2), Point(7, np.ones(9, dtype=np.float32), {})])
    assert world.store.count(name) == 0


@pytest.mark.parametrize("wrong", [-1, 2**63, True, "picture-7", 1.5])
def test_what_is_not_a_point_id_is_refused_before_anything_is_written(world: World, wrong: Any) -> None:
    name = world.made()
    with pytest.raises(StoreRefused, match="is not a point id"):
        world.store.upsert(name, [*points(2), Point(wrong, vectors(1)[0], {})])
    assert world.store.count(name) == 0


def test_points_are_retrieved_in_the_order_asked_for_without_those_that_do_not_exist(world: World) -> None:
    name = world.made(count=5)
    assert ids(world.store.retrieve(name, [4, 99, 0, 2])) == [4, 0, 2]


def test_pages_follow_the_ids_with_integers_before_uuids(world: World) -> None:
    name = world.made()
    uuids = [] if world.home else sorted(str(uuid.UUID(int=number)) for number in (3, 2**64, 2**127))
    order: list[PointId] = [0, 5, 6, 300, 2**63 - 1, *uuids]
    rows = vectors(len(order))
    shuffled = np.random.default_rng(3).permutation(len(order))
    world.store.upsert(name, [Point(order[i], rows[i], {}) for i in shuffled])
    seen: list[PointId] = []
    after: PointId | None = None
    while True:
        page, after = world.store.page(name, after=after, limit=3)
        assert len(page) <= 3
        seen += ids(page)
        if after is None:
            break
        assert after == seen[-1]
    assert seen == order
    assert ids(list(world.store.scroll(name, page_size=2))) == order


def test_a_page_starts_behind_an_id_whether_or_not_it_exists(world: World) -> None:
    name = world.made(count=6)
    assert ids(world.store.page(name, after=2)[0]) == [3, 4, 5]
    world.store.upsert(name, [Point(100, vectors(1)[0], {})])
    assert world.store.page(name, after=50)[1] is None
    assert ids(world.store.page(name, after=50)[0]) == [100]
    assert world.store.page(name, after="ffffffff-ffff-ffff-ffff-ffffffffffff") == ([], None)


def test_the_last_page_says_that_it_is_the_last(world: World) -> None:
    name = world.made(count=4)
    assert world.store.page(name, limit=4)[1] is None
    assert world.store.page(name, limit=3)[1] == 2
    assert world.store.page(world.made("empty")) == ([], None)


def test_deleted_points_are_gone_for_good_and_missing_ones_are_passed_over(world: World) -> None:
    name = world.made(count=600)
    world.store.delete(name, [*range(0, 600, 2), 9999])
    world.store.delete(name, [0])
    world.store.delete(name, [])
    for _ in ("before", "after reopening"):
        assert ids(list(world.store.scroll(name))) == list(range(1, 600, 2))
        assert world.store.count(name) == 300
        world.reopened()


def test_what_was_deleted_can_be_written_again(world: World) -> None:
    name = world.made(count=3)
    world.store.delete(name, [1])
    world.store.upsert(name, points(3))
    assert ids(list(world.store.scroll(name))) == [0, 1, 2]


@pytest.mark.parametrize("distance", ["dot", "euclid"])
def test_written_as_they_are_vectors_come_back_bit_by_bit(world: World, distance: str) -> None:
    name = world.made(distance=distance)
    rows = 7 * vectors(5)
    rows[3] = 0
    world.store.upsert(name, [Point(i, row, {}) for i, row in enumerate(rows)], as_is=True)
    for _ in ("before", "after reopening"):
        found = world.store.retrieve(name, range(5), vectors=True)
        assert [point.vector.tobytes() for point in found if point.vector is not None] == [r.tobytes() for r in rows]
        world.reopened()


def test_as_it_is_too_a_vector_must_be_finite_and_of_the_right_length(world: World) -> None:
    name = world.made(distance="dot")
    spoiled = np.full(DIMENSION, np.inf, dtype=np.float32)
    with pytest.raises(VectorInvalid, match="point 7"):
        world.store.upsert(name, [*points(2), Point(7, spoiled, {})], as_is=True)
    with pytest.raises(VectorInvalid, match="point 7"):
        world.store.upsert(name, [*points(2), Point(7, None, {})], as_is=True)
    with pytest.raises(DimensionMismatch, match="point 7"):
        world.store.upsert(name, [*points(2), Point(7, np.ones(9, dtype=np.float32), {})], as_is=True)
    assert world.store.count(name) == 0
