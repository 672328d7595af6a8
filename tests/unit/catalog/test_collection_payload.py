"""Points as rows of a catalog: which fields they carry, what their keys are, and how their facets are counted."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.catalog import facet_counter
from console_core.catalog.collection import CollectionCatalog
from console_core.catalog.facet_counter import commonest
from console_core.catalog.opening import open_catalog
from console_core.console.listed_points import StorePoints
from console_core.errors import CatalogInvalid, CatalogUnavailable
from console_core.settings import CatalogSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, Point, PointId

Opened = Callable[..., CollectionCatalog]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """A catalog of points with these payloads by id."""
    store = open_store(StoreSettings(f"local:{tmp_path / 'qdrant'}"))
    store.create("pictures", CollectionSpec(2))

    def fill(points: Mapping[PointId, Mapping[str, Any]], **changes: Any) -> CollectionCatalog:
        vector = np.ones(2, dtype=np.float32)
        store.upsert("pictures", [Point(identifier, vector, payload) for identifier, payload in points.items()])
        given: dict[str, Any] = {"kind": "collection", "location": "pictures", "paths": ("path",), **changes}
        return CollectionCatalog(CatalogSettings(**given), StorePoints(store), page=2)

    yield fill
    store.close()


def test_all_fields_are_carried_as_they_are_but_those_of_the_console(opened: Opened) -> None:
    payload = {"path": "a.jpg", "tags": ["x", {"y": [1, None]}], "size": {"w": 1.5}, "n": 0, "ok": False, "none": None}
    made = Provenance("5", "r", "c", "f", "run", "").as_payload()
    (row,) = opened({5: {**payload, **made}}).rows()
    assert row.payload == payload
    assert isinstance(row.payload["ok"], bool)


def test_named_fields_are_carried_with_those_that_make_a_collection_a_catalog_again(opened: Opened) -> None:
    payload = {"path": "a.jpg", "user": "u", "kind": "k", "at": 7, "caption": "c", "other": "o"}
    mapping = {"payload": ("caption",), "facets": ("kind",), "tenant": "user", "updated_at": "at"}
    catalog = opened({1: payload}, **mapping)
    (row,) = catalog.rows()
    assert row.payload == {name: payload[name] for name in ("path", "user", "kind", "at", "caption")}
    assert row.facets == {"user": "u", "kind": "k"}
    assert catalog.info().tenant == "user"


def test_a_field_may_hold_several_paths_and_others_are_tried_after_them(opened: Opened) -> None:
    points = {1: {"path": ["a.jpg", "", "b.jpg"], "more": "c.jpg"}, 2: {"path": 7, "more": " "}, 3: {"more": "a.jpg"}}
    rows = opened(points, paths=("path", "more")).rows()
    assert [row.candidates for row in rows] == [("a.jpg", "b.jpg", "c.jpg"), (), ("a.jpg",)]


def test_a_point_that_the_console_wrote_keeps_the_key_of_its_picture(opened: Opened) -> None:
    key = '["acme",7]'
    mine = Provenance(key, "r", "c", "f", "run", "").as_payload()
    moved = Provenance("elsewhere", "r", "c", "f", "run", "").as_payload()
    catalog = opened({point_id(key): {"path": "a.jpg", **mine}, 3: {"path": "b.jpg", **moved}})
    assert [row.key for row in catalog.rows()] == ["3", key]
    assert [row.key for row in catalog.get([key, "3", str(point_id(key))])] == [key, "3"]
    assert [row.key for row in catalog.rows(after="3")] == [key]


def test_the_revision_changes_with_what_is_carried_and_with_nothing_else(opened: Opened) -> None:
    def revision(**payload: Any) -> str:
        (row,) = opened({1: {"path": "a.jpg", **payload}}, payload=("caption",)).rows()
        return row.revision

    usual = revision(caption="c", other=1)
    assert revision(caption="c", other=2) == usual
    assert len({usual, revision(caption="d"), revision(caption="c", path="b.jpg")}) == 3


def test_facets_of_every_type_tell_values_that_a_slice_understands(opened: Opened) -> None:
    values = ["text", 7, 1.5, True, None, ["a", 1], "ü"]
    points: dict[PointId, dict[str, Any]] = {
        number: {"path": "a.jpg", "v": value} for number, value in enumerate(values)
    }
    catalog = opened({**points, 99: {"path": "a.jpg"}}, facets=("v",))
    assert catalog.facets() == {"v": {"": 2, "1.5": 1, "7": 1, '["a", 1]': 1, "text": 1, "true": 1, "ü": 1}}


def test_a_catalog_that_cannot_be_one_is_refused(opened: Opened) -> None:
    with pytest.raises(CatalogInvalid, match="which payload fields of pictures hold the paths"):
        opened({}, paths=())
    with pytest.raises(CatalogUnavailable, match="The catalog is the collection photos, and there is none"):
        opened({}, location="photos").count()
    with pytest.raises(CatalogInvalid, match="There is no store"):
        open_catalog(CatalogSettings("collection", "pictures", paths=("path",)))


def test_any_number_of_values_is_counted_exactly_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facet_counter, "MOST", 500)
    rows = ({"id": str(number), "kind": str(number % 7), "some": f"v{number % 300}"} for number in range(9000))
    counts = commonest(rows, ("kind", "some", "id", "none")[:3])
    assert counts["kind"] == {str(n): 1286 for n in range(5)} | {"5": 1285, "6": 1285}
    assert len(counts["some"]) == len(counts["id"]) == 200
    assert set(counts["some"].values()) == {30}
