"""One question to one collection: whose model embeds it, and what a cut-over meanwhile changes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.errors import CollectionNotFound, DimensionMismatch, FingerprintMismatch, Refused
from console_core.querylab.finding import find, search_one
from console_core.querylab.question import LONGEST
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.types import CollectionSpec, Point
from tests.unit.querylab.conftest import CLIP, SIGLIP, Lab, stamp
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

QUERY = "snowy mountains at night"


@pytest.fixture(name="lab")
def _own_lab(lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A store of this test's own with two collections of eight pictures, and the session's models."""
    store = open_store(StoreSettings(url=f"local:{tmp_path / 'qdrant'}"))
    own = Lab(store, lab.models)
    for name, model in (("by-clip", CLIP), ("by-siglip", SIGLIP)):
        own.fill(name, model, [str(seed) for seed in range(8)])
    store.set_alias("images", "by-clip", expected=None)
    yield own
    store.close()


class _Meanwhile:
    """The lab's store, with something that happens between the look where an alias leads and the search."""

    def __init__(self, store: Any, happens: Callable[[], None]) -> None:
        self._store, self._happens = store, happens

    def search(self, *arguments: Any, **named: Any) -> Any:
        happens, self._happens = self._happens, lambda: None
        happens()
        return self._store.search(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_picture_finds_itself_first_in_the_collection_of_either_model(lab: Lab) -> None:
    for collection in ("by-clip", "by-siglip"):
        found = find(lab.store, lab.models, collection, render(plan(5), 160), limit=3)
        assert found.answers[0].id == 5
        assert found.answers[0].score > 0.999


def test_an_answer_says_which_collection_an_alias_led_to(lab: Lab) -> None:
    found = find(lab.store, lab.models, "images", QUERY, limit=2)
    assert (found.asked, found.collection.name, len(found.answers)) == ("images", "by-clip", 2)
    assert found.took_ms > 0


def test_only_points_with_the_payload_that_was_asked_for_answer(lab: Lab) -> None:
    found = search_one(lab.store, lab.models, "images", QUERY, limit=8, where={"even": [True]})
    assert len(found) == 4
    assert all(hit["payload"]["even"] for hit in found)


def test_an_alias_that_moves_between_the_look_and_the_search_mixes_no_models(lab: Lab) -> None:
    def cut_over() -> None:
        lab.store.set_alias("images", "by-siglip", expected="by-clip")

    try:
        found = find(_Meanwhile(lab.store, cut_over), lab.models, "images", QUERY, limit=8)
    finally:
        lab.store.set_alias("images", "by-clip", expected="by-siglip")
    alone = find(lab.store, lab.models, "by-clip", QUERY, limit=8)
    assert found.collection.name == "by-clip"
    assert [a.id for a in found.answers] == [a.id for a in alone.answers]
    assert [a.score for a in found.answers] == pytest.approx([a.score for a in alone.answers], abs=1e-5)


def test_a_collection_that_vanished_after_its_alias_moved_is_looked_up_again(lab: Lab) -> None:
    lab.fill("short-lived", CLIP, ["1", "2"])
    lab.store.set_alias("served", "short-lived", expected=None)

    def replaced() -> None:
        lab.store.set_alias("served", "by-siglip", expected="short-lived")
        lab.store.drop("short-lived")

    found = find(_Meanwhile(lab.store, replaced), lab.models, "served", QUERY)
    assert found.collection.name == "by-siglip"


def test_a_name_that_passes_to_another_models_collection_is_asked_again_with_that_model(lab: Lab) -> None:
    lab.fill("named", CLIP, ["1", "2", "3"])

    def recreated_in_place() -> None:
        lab.store.drop("named")
        lab.store.set_alias("named", "by-siglip", expected=None)

    found = find(_Meanwhile(lab.store, recreated_in_place), lab.models, "named", QUERY)
    assert found.collection.name == "by-siglip"


def test_a_name_that_passes_to_a_collection_of_the_same_dimension_is_asked_again_too(lab: Lab) -> None:
    lab.fill("named", CLIP, ["1", "2", "3"])

    def recreated_in_place() -> None:
        lab.store.drop("named")
        lab.store.set_alias("named", "by-clip", expected=None)

    found = find(_Meanwhile(lab.store, recreated_in_place), lab.models, "named", QUERY)
    assert found.collection.name == "by-clip"


def test_what_cannot_be_asked_is_refused_with_a_remedy(lab: Lab) -> None:
    for question, limit in ((" ", 10), ("x" * (LONGEST + 1), 10), ("a car", 0), ("a car", 1001)):
        with pytest.raises(Refused) as refused:
            find(lab.store, lab.models, "images", question, limit=limit)
        assert refused.value.remedy
    with pytest.raises(CollectionNotFound):
        find(lab.store, lab.models, "vanished", "a car")


def test_a_collection_whose_model_changed_since_is_not_asked(lab: Lab) -> None:
    made = stamp(lab.models.get(CLIP))
    lab.store.create("older", CollectionSpec(128, stamp=type(made)(CLIP, "0" * 16)))
    with pytest.raises(FingerprintMismatch):
        find(lab.store, lab.models, "older", QUERY)


def test_a_collection_of_another_dimension_than_its_models_is_not_asked(lab: Lab) -> None:
    lab.store.create("odd", CollectionSpec(8, stamp=stamp(lab.models.get(SIGLIP))))
    lab.store.upsert("odd", [Point(1, np.ones(8, dtype=np.float32), {})])
    with pytest.raises(DimensionMismatch):
        find(lab.store, lab.models, "odd", QUERY)


@pytest.mark.parametrize("asked", ["by-clip", "images"])
def test_a_search_of_a_server_counts_nothing_and_reads_no_points(lab: Lab, asked: str) -> None:
    with LoopbackQdrant().running() as server:
        store = QdrantServer(server.url)
        served = Lab(store, lab.models)
        served.fill("by-clip", CLIP, [str(seed) for seed in range(8)])
        store.set_alias("images", "by-clip", expected=None)
        find(store, lab.models, asked, QUERY, limit=2)
        server.requests.clear()
        found = find(store, lab.models, asked, QUERY, limit=2)
        store.close()
    assert len(found.answers) == 2
    assert [f"{one.method} {one.path}" for one in server.requests] == [
        "GET /aliases",
        "GET /collections/by-clip",
        "GET /collections/by-clip",
        "POST /collections/by-clip/points/query",
        "GET /aliases",
    ]
