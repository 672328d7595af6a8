"""A server's snapshots as runs: taken, brought here, recovered beside what exists, gone on with after a stop."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from console_core import settings
from console_core.backup.snapshot_requests import snapshots
from console_core.backup.snapshotting import LocalSnapshots
from console_core.catalog.intake import Intake
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.errors import CollectionExists, NotFound, Refused, StoreRefused
from console_core.runs.types import RunState
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR, finish
from tests.unit.vectorstore.loopback_qdrant import LoopbackQdrant

LIVE = "live"


@pytest.fixture
def remote(workspace: Path) -> Iterator[Console]:
    """A console on a server, with 200 points behind the alias `images`."""
    with LoopbackQdrant().running() as server:
        console = open_console(settings.read(workspace, {"CONSOLE_STORE_URL": server.url}), owner_name="a test")
        vectors = np.random.default_rng(5).normal(size=(200, 8)).astype(np.float32)
        console.store.create(LIVE, CollectionSpec(8, stamp=ModelStamp("demo-clip", "f00d")))
        console.store.upsert(LIVE, [Point(number, vector, {"n": number}) for number, vector in enumerate(vectors)])
        console.store.set_alias("images", LIVE, expected=None)
        try:
            yield console
        finally:
            console.close()


def test_a_snapshot_is_taken_brought_here_and_recovered_beside_what_exists(remote: Console) -> None:
    taken = finish(remote, command(remote, OPERATOR, "take_snapshot", collection="images"))
    assert taken.state is RunState.SUCCEEDED, taken.reason
    (snapshot,) = snapshots(remote.store, "images")
    assert taken.result is not None
    assert taken.result["snapshot"] == snapshot.name
    assert LocalSnapshots(remote.backups.folder).has(LIVE, snapshot.name)
    assert remote.backups.all() == []
    remote.intakes.add(LIVE, Intake("n", "folder", "holiday"), beside=True)
    about = {"collection": LIVE, "snapshot": snapshot.name}
    with pytest.raises(CollectionExists):
        command(remote, OPERATOR, "recover_snapshot", into="images", **about)
    recovered = finish(remote, command(remote, OPERATOR, "recover_snapshot", into="back", **about))
    assert recovered.state is RunState.SUCCEEDED, recovered.reason
    assert remote.store.count("back") == 200
    assert remote.intakes.ingested("back") == remote.intakes.ingested(LIVE)
    assert remote.intakes.line("back") == ["back"]
    assert remote.store.aliases() == {"images": LIVE}
    command(remote, OPERATOR, "delete_snapshot", **about)
    assert snapshots(remote.store, LIVE) == []
    with pytest.raises(NotFound, match="not on this machine"):
        command(remote, OPERATOR, "recover_snapshot", into="again", **about)


def test_a_snapshot_that_was_stopped_while_the_server_made_it_is_gone_on_with_and_not_taken_twice(
    remote: Console,
) -> None:
    run = command(remote, OPERATOR, "take_snapshot", collection=LIVE)
    with pytest.raises(Refused, match="is at it already"):
        command(remote, OPERATOR, "take_snapshot", collection=LIVE)
    looks = iter([False, True, True, True])
    stopped = finish(remote, run, lambda: next(looks))
    assert stopped.state is RunState.INTERRUPTED
    resumed = finish(remote, command(remote, OPERATOR, "resume", run=run.id))
    assert resumed.state is RunState.SUCCEEDED, resumed.reason
    assert len(snapshots(remote.store, LIVE)) == 1


def test_a_snapshot_whose_file_was_changed_is_not_sent_back(remote: Console) -> None:
    finish(remote, command(remote, OPERATOR, "take_snapshot", collection=LIVE))
    (snapshot,) = snapshots(remote.store, LIVE)
    file = LocalSnapshots(remote.backups.folder).file(LIVE, snapshot.name)
    file.write_bytes(file.read_bytes()[:-5])
    asked = command(remote, OPERATOR, "recover_snapshot", collection=LIVE, snapshot=snapshot.name, into="back")
    failed = finish(remote, asked)
    assert failed.state is RunState.FAILED
    assert "was changed since" in failed.reason
    assert [info.name for info in remote.store.collections()] == [LIVE]
    again = finish(remote, command(remote, OPERATOR, "download_snapshot", collection=LIVE, snapshot=snapshot.name))
    assert again.state is RunState.SUCCEEDED, again.reason
    assert finish(remote, command(remote, OPERATOR, "resume", run=asked.id)).state is RunState.SUCCEEDED


def test_the_embedded_store_has_no_snapshots_and_says_what_to_do_instead(console: Console) -> None:
    with pytest.raises(StoreRefused, match="has no snapshots") as refused:
        command(console, OPERATOR, "take_snapshot", collection="images")
    assert "portable archive" in refused.value.remedy


def test_backups_of_a_server_are_proven_and_restored_there(remote: Console) -> None:
    made = finish(remote, command(remote, OPERATOR, "back_up", collection="images"))
    assert made.state is RunState.SUCCEEDED, made.reason
    (backup,) = remote.backups.all()
    proof = finish(remote, command(remote, OPERATOR, "prove", backup=backup.id))
    assert proof.state is RunState.SUCCEEDED, proof.reason
    restored = finish(remote, command(remote, OPERATOR, "restore", backup=backup.id, into="back"))
    assert restored.state is RunState.SUCCEEDED, restored.reason
    assert {info.name for info in remote.store.collections()} == {LIVE, "back"}
