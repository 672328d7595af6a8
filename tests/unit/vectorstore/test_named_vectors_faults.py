"""Named vectors where something goes wrong meanwhile, is too old for them, or is opened again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from console_core.backup.requests import proposal, refuse_name
from console_core.errors import CollectionExists, CollectionNotFound, Refused, StoreRefused, StoreUnavailable
from console_core.migration.store_move import StoreMove
from console_core.vectorstore.edge import EdgeStore
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.qdrant_server import QdrantServer
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.sharing import sharing_of
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec
from tests.unit.vectorstore.loopback_qdrant import Fault
from tests.unit.vectorstore.named_world import CLIP, COSINE, NEW, OLD, SERVED, World, filled, opened, written


@pytest.fixture
def served(tmp_path: Path) -> Iterator[World]:
    with opened("loopback", tmp_path) as world:
        yield filled(world)


def test_a_vector_that_the_application_adds_takes_nothing_of_the_others_with_it(served: World) -> None:
    served.made()
    dense = models.DenseVectorNameConfig(dense=models.DenseVectorConfig(size=2, distance=COSINE))
    served.app.create_vector_name("images", "theirs", dense)
    served.app.update_vectors("images", [models.PointVectors(id=i, vector={"theirs": [i, 1.0]}) for i in range(9)])
    before = [point.payload for point in served.store.scroll(OLD)]
    served.store.delete("images@theirs", [1, 2])
    assert served.store.count("images@theirs") == 7
    assert [point.payload for point in served.store.scroll(OLD)] == before
    served.store.upsert("images@theirs", written(range(2), 2))
    served.store.drop("images@theirs")
    assert [point.payload for point in served.store.scroll(OLD)] == before
    served.app.create_vector_name("images", "theirs", dense)
    served.store.drop("images@theirs")
    assert [point.payload for point in served.store.scroll(OLD)] == before


def test_a_write_that_fails_in_the_middle_leaves_no_vector_without_what_the_console_knows_of_it(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.made()
    before = served.whole()

    def broken(*arguments: Any, **named: Any) -> None:
        raise ValueError("the disk is broken")

    with monkeypatch.context() as patched:
        patched.setattr(type(served.app._client.collections["images"]), "update_vectors", broken)  # type: ignore[attr-defined]
        with pytest.raises(StoreRefused, match="the disk is broken"):
            served.store.upsert(NEW, written(range(10)))
    assert served.store.count(NEW) == 0
    assert served.whole() == before
    served.store.upsert(NEW, written(range(10)))
    assert served.store.count(NEW) == 10
    assert served.whole() == before


def test_a_vector_that_could_not_be_tuned_is_taken_back_and_can_be_made_again(served: World) -> None:
    assert served.server is not None
    served.server.faults.extend([Fault(done=True, only="PUT"), Fault(only="PATCH")])
    with pytest.raises(StoreUnavailable):
        served.made(index={"m": 8})
    assert [info.name for info in served.store.collections()] == ["images"]
    served.server.faults.clear()
    served.made(index={"m": 8, "ef_construct": 64}, quantization={"type": "int8", "always_ram": True})
    info = served.store.describe(NEW)
    assert (info.index["m"], info.index["ef_construct"]) == (8, 64)
    assert info.quantization == {"type": "int8", "always_ram": True}
    assert served.store.describe(OLD).index["m"] == 16
    assert served.store.describe(OLD).quantization == {}


def test_a_point_that_disappears_while_it_is_written_is_made_anew_with_this_vector_alone(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.made()
    write = type(served.app).batch_update_points

    def meanwhile(client: QdrantClient, *arguments: Any, **named: Any) -> Any:
        monkeypatch.undo()
        served.app.delete("images", [4])
        return write(client, *arguments, **named)

    monkeypatch.setattr(type(served.app), "batch_update_points", meanwhile)
    assert served.store.upsert(NEW, written(range(10))) == 10
    assert served.store.count(NEW) == 10
    assert served.raw(4) == ({"siglip"}, {"title", "_console_1"})
    assert served.store.count(OLD) == 19


def test_a_point_that_appears_while_it_is_written_keeps_the_vector_that_it_came_with(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.made()
    write = type(served.app).batch_update_points

    def meanwhile(client: QdrantClient, *arguments: Any, **named: Any) -> Any:
        monkeypatch.undo()
        new = models.PointStruct(id=30, vector={"clip": [1.0, 0.0, 0.0]}, payload={"title": "theirs"})
        served.app.upsert("images", [new])
        return write(client, *arguments, **named)

    monkeypatch.setattr(type(served.app), "batch_update_points", meanwhile)
    assert served.store.upsert(NEW, written(range(25, 35))) == 10
    assert served.raw(30) == ({"clip", "siglip"}, {"title", "_console_1"})
    assert served.store.retrieve(OLD, [30])[0].payload == {"title": "theirs"}
    assert served.store.count(NEW) == 10


def test_an_application_that_writes_whole_points_takes_the_new_vector_away_and_nothing_else_breaks(
    served: World,
) -> None:
    served.made()
    served.store.upsert(NEW, written(range(20)))
    served.app.upsert("images", [models.PointStruct(id=5, vector={"clip": [1.0, 0.0, 0.0]}, payload={"title": "new"})])
    assert (served.store.count(OLD), served.store.count(NEW)) == (20, 19)
    served.store.upsert(NEW, written(range(5, 6)))
    assert served.store.count(NEW) == 20
    assert served.store.retrieve(OLD, [5])[0].payload == {"title": "new"}


@pytest.mark.parametrize(("version", "listed"), [("1.17.4", [OLD, NEW]), ("1.12.0", ["images"])])
def test_an_older_server_says_what_it_cannot_do(served: World, version: str, listed: list[str]) -> None:
    assert served.server is not None
    served.made()
    served.server.version = version
    store = QdrantServer(served.server.url, retries=0)
    assert [info.name for info in store.collections()] == listed
    refused = rf"Qdrant {version} cannot add a named vector.*1\.18"
    with pytest.raises(StoreRefused, match=refused):
        store.create("images@third", CollectionSpec(3))
    for write in (lambda: store.upsert(NEW, written(range(1))), lambda: store.drop(NEW)):
        with pytest.raises(
            StoreRefused if NEW in listed else CollectionNotFound, match=refused if NEW in listed else NEW
        ):
            write()
    found = sharing_of(store, "images@third")
    assert found is not None
    assert found.refused is not None


def test_a_snapshot_is_of_the_whole_and_so_refused_for_one_vector(served: World) -> None:
    served.made()
    assert isinstance(served.store, QdrantServer)
    snapshots = served.store.snapshots()
    assert snapshots.list(NEW) == []
    with pytest.raises(StoreRefused, match="with all of its vectors"):
        snapshots.begin(NEW)
    snapshots.close()


def test_on_a_server_that_filters_by_indexed_fields_only_a_dropped_vector_takes_its_payload_field_along(
    served: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served.server is not None
    answer = served.server.answer

    def strict(method: str, path: str, body: Any) -> Any:
        if "payload/delete" in path and body["filter"].get("must_not"):
            raise ValueError("Bad request: Index required to filter by _console_1")
        return answer(method, path, body)

    served.made()
    served.store.upsert(NEW, written(range(20)))
    monkeypatch.setattr(served.server, "answer", strict)
    served.store.drop(NEW)
    assert served.raw(3) == ({"clip"}, {"title", "likes", "_console"})


def test_a_backup_is_restored_beside_a_collection_and_not_into_a_vector_of_it(served: World) -> None:
    with pytest.raises(Refused, match=r"would be a named vector of images.*restored beside what exists"):
        refuse_name(served.store, NEW)
    assert proposal(served.store, OLD) == "images-clip__restored"
    served.made()
    with pytest.raises(CollectionExists):
        refuse_name(served.store, NEW)


def test_a_move_to_another_store_does_not_take_the_points_apart(served: World, tmp_path: Path) -> None:
    served.made()
    target = QdrantEmbedded(tmp_path / "there")
    with pytest.raises(StoreRefused, match="images@clip is a named vector of images, whose points a move would take"):
        next(StoreMove(served.store, target, to="local:there", workspace=tmp_path).steps())
    assert target.collections() == []
    target.close()


def test_the_edge_store_says_that_it_has_one_vector_a_collection_and_refuses_a_second_one(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "edge")
    store.create("images", CollectionSpec(3, vector_name="clip"))
    assert any("no named one is added" in limit for limit in store.info().limits)
    found = sharing_of(ReadOnlyStore(store), NEW)
    assert found is not None
    assert isinstance(found.refused, StoreRefused)
    assert "images cannot have siglip beside the one that it has" in found.refused.message
    assert sharing_of(store, "images") is sharing_of(store, "nobody@home") is None
    store.close()


def test_a_restart_keeps_everything_that_is_noted_of_each_vector(tmp_path: Path) -> None:
    with opened("embedded", tmp_path) as world:
        vectors = {"clip": models.VectorParams(size=3, distance=COSINE)}
        world.app.create_collection("images", vectors_config=vectors, metadata={"owner": "shop"})
        world.store.upsert(OLD, written(range(20), 3, CLIP.fingerprint))
        world.store.set_alias(SERVED, OLD, expected=None)
        world.made(index={"m": 32}, quantization={"type": "int8"})
        world.store.upsert(NEW, written(range(5, 25)))
        signed = [signature_of(world.store, name) for name in (OLD, NEW)]
        before = world.store.collections()
    with opened("embedded", tmp_path) as world:
        assert world.store.collections() == before
        assert all(signature_of(world.store, name).same_as(one) for name, one in zip((OLD, NEW), signed, strict=True))
        new, old = (world.store.describe(name) for name in (NEW, OLD))
        assert (new.wished_index, new.wished_quantization) == ({"m": 32}, {"type": "int8"})
        assert (old.wished_index, old.wished_quantization) == ({}, {})
        assert (world.app.get_collection("images").config.metadata or {})["owner"] == "shop"
