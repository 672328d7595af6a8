"""A store is copied into another one: everything, in steps that can be taken up again, and compared at the end."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from console_core.errors import AliasConflict, CollectionExists, StoreFull, StoreRefused
from console_core.migration.store_move import FILE, StoreMove
from console_core.vectorstore import edge
from console_core.vectorstore.edge import EdgeStore
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore

DIMENSION = 512
STAMP = ModelStamp("demo-clip", "f00d")
INDEX, QUANTIZATION = {"m": 32}, {"type": "int8", "always_ram": True}


def batch(count: int, first: int = 0) -> list[Point]:
    rows = np.random.default_rng(first + 1).normal(size=(count, DIMENSION)).astype(np.float32)
    return [Point(first + i, rows[i], {"caption": f"picture {first + i}"}) for i in range(count)]


@pytest.fixture
def source(tmp_path: Path) -> Iterator[QdrantEmbedded]:
    store = QdrantEmbedded(tmp_path / "qdrant")
    store.create("first", CollectionSpec(DIMENSION, stamp=STAMP, index=INDEX, quantization=QUANTIZATION))
    store.upsert("first", batch(2500))
    store.create("second", CollectionSpec(4, "dot", vector_name="image"))
    store.upsert("second", [Point(1, np.full(4, 7, np.float32), {}), Point(2, None, {"a": 1})], as_is=True)
    store.create("empty", CollectionSpec(8))
    store.set_alias("served", "first", expected=None)
    yield store
    store.close()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[EdgeStore]:
    store = EdgeStore(tmp_path / "edge")
    yield store
    store.close()


def moved(source: VectorStore, target: VectorStore, workspace: Path, steps: int = 10**6) -> bool:
    """Whether a move that is stopped after so many steps came to its end."""
    moving = StoreMove(source, target, to="edge:there", workspace=workspace).steps()
    return any(next(moving, None) is None for _ in range(steps))


def same(source: VectorStore, target: VectorStore) -> bool:
    names = [info.name for info in source.collections()]
    return (
        source.aliases() == target.aliases()
        and names == [info.name for info in target.collections()]
        and all(signature_of(source, name).same_as(signature_of(target, name)) for name in names)
    )


def test_everything_is_in_the_other_store_settings_that_were_only_wished_for_in_force(
    source: QdrantEmbedded, target: EdgeStore, tmp_path: Path
) -> None:
    before = {name: signature_of(source, name) for name in ("first", "second", "empty")}
    assert moved(source, target, tmp_path)
    assert same(source, target)
    info = target.describe("served")
    assert (info.name, info.stamp, info.points) == ("first", STAMP, 2500)
    assert INDEX.items() <= info.index.items()
    assert info.quantization == QUANTIZATION
    named = target.describe("second")
    assert (named.vector_name, named.distance, named.points) == ("image", "dot", 2)
    assert [point.vector is None for point in target.retrieve("second", [1, 2], vectors=True)] == [False, True]
    assert all(one.same_as(signature_of(source, name)) for name, one in before.items())
    assert not (tmp_path / FILE).exists()


def test_a_move_that_is_stopped_after_any_step_goes_on_and_ends_the_same(
    source: QdrantEmbedded, target: EdgeStore, tmp_path: Path
) -> None:
    attempts = 1
    while not moved(source, target, tmp_path, steps=attempts):
        attempts += 1
    assert attempts > 3
    assert same(source, target)


def test_what_was_changed_in_the_old_store_between_two_attempts_is_in_the_new_one(
    source: QdrantEmbedded, target: EdgeStore, tmp_path: Path
) -> None:
    while not (target.collections() and target.count("first") > 0):
        moved(source, target, tmp_path, steps=4)
    source.upsert("first", [Point(0, batch(1, first=77)[0].vector, {"caption": "another"})])
    source.delete("first", [1])
    assert moved(source, target, tmp_path)
    assert same(source, target)


def test_a_collection_or_alias_of_others_there_is_neither_filled_nor_moved(
    source: QdrantEmbedded, target: EdgeStore, tmp_path: Path
) -> None:
    target.create("theirs", CollectionSpec(4))
    target.set_alias("served", "theirs", expected=None)
    with pytest.raises(AliasConflict, match=r'"served" is taken.*Move into an empty folder'):
        moved(source, target, tmp_path)
    target.create("first", CollectionSpec(DIMENSION))
    with pytest.raises(CollectionExists, match=r'"first" is a collection in the other store already'):
        moved(source, target, tmp_path)
    assert [info.points for info in target.collections()] == [0, 0]
    assert target.aliases() == {"served": "theirs"}


def test_what_does_not_fit_is_refused_before_anything_is_written(
    source: QdrantEmbedded, target: EdgeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "CAPACITY", 2499)
    with pytest.raises(StoreFull, match="first has 2,500 points; the other store keeps at most 2,499"):
        moved(source, target, tmp_path)
    assert target.collections() == []


def test_a_store_that_gives_back_other_points_than_were_written_is_told(
    source: QdrantEmbedded, target: EdgeStore, tmp_path: Path
) -> None:
    class Forgetful(EdgeStore):
        def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
            return target.upsert(name, points[1:], as_is=as_is) + 1 if len(points) > 1 else len(points)

        def __init__(self) -> None:
            self.__dict__ = target.__dict__

    with pytest.raises(StoreRefused, match=r"is not the same in the other store.*The old store is untouched"):
        moved(source, Forgetful(), tmp_path)
    assert target.aliases() == {}
