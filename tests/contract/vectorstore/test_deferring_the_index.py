"""A load without an index, and the index afterwards, in every store: whatever happens in between."""

import numpy as np

from console_core.vectorstore.types import CollectionInfo
from tests.contract.vectorstore.world import STAMP, World, points, unit, vectors

INDEX = {"m": 24, "ef_construct": 120}


def _deferred(world: World, count: int = 0) -> tuple[str, CollectionInfo]:
    """A collection whose index is deferred, and what it was before."""
    name = world.made(count=count, index=INDEX, stamp=STAMP)
    before = world.store.describe(name)
    world.store.defer_index(name)
    return name, before


def _defers(before: CollectionInfo) -> bool:
    """Not where other vectors of the same points, which may be searched, would be left without their index too."""
    return bool(before.index) and "@" not in before.name


def test_only_a_store_that_has_an_index_defers_it_and_says_so(world: World) -> None:
    name, before = _deferred(world)
    info = world.store.describe(name)
    assert not before.index_deferred
    assert info.index_deferred == _defers(before)
    assert (info.index, info.quantization, info.stamp) == (before.index, before.quantization, STAMP)


def test_a_deferred_collection_is_written_and_searched_as_any_other(world: World) -> None:
    name, _ = _deferred(world)
    world.store.upsert(name, points(300))
    query = vectors(1, seed=77)[0]
    cosines = unit(vectors(300, seed=1)) @ unit(query)
    for _ in ("deferred", "restored"):
        hits = world.store.search(name, query, limit=10)
        assert [hit.id for hit in hits] == np.argsort(-cosines)[:10].tolist()
        assert world.store.count(name) == 300
        world.store.restore_index(name)


def test_whoever_opens_the_store_later_can_put_the_settings_in_force_again(world: World) -> None:
    name, before = _deferred(world)
    world.store.upsert(name, points(50))
    later = world.reopened()
    assert later.describe(name).index_deferred == _defers(before)
    later.restore_index(name)
    restored = world.reopened().describe(name)
    assert not restored.index_deferred
    assert (restored.index, restored.quantization, restored.stamp) == (before.index, before.quantization, STAMP)
    assert restored.points == 50


def test_deferring_and_restoring_twice_does_no_harm(world: World) -> None:
    name, before = _deferred(world, count=20)
    world.store.defer_index(name)
    for _ in range(2):
        world.store.restore_index(name)
    assert world.store.describe(name) == before
    world.store.defer_index(name)
    world.store.restore_index(name)
    assert world.store.describe(name) == before


def test_restoring_what_was_never_deferred_changes_nothing(world: World) -> None:
    name = world.made(count=5, index=INDEX)
    before = world.store.describe(name)
    world.store.restore_index(name)
    assert world.store.describe(name) == before


def test_a_collection_that_an_alias_leads_to_keeps_its_index(world: World) -> None:
    name, alias = world.made(count=5, index=INDEX), world.name("alias")
    world.store.set_alias(alias, name, expected=None)
    before = world.store.describe(name)
    for called in (name, alias):
        world.store.defer_index(called)
        assert world.store.describe(name) == before


def test_a_collection_that_was_given_an_alias_meanwhile_is_restored_by_either_name(world: World) -> None:
    name, before = _deferred(world, count=5)
    world.store.set_alias(world.name("alias"), name, expected=None)
    world.store.restore_index(world.name("alias"))
    info = world.store.describe(name)
    assert (info.index_deferred, info.index) == (False, before.index)


def test_a_stamp_that_is_written_meanwhile_and_the_note_of_the_index_are_both_kept(world: World) -> None:
    name = world.made(index=INDEX)
    before = world.store.describe(name)
    world.store.defer_index(name)
    world.store.stamp(name, STAMP)
    assert world.reopened().describe(name).index_deferred == _defers(before)
    world.store.restore_index(name)
    info = world.store.describe(name)
    assert (info.stamp, info.index, info.index_deferred) == (STAMP, before.index, False)
