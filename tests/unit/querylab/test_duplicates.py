"""Pictures that a collection has more than once, on the demo's gallery with copies planted in it."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from console_core.catalog.decoding import decode
from console_core.demo.defects import Defect, plant
from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.errors import Refused
from console_core.querylab.duplicates import Duplicates, groups_told
from console_core.querylab.image_search import ask_like
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore
from tests.unit.querylab.conftest import CLIP, Lab, stamp

GALLERY = 40
CELL = 25
"""Points of one page that all show the same."""


@pytest.fixture(scope="module", name="gallery")
def _gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of the demo, each a JPEG, and copies: the same bytes, encoded again and smaller, and turned by EXIF."""
    folder = tmp_path_factory.mktemp("gallery")
    for seed in range(GALLERY):
        render(plan(seed), 320).save(folder / f"{seed:03}.jpg", quality=88)
    (folder / "identical.jpg").write_bytes((folder / "003.jpg").read_bytes())
    with Image.open(folder / "007.jpg") as image:
        image.save(folder / "encoded-again.jpg", quality=60)
        image.resize((240, 240)).save(folder / "smaller.webp", quality=80)
    with Image.open(folder / "011.jpg") as image:
        plant(Defect.ROTATED, image.copy(), folder / "turned.jpg")
    return folder


@pytest.fixture(scope="module", name="store")
def _store(gallery: Path, lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorStore]:
    """The gallery in the collection "gallery", embedded by the demo CLIP; odd pictures are of the namespace "odd"."""
    store = open_store(StoreSettings(url=f"local:{tmp_path_factory.mktemp('store')}"))
    embedder = lab.models.get(CLIP)
    store.create("gallery", CollectionSpec(embedder.card.dimension, stamp=stamp(embedder)))
    files = sorted(gallery.iterdir())
    pictures = [embedder.preprocessing.exact(decode(file.read_bytes(), file.name)) for file in files]
    points = [
        Point(number, vector, {"path": files[number].name, "namespace": "odd" if number % 2 else "even"})
        for number, vector in enumerate(embedder.embed_images(pictures))
    ]
    store.upsert("gallery", points)
    yield store
    store.close()


def groups(looking: Duplicates, store: VectorStore) -> set[tuple[str, ...]]:
    for _ in looking.steps():
        pass
    return {tuple(one.path for one in group) for group in groups_told(store, looking.collection, looking.groups())}


def test_planted_copies_are_found_and_nothing_else(store: VectorStore) -> None:
    found = groups(Duplicates(store, "gallery"), store)
    assert found == {
        ("003.jpg", "identical.jpg"),
        ("007.jpg", "encoded-again.jpg", "smaller.webp"),
        ("011.jpg", "turned.jpg"),
    }


def test_at_a_cosine_of_one_only_identical_bytes_are_left(store: VectorStore) -> None:
    assert groups(Duplicates(store, "gallery", threshold=0.999999), store) == {("003.jpg", "identical.jpg")}


def test_each_copy_has_the_cosine_to_its_nearest_and_the_largest_group_comes_first(store: VectorStore) -> None:
    looking = Duplicates(store, "gallery")
    for _ in looking.steps():
        pass
    first, *_ = groups_told(store, looking.collection, looking.groups())
    assert len(first) == 3
    assert all(0.98 <= one.cosine <= 1.0 for one in first)


def test_in_a_namespace_only_its_own_points_are_compared(store: VectorStore) -> None:
    names = {point.payload["path"]: point.payload["namespace"] for point in store.scroll("gallery")}
    for namespace in ("odd", "even"):
        found = groups(Duplicates(store, "gallery", where={"namespace": [namespace]}), store)
        assert all(names[path] == namespace for group in found for path in group)


def test_more_copies_than_neighbours_are_asked_for_at_first_are_one_group(tmp_path: Path) -> None:
    store = open_store(StoreSettings(url=f"local:{tmp_path / 'many'}"))
    store.create("many", CollectionSpec(16))
    dice = np.random.default_rng(5)
    same, others = dice.normal(size=16), dice.normal(size=(300, 16))
    rows = np.vstack([np.tile(same, (CELL, 1)), others]).astype(np.float32)
    store.upsert("many", [Point(number, row, {}) for number, row in enumerate(rows)])
    looking = Duplicates(store, "many", threshold=0.995)
    assert [seen for seen, _ in looking.steps()] == [256, 300 + CELL]
    assert [sorted(map(int, group)) for group in looking.groups()] == [list(range(CELL))]
    store.close()


def test_stopping_early_keeps_what_was_found_so_far(store: VectorStore) -> None:
    looking = Duplicates(store, "gallery")
    next(looking.steps())
    assert looking.looked_at == GALLERY + 4
    assert looking.groups()


def test_the_query_lab_says_how_many_neighbours_of_a_picture_may_be_copies_of_it(lab: Lab) -> None:
    lab.fill("with-copies", CLIP, ["3", "4"])
    (point,) = lab.store.retrieve("with-copies", [3], vectors=True)
    lab.store.upsert("with-copies", [Point(1003, point.vector, {}), Point(2003, point.vector, {})])
    (column,) = ask_like(lab.store, ["with-copies"], "3").columns
    lab.store.drop("with-copies")
    assert {answer.id for answer in column.answers[:2]} == {1003, 2003}
    assert column.note.startswith("2 of them are so near")


def test_a_collection_that_compares_by_distance_is_refused_with_a_remedy(tmp_path: Path) -> None:
    store = open_store(StoreSettings(url=f"local:{tmp_path / 'far'}"))
    store.create("far", CollectionSpec(4, distance="euclid"))
    with pytest.raises(Refused, match="euclid") as refused:
        Duplicates(store, "far")
    assert refused.value.remedy
    store.close()


def test_a_planted_copy_that_was_encoded_again_is_no_copy_by_its_bytes(gallery: Path) -> None:
    one, other = ((gallery / name).read_bytes() for name in ("007.jpg", "encoded-again.jpg"))
    assert one != other
    assert np.abs(np.asarray(Image.open(io.BytesIO(one))).astype(int) - np.asarray(Image.open(io.BytesIO(other)))).max()
