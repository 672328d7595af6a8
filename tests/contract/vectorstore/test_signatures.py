"""The signature of what a collection holds, in every store: it tells any write, and survives a restart."""

import numpy as np
import pytest

from console_core.vectorstore.signature import Signature, Signing, signature_of
from console_core.vectorstore.types import Point
from tests.contract.vectorstore.world import World, points, vectors


def test_it_is_the_same_after_a_restart_and_in_any_page_size(world: World) -> None:
    name = world.made(count=300)
    before = signature_of(world.store, name)
    assert before.points == 300
    assert before.same_as(signature_of(world.store, name, page_size=7))
    world.reopened()
    assert before.same_as(signature_of(world.store, name))


def test_writing_the_same_again_does_not_change_it(world: World) -> None:
    name = world.made(count=50)
    before = signature_of(world.store, name)
    stored = list(world.store.scroll(name, vectors=True))
    world.store.upsert(name, stored)
    assert before.same_as(signature_of(world.store, name))


@pytest.mark.parametrize("change", ["payload", "vector", "id", "added", "deleted"])
def test_any_write_changes_it(world: World, change: str) -> None:
    name = world.made(count=200)
    before = signature_of(world.store, name)
    [point] = world.store.retrieve(name, [17], vectors=True)
    assert point.vector is not None
    match change:
        case "payload":
            world.store.upsert(name, [Point(17, point.vector, {**point.payload, "caption": "another"})])
        case "vector":
            moved = point.vector + 0.01 * vectors(1, seed=5)[0]
            world.store.upsert(name, [Point(17, moved, point.payload)])
        case "id":
            world.store.delete(name, [17])
            world.store.upsert(name, [Point(1017, point.vector, point.payload)])
        case "added":
            world.store.upsert(name, points(1, first=500))
        case _:
            world.store.delete(name, [17])
    after = signature_of(world.store, name)
    assert not before.same_as(after)
    assert not after.same_as(before)


def test_points_can_be_counted_in_and_out(world: World) -> None:
    name = world.made(count=40)
    signing = Signing(signature_of(world.store, name))
    replaced = world.store.retrieve(name, [3, 4], vectors=True)
    world.store.upsert(name, [Point(3, vectors(1, seed=8)[0], {"new": True})])
    world.store.delete(name, [4])
    signing.remove(replaced)
    signing.add(world.store.retrieve(name, [3, 4], vectors=True))
    assert signing.signature().same_as(signature_of(world.store, name))


def test_it_comes_back_from_json(world: World) -> None:
    signature = signature_of(world.store, world.made(count=5))
    assert Signature.from_json(signature.as_json()) == signature


def test_the_order_of_points_does_not_matter_and_an_exchange_of_vectors_does() -> None:
    some = points(100)
    one, other, exchanged = Signing(), Signing(), Signing()
    one.add(some)
    other.add(reversed(some))
    assert one.signature().same_as(other.signature())
    first, second = some[:2]
    exchanged.add([Point(first.id, second.vector, first.payload), Point(second.id, first.vector, second.payload)])
    exchanged.add(some[2:])
    assert not one.signature().same_as(exchanged.signature())


def test_vectors_that_are_missing_or_not_finite_are_told_apart() -> None:
    def signed(vector: "np.ndarray[tuple[int], np.dtype[np.float32]] | None") -> Signature:
        signing = Signing()
        signing.add([Point(1, vector, {})])
        return signing.signature()

    kinds = [signed(None), signed(np.full(4, np.nan, np.float32)), signed(np.ones(4, np.float32))]
    for one in kinds:
        assert [one.same_as(other) for other in kinds] == [one is other for other in kinds]
