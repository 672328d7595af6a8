"""Named vectors of one Qdrant collection as collections, beside the contract: what is the other vector's stays so."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import models

from console_core.errors import AliasConflict, CollectionExists, CollectionNotFound, StoreRefused
from console_core.vectorstore.provenance import application_payload, provenance
from console_core.vectorstore.sharing import sharing_of
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId
from tests.unit.vectorstore.named_world import (
    CLIP,
    COSINE,
    DOT,
    NEW,
    OLD,
    SERVED,
    SIGLIP,
    World,
    filled,
    ids,
    opened,
    written,
)


@pytest.fixture(params=["embedded", "loopback"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with opened(request.param, tmp_path / "qdrant") as world:
        yield world


@pytest.fixture
def world(empty: World) -> World:
    return filled(empty)


def test_one_named_vector_is_its_collection_until_another_one_or_a_searched_name_comes(world: World) -> None:
    [before] = world.store.collections()
    assert (before.name, before.vector_name, before.points, before.stamp) == ("images", "clip", 20, CLIP)
    assert world.store.describe(OLD).points == 20
    world.made()
    old, new = world.store.collections()
    assert (old.name, old.stamp, old.points, old.payload_fields) == (OLD, CLIP, 20, ("likes", "title"))
    assert (new.name, new.stamp, new.points, new.dimension, new.vector_name) == (NEW, SIGLIP, 0, 4, "siglip")
    world.store.drop(NEW)
    assert world.store.collections() == [before]


def test_with_several_vectors_the_collection_as_a_whole_says_why_it_is_none(world: World) -> None:
    world.made()
    problem = world.store.describe("images").problem
    assert problem == (
        'It has 2 named vectors ("clip", "siglip"), each of which is a collection of its own: images@clip, '
        "images@siglip."
    )
    with pytest.raises(StoreRefused, match="images@clip"):
        world.store.upsert("images", written(range(1), 3))
    with pytest.raises(StoreRefused, match="not deleted as a whole"):
        world.store.drop("images")
    assert world.app.count("images").count == 20


def test_filling_stamping_deleting_and_dropping_leave_the_other_vector_and_all_of_its_own_as_they_are(
    world: World,
) -> None:
    before, kept = world.whole(), list(world.store.scroll("images", vectors=True))
    signed = signature_of(world.store, "images")
    world.made()

    def same(points: int = 20) -> None:
        assert world.whole()[:points] == before
        assert [point.payload for point in world.store.scroll(OLD)] == [point.payload for point in kept]
        assert signature_of(world.store, OLD).same_as(signed)
        assert world.store.describe(OLD).stamp == CLIP

    same()
    assert world.store.upsert(NEW, written(range(25))) == 25
    same()
    world.store.upsert(NEW, [Point(3, np.ones(4, dtype=np.float32), {"title": "another"})])
    world.store.stamp(NEW, ModelStamp("demo-siglip", "0ther"))
    same()
    world.store.delete(NEW, [2, 3, 24])
    same()
    assert world.store.describe(NEW).stamp == ModelStamp("demo-siglip", "0ther")
    world.store.drop(NEW)
    same()
    assert [fields for *_, fields in world.whole()] == [fields for *_, fields in before]
    assert world.app.count("images").count == 20
    assert set(world.metadata()) <= {"model", "fingerprint", "preprocess", "vectors", "numbered"}


def test_what_the_console_knows_of_a_point_is_kept_for_each_vector_and_hidden_from_the_other(world: World) -> None:
    world.made()
    world.store.upsert(NEW, written(range(20)))
    [old], [new] = world.store.retrieve(OLD, [4]), world.store.retrieve(NEW, [4])
    assert [made.fingerprint for made in map(provenance, (old.payload, new.payload)) if made] == ["c11b", "51911b"]
    assert old.payload.keys() == {"title", "likes", "_console"}
    assert new.payload == written(range(20))[4].payload
    [hit] = world.store.search(NEW, written(range(20))[4].vector, limit=1)  # type: ignore[arg-type]
    assert (hit.id, hit.payload) == (4, new.payload)
    [record] = world.app.retrieve("images", [4])
    assert application_payload(record.payload or {}) == {"title": "picture 4", "likes": 3}


def test_a_point_that_only_one_vector_has_is_in_that_collection_only(world: World) -> None:
    world.made()
    world.store.upsert(NEW, written(range(15, 23)))
    assert (world.store.count(OLD), world.store.count(NEW), world.app.count("images").count) == (20, 8, 23)
    assert ids(world.store.scroll(NEW, page_size=3)) == list(range(15, 23))
    assert ids(world.store.retrieve(NEW, [22, 3, 15])) == [22, 15]
    assert ids(world.store.retrieve(OLD, [22, 3, 15])) == [3, 15]
    assert world.raw(22) == ({"siglip"}, {"title", "_console_1"})
    assert len(world.store.search(NEW, np.ones(4, dtype=np.float32), limit=50)) == 8
    world.store.delete(NEW, [15, 22])
    assert (world.store.count(NEW), world.app.count("images").count) == (6, 22)
    assert world.raw(15) == ({"clip"}, {"title", "_console"})
    world.store.delete(OLD, [16, 1])
    assert world.raw(16) == ({"siglip"}, {"title", "_console_1"})
    assert world.app.retrieve("images", [1]) == []


def test_the_first_vector_can_be_dropped_and_takes_only_what_was_its_own(world: World) -> None:
    world.made()
    world.store.upsert(NEW, written(range(5, 25)))
    signed = signature_of(world.store, NEW)
    world.store.drop(OLD)
    assert [info.name for info in world.store.collections()] == [NEW]
    assert signature_of(world.store, NEW).same_as(signed)
    assert world.app.count("images").count == 20
    assert world.raw(6) == ({"siglip"}, {"title", "likes", "_console_1"})
    assert "fingerprint" not in world.metadata()
    with pytest.raises(StoreRefused, match="is the last vector"):
        world.store.drop(NEW)
    again = world.made("images@clip", 3)
    assert world.store.describe(again).points == 0
    assert world.metadata()["vectors"]["clip"]["number"] == 2


def test_the_searched_name_is_in_the_metadata_and_moves_between_the_vectors_of_its_collection(world: World) -> None:
    world.store.set_alias(SERVED, OLD, expected=None)
    assert [(info.name, info.aliases) for info in world.store.collections()] == [(OLD, (SERVED,))]
    assert world.store.describe(SERVED).stamp == CLIP
    world.made()
    world.store.upsert(NEW, written(range(20)))
    assert world.metadata()["aliases"] == {"searched": "clip"}
    with pytest.raises(AliasConflict, match="not to what was expected"):
        world.store.set_alias(SERVED, NEW, expected=NEW)
    world.store.set_alias(SERVED, NEW, expected=OLD)
    assert world.store.aliases() == {SERVED: NEW}
    using = world.app.get_collection("images").config.metadata["_console"]["aliases"]["searched"]  # type: ignore[index]
    query = written(range(20))[7].vector
    assert query is not None
    [found] = world.app.query_points("images", query=query.tolist(), using=using, limit=1).points
    assert found.id == world.store.search(SERVED, query, limit=1)[0].id == 7
    with pytest.raises(AliasConflict, match="being searched"):
        world.store.drop(NEW)
    world.store.set_alias(SERVED, OLD, expected=NEW)
    world.store.drop(NEW)
    assert world.store.aliases() == {SERVED: OLD}


def test_a_searched_name_leads_to_a_vector_of_its_own_collection_and_nowhere_else(world: World) -> None:
    world.made()
    world.store.create("other", CollectionSpec(3))
    for alias, to in ((SERVED, "other"), ("live", NEW), (SERVED, "images"), ("other@searched", NEW)):
        with pytest.raises(AliasConflict, match="leads to a named vector"):
            world.store.set_alias(alias, to, expected=None)
    world.store.set_alias("live", "other", expected=None)
    assert world.store.aliases() == {"live": "other"}


def test_a_collection_whose_own_name_has_an_at_sign_keeps_its_meaning(world: World) -> None:
    size = models.VectorParams(size=2, distance=DOT)
    world.app.create_collection("images@siglip", vectors_config=size)
    world.app.create_collection("me@work", vectors_config=size)
    assert [info.name for info in world.store.collections()] == ["images", "images@siglip", "me@work"]
    with pytest.raises(CollectionExists):
        world.made()
    world.store.upsert("images@siglip", [Point(1, np.ones(2, dtype=np.float32), {})])
    world.store.create("nobody@home", CollectionSpec(2))
    world.store.set_alias("me@searched", "me@work", expected=None)
    assert world.app.count("images@siglip").count == 1
    assert world.app.get_collection("nobody@home").config.params.vectors == size.model_copy(update={"distance": COSINE})
    assert world.store.describe("me@searched").name == "me@work"
    world.store.drop("images@siglip")
    assert [info.name for info in world.store.collections()] == ["images", "me@work", "nobody@home"]
    assert sharing_of(world.store, "nobody@home") is None


def test_several_vectors_of_an_application_are_collections_with_their_own_distances(empty: World) -> None:
    empty.app.create_collection(
        "images",
        vectors_config={
            "near": models.VectorParams(size=2, distance=models.Distance.EUCLID),
            "by dot": models.VectorParams(size=2, distance=DOT),
            "many": models.VectorParams(
                size=2,
                distance=COSINE,
                multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            ),
        },
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )
    words = models.SparseVector(indices=[1, 5], values=[0.5, 1.5])
    for i in (1.0, 2.0, 3.0):
        vector: Any = {"near": [i, 1.0], "by dot": [i, 2.0], "many": [[i, 1.0], [1.0, 1.0]], "words": words}
        empty.app.upsert("images", [models.PointStruct(id=int(i), vector=vector, payload={"user": i})])
    before = [record.model_dump() for record in empty.app.scroll("images", with_vectors=True)[0]]
    infos = {info.name: (info.distance, info.points, info.problem) for info in empty.store.collections()}
    assert infos == {"images@by dot": ("dot", 3, ""), "images@near": ("euclid", 3, "")}
    query = np.array([1, 0], dtype=np.float32)
    assert [hit.id for hit in empty.store.search("images@by dot", query)] == [3, 2, 1]
    nearest = empty.store.search("images@near", query)
    assert [hit.id for hit in nearest] == [1, 2, 3]
    assert nearest[0].score > nearest[1].score
    found = sharing_of(empty.store, NEW)
    assert found is not None
    assert (found.home, found.left_alone, found.refused) == ("images", ("many", "words"), None)
    empty.made(dimension=4)
    empty.store.upsert(NEW, written(range(1, 4)))
    empty.store.drop(NEW)
    assert [record.model_dump() for record in empty.app.scroll("images", with_vectors=True)[0]] == before


def test_a_search_is_limited_by_what_was_written_with_the_vector_and_else_by_the_application_s_payload(
    world: World,
) -> None:
    world.app.create_collection(
        "pictures",
        vectors_config={name: models.VectorParams(size=2, distance=DOT) for name in ("one", "two")},
    )
    both: Any = {"one": [1.0, 1.0], "two": [1.0, 1.0]}
    payloads: list[dict[str, Any]] = [{"user": 1}, {"user": 2}, {}]
    world.app.upsert("pictures", [models.PointStruct(id=i, vector=both, payload=p) for i, p in enumerate(payloads)])
    world.store.upsert("pictures@two", [Point(1, np.ones(2, dtype=np.float32), {"user": 1})])

    def found(name: str, *values: Any) -> set[PointId]:
        return {hit.id for hit in world.store.search(name, np.ones(2, dtype=np.float32), where={"user": list(values)})}

    assert found("pictures@two", 1) == {0, 1}
    assert found("pictures@two", 2) == set()
    assert found("pictures@two", "") == {2}
    assert found("pictures@one", 2) == {1}


def test_a_vector_without_a_name_gets_no_second_one_beside_it(empty: World) -> None:
    """The embedded engine would take it, and from then on refuse every plain list of numbers."""
    empty.store.create("plain", CollectionSpec(3))
    refused = "an application that writes points with a plain list of numbers would be refused"
    with pytest.raises(StoreRefused, match=refused):
        empty.store.create("plain@siglip", CollectionSpec(4))
    found = sharing_of(empty.store, "plain@siglip")
    assert found is not None
    assert isinstance(found.refused, StoreRefused)
    empty.app.upsert("plain", [models.PointStruct(id=1, vector=[1.0, 2.0, 3.0])])
    dense = models.DenseVectorNameConfig(dense=models.DenseVectorConfig(size=4, distance=COSINE))
    empty.app.create_vector_name("plain", "siglip", dense)
    with pytest.raises(ValueError, match="Unnamed vectors are not allowed"):
        empty.app.upsert("plain", [models.PointStruct(id=2, vector=[1.0, 2.0, 3.0])])
    assert [(info.name, info.points) for info in empty.store.collections()] == [("plain@", 1), ("plain@siglip", 0)]
    assert [hit.id for hit in empty.store.search("plain@", np.ones(3, dtype=np.float32))] == [1]


def test_a_name_that_another_vector_of_any_kind_bears_is_taken(world: World) -> None:
    world.app.create_vector_name("images", "words", models.SparseVectorNameConfig(sparse=models.SparseVectorConfig()))
    for name in (OLD, "images@words"):
        with pytest.raises(CollectionExists, match="named vector already"):
            world.made(name, 3)
    assert set(world.metadata()) == {"model", "fingerprint", "preprocess"}


def test_an_unknown_vector_is_not_found_and_not_made(world: World) -> None:
    with pytest.raises(CollectionNotFound):
        world.store.upsert(NEW, written(range(1)))
    assert world.raw(0) == ({"clip"}, {"title", "likes", "_console"})


def test_overwriting_a_point_of_the_first_vector_replaces_its_payload_and_no_other_vector(world: World) -> None:
    world.made()
    world.store.upsert(NEW, written(range(20)))
    kept = world.whole("siglip")
    world.app.set_payload("images", {"odd field.name": 1}, [3])
    assert world.store.upsert(OLD, [Point(3, np.ones(3, dtype=np.float32), {"title": "other"})]) == 1
    assert world.store.retrieve(OLD, [3])[0].payload == {"title": "other"}
    assert [vector for _, vector, _ in world.whole("siglip")] == [vector for _, vector, _ in kept]
    assert provenance(world.store.retrieve(NEW, [3])[0].payload) is not None
