"""The same pictures of two collections: row by row, bounded, only what their own models made, and the same again."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from console_core.errors import Refused
from console_core.querylab.calibration import draw, read
from console_core.querylab.in_both import MOST, TwoMaps, in_both, two_maps, worth_showing
from console_core.querylab.projection import has_umap
from console_core.querylab.samples import Samples
from console_core.querylab.umap_process import flattened
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Point, VectorStore
from tests.unit.querylab.conftest import Lab

CLASSES = 7


def filled(store: VectorStore, name: str, seed: int, dimension: int, pictures: int) -> CollectionInfo:
    """A collection of pictures of some classes, in the order of a random number of its own."""
    random = np.random.default_rng(seed)
    classes = random.normal(size=(CLASSES, dimension))
    rows = (classes[np.arange(pictures) % CLASSES] + 0.5 * random.normal(size=(pictures, dimension))).astype(np.float32)
    store.create(name, CollectionSpec(dimension, stamp=ModelStamp(name, f"of {name}")))
    points = [
        Point(
            point_id(f"p{number}"),
            row,
            {
                "kind": f"k{number % CLASSES}",
                "rare": number or None,
                **Provenance(f"p{number}", "", "", f"of {name}", "", "").as_payload(),
            },
        )
        for number, row in enumerate(rows)
    ]
    for start in random.permutation(range(0, pictures, 500)):
        store.upsert(name, points[start : start + 500])
    return store.describe(name)


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Iterator[VectorStore]:
    opened = open_store(StoreSettings(f"sqlite:///{tmp_path / 'app.db'}"))
    yield opened
    opened.close()


def test_pictures_stand_in_the_same_row_with_the_vectors_that_each_collection_has(lab: Lab) -> None:
    one, other = lab.store.describe("by-clip"), lab.store.describe("by-siglip")
    found = in_both(lab.store, read(lab.store, one, draw(lab.store, one)), one, other)
    assert sorted(found.keys, key=int) == [str(seed) for seed in range(24)]
    for row, key in enumerate(found.keys):
        first, second = (lab.store.retrieve(info.name, [int(key)], vectors=True)[0] for info in (one, other))
        assert first.vector is not None
        assert second.vector is not None
        assert np.array_equal(found.first[row], first.vector)
        assert np.array_equal(found.second[row], second.vector)
        assert found.payloads[row] == {"seed": int(key), "even": int(key) % 2 == 0}


def test_a_map_has_at_most_2000_pictures(store: VectorStore) -> None:
    one, other = filled(store, "one", 1, 4, 2100), filled(store, "two", 2, 4, 2100)
    found = in_both(store, read(store, one, draw(store, one, size=2050)), one, other)
    assert len(found.keys) == len(set(found.keys)) == found.sampled == MOST == 2000


def test_a_map_is_the_same_in_another_session(store: VectorStore, tmp_path: Path) -> None:
    one, other = filled(store, "one", 1, 12, 300), filled(store, "two", 2, 8, 300)

    def drawn() -> TwoMaps:
        sample = Samples(store, tmp_path / "samples").of(one)
        assert sample is not None
        return two_maps(in_both(store, sample, one, other))

    before, after = drawn(), drawn()
    assert before.maps.keys == after.maps.keys
    assert np.array_equal(before.maps.first, after.maps.first)
    assert np.array_equal(before.maps.second, after.maps.second)
    assert before.alike == after.alike


def test_what_another_model_made_what_is_no_vector_and_what_one_lacks_is_left_out(store: VectorStore) -> None:
    one, other = filled(store, "one", 1, 12, 40), filled(store, "two", 2, 8, 35)
    foreign = Provenance("p3", "", "", "of nobody", "", "").as_payload()
    for name, dimension in (("one", 12), ("two", 8)):
        key = "p3" if name == "one" else "p4"
        store.upsert(name, [Point(point_id(key), np.ones(dimension, np.float32), {**foreign})])
    found = in_both(store, read(store, one, draw(store, one)), one, other)
    assert found.sampled == 40
    assert set(found.keys) == {f"p{number}" for number in range(35)} - {"p3", "p4"}
    none = in_both(store, read(store, one, draw(store, one)), one, filled(store, "three", 3, 8, 0))
    assert none.second.shape == (0, 8)
    with pytest.raises(Refused, match="Both collections have 0 pictures"):
        two_maps(none)


def test_groups_are_the_values_of_fields_with_few_and_their_most_changed_pictures_lead(store: VectorStore) -> None:
    one, other = filled(store, "one", 1, 12, 120), filled(store, "two", 2, 8, 120)
    drawn = two_maps(in_both(store, read(store, one, draw(store, one)), one, other))
    assert drawn.fields() == ["kind"]
    groups = drawn.by_value("kind")
    assert {group.name: group.size for group in groups} == {f"k{n}": 18 if n == 0 else 17 for n in range(CLASSES)}
    assert [group.change for group in groups] == sorted((group.change for group in groups), reverse=True)
    for group in groups:
        changes = [drawn.maps.change[row] for row in group.members]
        assert changes == sorted(changes, reverse=True)
        assert {drawn.payloads[row]["kind"] for row in group.members} == {group.name}
    assert worth_showing(drawn.by_value("rare")) == []
    assert sum(group.size for group in drawn.alike) == 120


@pytest.mark.skipif(has_umap(), reason="UMAP is installed here")
def test_without_umap_it_is_said_how_to_have_it(store: VectorStore) -> None:
    one, other = filled(store, "one", 1, 12, 40), filled(store, "two", 2, 8, 40)
    pictures = in_both(store, read(store, one, draw(store, one)), one, other)
    with pytest.raises(Refused, match="UMAP is not installed") as refused:
        two_maps(pictures, "UMAP")
    assert "embedding-console[umap]" in refused.value.remedy


@pytest.mark.skipif(has_umap(), reason="UMAP is installed here")
def test_a_process_of_umap_that_ends_without_a_map_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused, match="ended without a map"):
        flattened([np.zeros((30, 4), np.float32)], 1)
    assert "umap" in capfd.readouterr().err, "the server's log says why"


@pytest.mark.skipif(not has_umap(), reason="UMAP is not installed here")
def test_umap_gives_the_same_maps_again_and_has_no_explained_variance(store: VectorStore) -> None:
    one, other = filled(store, "one", 1, 12, 40), filled(store, "two", 2, 8, 40)
    pictures = in_both(store, read(store, one, draw(store, one)), one, other)
    found, again = two_maps(pictures, "UMAP").maps, two_maps(pictures, "UMAP").maps
    assert (found.explained, found.first.shape) == (None, (40, 2))
    assert np.array_equal(found.first, again.first)
    assert np.array_equal(found.second, again.second)
