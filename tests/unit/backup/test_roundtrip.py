"""What is backed up comes back: ids, payloads and vectors of every kind."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from console_core.backup.backups import BackupState
from console_core.backup.manifest import sealed
from console_core.backup.operation import BackUp
from console_core.errors import BackupDiffers, BackupNotProven, CollectionExists, NotFound, StoreRefused, VectorInvalid
from console_core.runs.types import Counts
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.tuning import settings_of
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore
from tests.unit.backup.conftest import STAMP, World, points, run, vectors


def _content(store: VectorStore, name: str) -> dict[object, tuple[bytes | None, str]]:
    return {
        point.id: (
            None if point.vector is None else point.vector.tobytes(),
            json.dumps(dict(point.payload), sort_keys=True),
        )
        for point in store.scroll(name, vectors=True)
    }


def test_a_backup_has_every_point_in_parts_and_says_what_the_collection_was(world: World) -> None:
    world.made()
    world.store.set_alias("served", "images", expected=None)
    backup = world.backups.get(world.back_up())
    assert re.fullmatch(r"images-\d{8}-\d{6}-[0-9a-f]{6}", backup.id)
    assert backup.state is BackupState.UNPROVEN
    manifest = backup.manifest
    assert manifest is not None
    assert (manifest.points, len(manifest.parts) > 3) == (300, True)
    assert sum(part.rows for part in manifest.parts) == 300
    assert manifest.collection.aliases == ("served",)
    assert (manifest.collection.model, manifest.collection.fingerprint) == (STAMP.model, STAMP.fingerprint)
    assert not manifest.changed_meanwhile
    assert set(manifest.versions) == {"console", "qdrant-client", "pyarrow", "python", "store"}
    assert {file.name for file in backup.folder.iterdir()} == {"manifest.json", *(p.file for p in manifest.parts)}
    archive = world.backups.open(backup.id)
    assert sum(archive.check()) == 300
    assert archive.signature.same_as(signature_of(world.store, "images"))
    read = [point for number in range(len(archive.parts)) for point in archive.pages(number)]
    assert len([point for page in read for point in page]) == 300


def test_the_mode_of_the_collection_is_kept_and_an_archive_from_before_there_were_modes_stays_readable(
    world: World,
) -> None:
    world.made(count=3, stamp=replace(STAMP, preprocess="turbo"))
    backup = world.backups.get(world.back_up())
    assert backup.manifest is not None
    assert backup.manifest.collection.preprocess == "turbo"
    world.restore(backup.id, "again")
    restored = world.store.describe("again").stamp
    assert restored is not None
    assert restored.preprocess == "turbo"

    file = backup.folder / "manifest.json"
    older = json.loads(file.read_text())
    del older["collection"]["preprocess"]
    file.write_text(sealed(older))
    assert world.backups.get(backup.id).state is BackupState.UNPROVEN
    world.restore(backup.id, "older")
    restored = world.store.describe("older").stamp
    assert restored == STAMP
    assert restored is not None
    assert restored.preprocess == ""


@pytest.mark.parametrize("distance", ["dot", "euclid", "manhattan"])
def test_vectors_that_are_not_normalised_are_restored_bit_by_bit(world: World, distance: str) -> None:
    world.made(distance=distance)
    world.store.upsert("images", [Point(100_000, np.zeros(8, np.float32), {})], as_is=True)
    lengths = [np.linalg.norm(p.vector) for p in world.store.scroll("images", vectors=True) if p.vector is not None]
    assert max(lengths) > 2
    assert world.restore(world.back_up(), "images-2") == {
        "backup": world.backups.all()[0].id,
        "points": 301,
        "differences": 0,
    }
    assert _content(world.store, "images-2") == _content(world.store, "images")
    described = world.store.describe("images-2")
    assert (described.distance, described.stamp) == (distance, STAMP)


def test_settings_that_the_store_only_notes_come_back_with_the_collection(world: World) -> None:
    index, quantization = {"m": 8}, {"type": "int8", "quantile": 0.99}
    world.made(count=3, index=index, quantization=quantization)
    assert world.store.describe("images").quantization == {}
    world.restore(world.back_up(), "again")
    assert settings_of(world.store.describe("again")) == (index, quantization)


def test_a_named_vector_keeps_its_name_and_points_without_a_vector_stay_without_one(world: World) -> None:
    world.made(vector_name="picture", count=60)
    world.store.upsert("images", [Point(900 + n, None, {"bare": n}) for n in range(5)], as_is=True)
    backup = world.back_up()
    world.restore(backup, "images-2")
    assert world.store.describe("images-2").vector_name == "picture"
    there = {point.id: point for point in world.store.scroll("images-2", vectors=True)}
    assert len(there) == 65
    assert all(there[900 + n].vector is None for n in range(5))
    assert there[1].vector is not None
    assert world.prove(backup)["differences"] == 0


def test_a_normalised_collection_differs_in_the_last_bit_at_most(world: World) -> None:
    world.made()
    world.restore(world.back_up(), "images-2")
    saved = {p.id: p.vector for p in world.store.scroll("images", vectors=True)}
    for point in world.store.scroll("images-2", vectors=True):
        before = saved[point.id]
        assert before is not None
        assert point.vector is not None
        assert float(before @ point.vector) > 1 - 1e-6
    assert signature_of(world.store, "images-2").same_as(signature_of(world.store, "images"))


def test_an_empty_collection_is_backed_up_proven_and_restored(world: World) -> None:
    world.made(count=0)
    backup = world.back_up()
    assert world.prove(backup)["differences"] == 0
    assert world.restore(backup, "images-2")["points"] == 0
    assert world.store.count("images-2") == 0


def test_a_proof_makes_a_backup_proven_and_leaves_no_collection_behind(world: World) -> None:
    world.made()
    backup = world.back_up()
    with pytest.raises(BackupNotProven, match="is unproven"):
        world.backups.require_proven(backup)
    assert world.prove(backup) == {"backup": backup, "points": 300, "differences": 0}
    assert [info.name for info in world.store.collections()] == ["images"]
    found = world.backups.require_proven(backup)
    assert found.proof is not None
    assert (found.proof.by, found.proof.points, found.proof.differences) == ("olga", 300, 0)
    assert world.backups.newest_proven("images") == found
    assert world.backups.newest_proven("other") is None


def test_a_proof_of_another_manifest_or_an_edited_one_proves_nothing(world: World) -> None:
    world.made()
    first, second = world.back_up(), world.back_up()
    world.prove(first)
    proof = world.backups.folder / first / "proof.json"
    (world.backups.folder / second / "proof.json").write_bytes(proof.read_bytes())
    assert world.backups.get(second).state is BackupState.UNPROVEN
    proof.write_text(proof.read_text().replace("olga", "eve!"))
    assert world.backups.get(first).state is BackupState.UNPROVEN


class _Lossy:
    """A store that loses one point, changes one payload and one vector of what it is given, and adds one."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def upsert(self, name: str, given: list[Point], *, as_is: bool = False) -> int:
        changed: dict[object, Point] = {
            2: Point(2, given[0].vector, {"caption": "another"}),
            4: Point(4, -points(5)[4].vector, points(5)[4].payload),  # type: ignore[operator]
        }
        kept = [changed.get(point.id, point) for point in given if point.id != 1]
        self._store.upsert(name, [*kept, Point(10**9, given[0].vector, {})], as_is=as_is)
        return len(given)


def test_a_store_that_does_not_give_back_what_it_was_given_fails_the_proof_and_the_proof_says_so(
    world: World,
) -> None:
    world.made()
    backup = world.back_up()
    honest, world.store = world.store, _Lossy(world.store)  # type: ignore[assignment]
    with pytest.raises(BackupDiffers, match=r"5 points .* such as missing: point 1"):
        world.prove(backup)
    world.store = honest
    found = world.backups.get(backup)
    assert found.state is BackupState.UNPROVEN
    assert found.problem == "A restore differed in 5 points."
    assert found.proof is not None
    assert {text.split(":")[0] for text in found.proof.examples} == {"missing", "extra", "payload", "vector"}
    assert [info.name for info in world.store.collections()] == ["images"]


def test_a_restore_into_a_name_that_is_taken_is_refused_before_anything_is_written(world: World) -> None:
    world.made(count=40)
    backup = world.back_up()
    world.store.set_alias("served", "images", expected=None)
    before = _content(world.store, "images")
    for taken in ("images", "served"):
        with pytest.raises(CollectionExists, match="beside what exists"):
            world.restore(backup, taken)
    assert _content(world.store, "images") == before
    assert [info.name for info in world.store.collections()] == ["images"]


def test_a_collection_that_an_archive_cannot_keep_is_refused_by_name(world: World) -> None:
    from qdrant_client import models

    client = world.store._client  # type: ignore[attr-defined]
    size = models.VectorParams(size=4, distance=models.Distance.COSINE)
    client.create_collection("two", vectors_config={"image": size, "text": size})
    with pytest.raises(StoreRefused, match=r"two cannot be backed up .* 2 named vectors") as refused:
        world.back_up("two")
    assert "snapshot" in refused.value.remedy
    assert world.backups.all() == []


def test_points_that_come_while_a_backup_reads_are_in_it_or_are_said_to_be_missing(world: World) -> None:
    world.made()
    operation = BackUp(world.store, world.backups, "images", "images-x", "r-test", part_bytes=4_000)
    steps = operation.steps("", Counts(selected=300))
    next(steps)
    world.store.upsert("images", [Point(0, vectors(1)[0], {}), Point(2**40, vectors(1)[0], {})])
    world.store.delete("images", [299])
    *_, last = steps
    manifest = world.backups.open("images-x").manifest
    assert (manifest.points_before, manifest.points, manifest.points_after) == (300, 300, 301)
    assert manifest.changed_meanwhile
    assert last.counts.done == 300
    assert last.result is not None
    assert last.result["changed_meanwhile"]
    world.back_up(archive="images-y")
    assert not world.backups.open("images-y").manifest.changed_meanwhile


def test_a_vector_that_no_store_takes_back_is_named(world: World) -> None:
    world.made(distance="dot")
    good = world.store.page

    def page(*args: object, **named: object) -> object:
        found, after = good(*args, **named)  # type: ignore[arg-type]
        return [*found[:3], Point(found[3].id, np.full(8, np.inf, np.float32), {}), *found[4:]], after

    world.store.page = page  # type: ignore[method-assign, assignment]
    with pytest.raises(VectorInvalid, match="not finite, which no store takes back"):
        world.back_up()
    assert world.backups.all()[0].state is BackupState.UNFINISHED


def test_there_is_no_backup_outside_of_the_folder(world: World, tmp_path: object) -> None:
    world.backups.folder.mkdir()
    for name in ("..", ".", "../qdrant", "", "nothing", "a/b"):
        with pytest.raises(NotFound):
            world.backups.get(name)


def test_of_several_proven_backups_the_newest_are_kept_and_the_only_one_always(world: World) -> None:
    world.made(count=30)
    backups = world.backups
    old, unproven, middle, newest = [world.back_up(archive=f"images-2026010{n}-120000-00000{n}") for n in range(1, 5)]
    assert backups.surplus("images", 1) == []
    world.prove(old)
    assert backups.surplus("images", 1) == []
    world.prove(middle)
    assert {backup.id for backup in backups.surplus("images", 1)} == {old, unproven}
    assert backups.surplus("images", 2) == []
    world.prove(newest)
    assert {backup.id for backup in backups.surplus("images", 2)} == {old, unproven}
    backups.delete(old)
    assert {backup.id for backup in backups.all()} == {unproven, middle, newest}
    assert world.restore(middle, "again")["differences"] == 0


def test_a_spec_with_a_name_makes_a_collection_with_a_named_vector(world: World) -> None:
    world.store.create("named", CollectionSpec(4, vector_name="picture"))
    assert world.store.describe("named").vector_name == "picture"
    assert run(BackUp(world.store, world.backups, "named", "named-x", "r"))["points"] == 0
