# ruff: noqa: T201
"""A disk that fills up under the store or under the ledger stops a run, says so, loses nothing, and is gone on from."""

from pathlib import Path

import pytest

from console_core import settings
from console_core.backup import operation
from console_core.backup.backups import BackupState
from console_core.commands import command
from console_core.errors import LedgerUnavailable
from console_core.migration.findings import Request, Severity
from console_core.migration.preflight import preflight
from console_core.runs.execution import work
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import signature_of
from tests.conftest import OPERATOR, fill, finish, make_workspace, migrate
from tests.lifecycle.forking import Forks
from tests.lifecycle.small_disk import SmallDisk, assert_intact
from tests.lifecycle.workspaces import Contents, Serving, copied, opened

PICTURES = 120


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("filled") / "workspace", PICTURES)
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return folder


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    return copied(filled, tmp_path / "workspace")


@pytest.fixture(scope="module")
def undisturbed(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a build makes on a disk with space."""
    with opened(copied(filled, tmp_path_factory.mktemp("undisturbed") / "workspace")) as console:
        return Contents.of(console, migrate(console).target)


def _queued(workspace: Path, batch_size: int = 8, environment: dict[str, str] | None = None) -> tuple[Run, Serving]:
    with opened(workspace, environment) as console:
        request = Request("images", "demo-siglip", batch_size=batch_size)
        return command(console, OPERATOR, "start_migration", request=request).run, Serving.of(console)


def _assert_it_goes_on(
    workspace: Path,
    stopped: Run,
    before: Serving,
    undisturbed: Contents,
    environment: dict[str, str] | None = None,
) -> None:
    """With space again, the run resumes to success and makes the same; search was never touched."""
    with opened(workspace, environment) as console:
        assert Serving.of(console) == before
        there = console.ledger.get(stopped.id)
        assert there.state in (RunState.FAILED, RunState.INTERRUPTED)
        resumed = finish(console, command(console, OPERATOR, "resume", run=stopped.id))
        assert resumed.state is RunState.SUCCEEDED, resumed.reason
        assert resumed.counts.done == console.store.count(resumed.target) == PICTURES
        assert Contents.of(console, resumed.target).same_as(undisturbed)
        verify = finish(console, command(console, OPERATOR, "verify", collection=resumed.target))
        assert verify.result is not None
        assert verify.result["verdict"] == "green", verify.result["checks"]
        assert Serving.of(console) == before


@pytest.mark.parametrize("free", [0, 20_000, 600_000])
def test_a_store_whose_disk_is_full_fails_the_run_and_is_gone_on_from(
    workspace: Path, disk: SmallDisk, undisturbed: Contents, free: int
) -> None:
    copied(workspace / "qdrant", disk.folder / "qdrant")
    environment = {"CONSOLE_STORE_URL": f"local:{disk.folder / 'qdrant'}"}
    with opened(workspace, environment) as console:
        request = Request("images", "demo-siglip", batch_size=8)
        run, before = command(console, OPERATOR, "start_migration", request=request).run, Serving.of(console)
        disk.leave(free)
        stopped = finish(console, run)
        print(f"store, {free:,} bytes free: {stopped.counts.done} pictures, then: {stopped.reason} {stopped.remedy}")
        assert stopped.state is RunState.FAILED
        assert f"The embedded store at {disk.folder / 'qdrant'} has no space left" in stopped.reason
        assert "Free disk space" in stopped.remedy
        assert Serving.of(console) == before
        assert (stopped.counts.done > 0) == (free > 100_000)
    assert_intact(disk.folder)
    disk.leave(8_000_000)
    with opened(workspace, environment) as console:
        made = run.target in {info.name for info in console.store.collections()}
        kept = Contents.of(console, run.target) if made else Contents({})
        assert len(kept.points) >= stopped.counts.done
        assert kept.part_of(undisturbed), "what was acknowledged before the disk was full"
    _assert_it_goes_on(workspace, stopped, before, undisturbed, environment)


def test_a_migration_that_a_full_disk_has_no_room_for_is_blocked_before_it_starts(
    workspace: Path, disk: SmallDisk
) -> None:
    copied(workspace / "qdrant", disk.folder / "qdrant")
    disk.leave(100_000)
    with opened(workspace, {"CONSOLE_STORE_URL": f"local:{disk.folder / 'qdrant'}"}) as console:
        found = preflight(console.preflight_parts(), Request("images", "demo-siglip"))
        (blocking,) = [finding for finding in found.findings if finding.severity is Severity.BLOCK]
        assert blocking.code == "disk"
        assert str(disk.folder) in blocking.remedy


def test_a_migration_whose_ledger_a_full_disk_has_no_room_for_is_blocked_before_it_starts(
    workspace: Path, disk: SmallDisk
) -> None:
    with opened(workspace, {"CONSOLE_LEDGER_URL": f"sqlite:///{disk.folder / 'ledger.db'}"}) as console:
        disk.leave(1_000_000)
        found = preflight(console.preflight_parts(), Request("images", "demo-siglip"))
        (blocking,) = [finding for finding in found.findings if finding.severity is Severity.BLOCK]
        assert blocking.code == "disk-ledger"
        assert "8.0 MB" in blocking.message
        assert str(disk.folder) in blocking.remedy


def test_a_ledger_whose_disk_is_full_interrupts_the_run_and_is_gone_on_from(
    workspace: Path, disk: SmallDisk, undisturbed: Contents
) -> None:
    environment = {"CONSOLE_LEDGER_URL": f"sqlite:///{disk.folder / 'ledger.db'}"}
    run, before = _queued(workspace, batch_size=1, environment=environment)
    disk.leave(100_000)
    with opened(workspace, environment) as console:
        claimed = console.ledger.claim(run.lane, "this test", only=run.id)
        assert claimed is not None
        with pytest.raises(LedgerUnavailable, match="full") as refused:
            work(claimed, console.operation, console.ledger, lambda: False, patience=0.1)
        print(f"ledger: {refused.value}")
        assert str(disk.folder / "ledger.db") in refused.value.message
        assert "has space left" in refused.value.remedy
        reached = console.ledger.get(run.id)
        assert reached.state is RunState.RUNNING
        assert 0 < reached.counts.done <= console.store.count(run.target) <= reached.counts.done + 2
        assert Serving.of(console) == before
    assert_intact(disk.folder)
    disk.leave(8_000_000)
    _assert_it_goes_on(workspace, run, before, undisturbed, environment)


def _backups_on(disk: SmallDisk, workspace: Path) -> Path:
    with (workspace / settings.FILE).open("a") as file:
        file.write(f'[backups]\nfolder = "{disk.folder / "backups"}"\n')
    (disk.folder / "backups").mkdir()
    return disk.folder / "backups"


def test_a_backup_whose_disk_fills_up_keeps_its_finished_parts_and_is_gone_on_from(
    workspace: Path, disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "PART_BYTES", 20_000)
    folder = _backups_on(disk, workspace)
    disk.leave(60_000)
    with opened(workspace) as console:
        before = Serving.of(console)
        stopped = finish(console, command(console, OPERATOR, "back_up", collection="images"))
        assert stopped.state is RunState.FAILED
        print(f"backup: {stopped.counts.done} points, then: {stopped.reason} {stopped.remedy}")
        assert f"There is no space left for the backup in {folder}" in stopped.reason
        assert "Free disk space" in stopped.remedy
        assert Serving.of(console) == before
        (left,) = console.backups.all()
        assert left.state is BackupState.UNFINISHED
        parts = sorted(file.name for file in left.folder.iterdir())
        assert parts[0] == "part-00000.parquet"
        assert not [name for name in parts if name.endswith(".tmp")]
        assert 0 < stopped.counts.done < PICTURES
    disk.leave(8_000_000)
    with opened(workspace) as console:
        kept = (folder / left.id / "part-00000.parquet").stat()
        resumed = finish(console, command(console, OPERATOR, "resume", run=stopped.id))
        assert resumed.state is RunState.SUCCEEDED, resumed.reason
        assert (folder / left.id / "part-00000.parquet").stat().st_mtime_ns == kept.st_mtime_ns
        proof = finish(console, command(console, OPERATOR, "prove", backup=left.id))
        assert proof.state is RunState.SUCCEEDED, proof.reason
        assert console.backups.require_proven(left.id).points == PICTURES
        made = console.backups.open(left.id).signature
        assert made.same_as(signature_of(console.store, "images")), "as on a disk with space"
        assert Serving.of(console) == before


def test_a_backup_that_a_full_disk_has_certainly_no_room_for_is_refused_before_it_writes(
    workspace: Path, disk: SmallDisk
) -> None:
    _backups_on(disk, workspace)
    disk.leave(20_000)
    with opened(workspace) as console:
        stopped = finish(console, command(console, OPERATOR, "back_up", collection="images"))
        assert stopped.state is RunState.FAILED
        assert "at least 31 kB are needed" in stopped.reason
        assert stopped.counts.done == 0


@pytest.mark.parametrize(("limit", "batch_size", "who"), [(140_000, 64, "embedded store"), (70_000, 1, "ledger")])
def test_a_process_that_may_not_write_more_stops_with_a_message_and_is_gone_on_from(
    workspace: Path, forks: Forks, undisturbed: Contents, limit: int, batch_size: int, who: str
) -> None:
    run, before = _queued(workspace, batch_size)
    process = forks.start("tests.lifecycle.programs:attempt", str(workspace), run.id, "0.1", file_size=limit)
    assert process.wait() == 1
    said = process.stdout.read_text() + process.stderr.read_text()
    print(f"{who}, {limit:,} bytes a file: {said.strip()}")
    assert f"The {who} at " in said
    assert "cannot be used" in said
    assert "Traceback" not in said
    assert_intact(workspace)
    _assert_it_goes_on(workspace, run, before, undisturbed)
