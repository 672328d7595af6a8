"""Snapshots of a server: made, listed, brought here, recovered into a new name, deleted."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console_core.errors import CollectionExists, StoreRefused
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.snapshots import Snapshot, Snapshots, snapshots_of
from tests.contract.vectorstore.conftest import QDRANT_SERVERS
from tests.contract.vectorstore.world import STAMP, World, ids

SERVERS = pytest.mark.parametrize("world", QDRANT_SERVERS, indirect=True)


@pytest.fixture
def snapshots(world: World) -> Iterator[Snapshots]:
    found = snapshots_of(world.store)
    assert found is not None
    yield found
    found.close()


def _taken(snapshots: Snapshots, collection: str) -> Snapshot:
    known = {one.name for one in snapshots.list(collection)}
    snapshots.begin(collection)
    until = time.monotonic() + 60
    while not (new := [one for one in snapshots.list(collection) if one.name not in known]):
        assert time.monotonic() < until
        time.sleep(0.05)
    return new[0]


def test_only_a_qdrant_server_has_snapshots_and_never_a_store_for_dry_runs(world: World) -> None:
    found = snapshots_of(world.store)
    assert (found is not None) == (world.store.info().kind == "Qdrant server")
    assert snapshots_of(ReadOnlyStore(world.store)) is None
    if found is not None:
        found.close()


@SERVERS
def test_a_snapshot_is_brought_here_and_recovered_whole_into_a_new_collection(
    world: World, snapshots: Snapshots, tmp_path: Path
) -> None:
    name = world.made(count=300, stamp=STAMP)
    assert snapshots.list(name) == []
    snapshot = _taken(snapshots, name)
    assert snapshot.collection == name
    assert snapshot.created_at is not None
    file = tmp_path / snapshot.name
    assert list(snapshots.download(snapshot, file))[-1] == file.stat().st_size == snapshot.bytes
    world.store.delete(name, ids(world.store.page(name)[0])[:10])
    snapshots.recover(file, world.name("back"), snapshot.checksum)
    assert world.store.count(world.name("back")) == 300
    assert world.store.describe(world.name("back")).stamp == STAMP
    assert not signature_of(world.store, world.name("back")).same_as(signature_of(world.store, name))
    with pytest.raises(CollectionExists):
        snapshots.recover(file, name, snapshot.checksum)
    assert world.store.count(name) == 290
    snapshots.delete(name, snapshot.name)
    assert snapshots.list(name) == []


@SERVERS
def test_a_snapshot_whose_bytes_are_not_those_that_were_made_is_refused(
    world: World, snapshots: Snapshots, tmp_path: Path
) -> None:
    name = world.made(count=20)
    snapshot = _taken(snapshots, name)
    file = tmp_path / "file"
    with pytest.raises(StoreRefused, match="checksum is another"):
        list(snapshots.download(replace(snapshot, checksum="0" * 64), file))
    assert list(tmp_path.iterdir()) == []
    list(snapshots.download(snapshot, file))
    with pytest.raises(StoreRefused):
        snapshots.recover(file, world.name("back"), "0" * 64)
    with pytest.raises(StoreRefused, match="does not give out"):
        list(snapshots.download(replace(snapshot, name="none"), file))
