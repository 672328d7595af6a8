"""Collections and aliases, in every store."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from console_core.errors import (
    AliasConflict,
    CollectionExists,
    CollectionNotFound,
    StoreRefused,
)
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.tuning import not_in_force, quantization_of, settings_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore
from tests.contract.vectorstore.world import DIMENSION, STAMP, URL, World, ids, points, vectors


@pytest.mark.server
@pytest.mark.skipif(not URL, reason="set QDRANT_URL (and QDRANT_API_KEY) and run make test-server to test a server too")
def test_the_server_at_qdrant_url_answers_so_the_contract_is_run_on_it() -> None:
    store = open_store(StoreSettings(URL, api_key=os.environ.get("QDRANT_API_KEY", "")))
    assert store.info().kind == "Qdrant server"
    store.close()


def test_a_store_says_what_it_is(world: World) -> None:
    world.store.collections()
    info = world.store.info()
    assert info.kind
    assert info.answered
    assert info.location
    assert info.version[0].isdigit()
    assert all(limit.endswith((".", ".)")) for limit in info.limits)


def test_a_new_collection_is_what_was_asked_for(world: World) -> None:
    name = world.made(dimension=5, distance="dot", stamp=STAMP)
    info = world.store.describe(name)
    assert (info.name, info.dimension, info.distance, info.points) == (name, 5, "dot", 0)
    assert (info.stamp, info.aliases, info.payload_fields, info.problem) == (STAMP, (), (), "")
    assert info in world.store.collections()


def test_collections_are_listed_by_name(world: World) -> None:
    made = [world.made(label) for label in ("b", "a", "c")]
    listed = [info.name for info in world.store.collections() if info.name in made]
    assert listed == sorted(made)


def test_index_and_quantization_are_shown_where_they_are_in_force_and_only_there(world: World) -> None:
    index = {"m": 32, "ef_construct": 200}
    quantization = {"type": "int8", "quantile": 0.99, "always_ram": True}
    info = world.store.describe(world.made(index=index, quantization=quantization))
    match world.store.info().kind:
        case "Qdrant, embedded" | "SQLite, vectors as bytes" | "PostgreSQL, vectors as bytes":
            assert (info.index, info.quantization) == ({}, {})
        case "PostgreSQL with pgvector":
            assert (info.index, info.quantization) == (index, {})
        case _:
            assert index.items() <= info.index.items()
            assert quantization.items() <= info.quantization.items()


@pytest.mark.parametrize(
    "wrong",
    [
        {"distance": "hamming"},
        {"dimension": 0},
        {"index": {"trees": 10}},
        {"quantization": {"type": "int3"}},
        {"quantization": {"type": "int8", "quantile": "much"}},
    ],
)
def test_settings_that_no_store_knows_are_refused_and_nothing_is_made(world: World, wrong: dict[str, Any]) -> None:
    refusal = world.store.refuses_spec(CollectionSpec(**{"dimension": DIMENSION, **wrong}))
    assert isinstance(refusal, StoreRefused)
    assert refusal.remedy
    with pytest.raises(StoreRefused, match=r"Use|Known"):
        world.made(**wrong)
    with pytest.raises(CollectionNotFound):
        world.store.describe(world.name())


def test_settings_that_are_not_in_force_are_read_back_as_what_was_wished_for(world: World) -> None:
    index, quantization = {"m": 32, "ef_construct": 200}, {"type": "int8", "quantile": 0.99, "always_ram": True}
    spec = CollectionSpec(DIMENSION, index=index, quantization=quantization)
    assert world.store.refuses_spec(spec) is None
    assert world.name() not in {info.name for info in world.store.collections()}, "asking makes nothing"
    world.made(index=index, quantization=quantization)
    info = world.reopened().describe(world.name())
    has, kept = settings_of(info)
    assert index.items() <= has.items()
    assert quantization.items() <= kept.items()
    about = world.store.info()
    assert (info.quantization == {}) is ("int8" not in about.quantizations)
    assert (info.index == {}) is (about.indexed_up_to == 0)
    assert not_in_force(about, index, quantization, DIMENSION) == [
        *(["HNSW, m 32, ef_construct 200"] if not info.index else []),
        *(["INT8, quantile 0.99, always in memory"] if not info.quantization else []),
    ]


def test_each_quantization_that_a_store_says_it_has_is_in_force(world: World) -> None:
    for kind in world.store.info().quantizations:
        info = world.store.describe(world.made(kind, quantization=quantization_of(kind)))
        assert info.quantization["type"] == kind


def test_a_taken_name_is_refused_whether_a_collection_or_an_alias_has_it(world: World) -> None:
    taken = world.made(count=2)
    world.store.set_alias(world.name("alias"), taken, expected=None)
    for name in (taken, world.name("alias")):
        with pytest.raises(CollectionExists, match="Choose another name"):
            world.store.create(name, CollectionSpec(DIMENSION))
    assert world.store.count(taken) == 2


def test_an_unknown_collection_is_named_by_every_call(world: World) -> None:
    store, name = world.store, world.name("nowhere")
    calls: list[Callable[[], object]] = [
        lambda: store.describe(name),
        lambda: store.stamp(name, STAMP),
        lambda: store.drop(name),
        lambda: store.defer_index(name),
        lambda: store.restore_index(name),
        lambda: store.upsert(name, points(1)),
        lambda: store.retrieve(name, [1]),
        lambda: store.page(name),
        lambda: list(store.scroll(name)),
        lambda: store.count(name),
        lambda: store.search(name, vectors(1)[0]),
        lambda: store.set_alias(world.name("alias"), name, expected=None),
    ]
    for call in calls:
        with pytest.raises(CollectionNotFound, match=name):
            call()


def test_a_stamp_says_in_which_mode_pictures_were_decoded_until_another_one_replaces_it(world: World) -> None:
    name = world.made(stamp=replace(STAMP, preprocess="turbo"))

    def recorded(store: VectorStore) -> str:
        stamp = store.describe(name).stamp
        assert stamp is not None
        return stamp.preprocess

    assert recorded(world.reopened()) == "turbo"
    world.store.stamp(name, replace(STAMP, preprocess="exact"))
    assert recorded(world.store) == "exact"
    world.store.stamp(name, STAMP)
    assert recorded(world.reopened()) == ""


def test_a_stamp_is_recorded_replaced_and_read_back_after_reopening(world: World) -> None:
    name = world.made()
    assert world.store.describe(name).stamp is None
    world.store.stamp(name, STAMP)
    assert world.store.describe(name).stamp == STAMP
    later = ModelStamp("demo-siglip", "beefcafe")
    world.store.stamp(name, later)
    assert world.reopened().describe(name).stamp == later


def test_payload_fields_come_from_the_points_without_what_the_console_adds(world: World) -> None:
    name = world.made()
    rows = vectors(2)
    world.store.upsert(
        name, [Point(1, rows[0], {"user": 1, "_console": {"key": "1"}}), Point(2, rows[1], {"caption": "a"})]
    )
    assert world.store.describe(name).payload_fields == ("caption", "user")


def test_a_dropped_collection_is_gone_and_its_name_is_free_and_empty(world: World) -> None:
    name = world.made(count=3)
    world.store.drop(name)
    with pytest.raises(CollectionNotFound):
        world.store.count(name)
    world.made()
    assert world.store.count(name) == 0


def test_an_alias_will_do_wherever_a_collection_is_read_or_written(world: World) -> None:
    name, alias = world.made(count=3), world.name("alias")
    world.store.set_alias(alias, name, expected=None)
    world.store.upsert(alias, points(2, first=3))
    world.store.stamp(alias, STAMP)
    info = world.store.describe(alias)
    assert (info.name, info.points, info.aliases, info.stamp) == (name, 5, (alias,), STAMP)
    assert world.store.count(alias) == 5
    assert ids(world.store.retrieve(alias, [4, 0])) == [4, 0]
    assert ids(list(world.store.scroll(alias))) == [0, 1, 2, 3, 4]
    assert len(world.store.search(alias, vectors(1)[0])) == 5
    assert world.reopened().aliases()[alias] == name


def test_switching_an_alias_moves_every_search_to_the_other_collection(world: World) -> None:
    old, new, alias = world.made("old", count=2), world.made("new", count=4), world.name("alias")
    world.store.set_alias(alias, old, expected=None)
    world.store.set_alias(alias, new, expected=old)
    assert (world.store.aliases()[alias], world.store.count(alias)) == (new, 4)
    world.store.set_alias(alias, old, expected=new)
    assert (world.store.aliases()[alias], world.store.count(alias)) == (old, 2)
    assert world.store.count(new) == 4


def test_an_alias_that_does_not_point_where_expected_stays_where_it_is(world: World) -> None:
    old, new, alias = world.made("old"), world.made("new"), world.name("alias")
    with pytest.raises(AliasConflict, match="points to nothing"):
        world.store.set_alias(alias, new, expected=old)
    world.store.set_alias(alias, old, expected=None)
    for expected in (None, new):
        with pytest.raises(AliasConflict, match="Somebody else moved it"):
            world.store.set_alias(alias, new, expected=expected)
    assert world.store.aliases()[alias] == old


def test_an_alias_cannot_bear_the_name_of_a_collection(world: World) -> None:
    name, other = world.made(), world.made("other")
    with pytest.raises(AliasConflict, match=r"refuses an alias that bears a collection's name.*Choose another alias"):
        world.store.set_alias(name, other, expected=None)
    assert name not in world.store.aliases()


def test_an_alias_points_to_a_collection_and_not_to_an_alias(world: World) -> None:
    name, alias = world.made(), world.name("alias")
    world.store.set_alias(alias, name, expected=None)
    with pytest.raises(CollectionNotFound, match="is an alias of"):
        world.store.set_alias(world.name("second"), alias, expected=None)


def test_a_collection_that_is_searched_through_an_alias_cannot_be_dropped(world: World) -> None:
    name, other, alias = world.made(count=2), world.made("other"), world.name("alias")
    world.store.set_alias(alias, name, expected=None)
    with pytest.raises(AliasConflict, match=alias):
        world.store.drop(name)
    with pytest.raises(CollectionNotFound, match="Name the collection itself"):
        world.store.drop(alias)
    assert world.store.count(name) == 2
    world.store.set_alias(alias, other, expected=name)
    world.store.drop(name)
    assert world.store.aliases()[alias] == other


def test_an_outline_is_what_a_description_says_of_a_collection_by_its_name_and_by_an_alias(world: World) -> None:
    name, unstamped = world.made(count=3, stamp=STAMP, distance="dot"), world.made("unstamped")
    alias = world.name("served")
    world.store.set_alias(alias, name, expected=None)
    for asked in (name, alias, unstamped):
        outline, info = world.store.outline(asked), world.store.describe(asked)
        assert (outline.name, outline.dimension, outline.distance) == (info.name, info.dimension, info.distance)
        assert outline.stamp == info.stamp
    assert world.store.outline(alias).name == name
    with pytest.raises(CollectionNotFound):
        world.store.outline(world.name("nowhere"))
