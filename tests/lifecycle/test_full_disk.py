"""A disk that fills up under the store or under the ledger stops a run, says so, loses nothing, and is gone on from."""

import os
import subprocess
from collections.abc import Iterator
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
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import Serving, copied, opened

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


class SmallDisk:
    """A file system in memory of a size that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], capture_output=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")

    def leave(self, free: int) -> None:
        """Shrink or grow it until about `free` bytes are free."""
        found = os.statvfs(self.folder)
        size = (found.f_blocks - found.f_bfree) * found.f_frsize + free
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def close(self) -> None:
        subprocess.run(["umount", self.folder], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    found = SmallDisk(tmp_path / "disk")
    yield found
    found.close()


def _queued(workspace: Path, batch_size: int = 8, environment: dict[str, str] | None = None) -> tuple[Run, Serving]:
    with opened(workspace, environment) as console:
        request = Request("images", "demo-siglip", batch_size=batch_size)
        return command(console, OPERATOR, "start_migration", request=request).run, Serving.of(console)


def _assert_it_goes_on(
    workspace: Path, stopped: Run, before: Serving, environment: dict[str, str] | None = None
) -> None:
    """With space again, the run resumes to success; search was never touched."""
    with opened(workspace, environment) as console:
        assert Serving.of(console) == before
        there = console.ledger.get(stopped.id)
        assert there.state in (RunState.FAILED, RunState.INTERRUPTED)
        resumed = finish(console, command(console, OPERATOR, "resume", run=stopped.id))
        assert resumed.state is RunState.SUCCEEDED, resumed.reason
        assert resumed.counts.done == console.store.count(resumed.target) == PICTURES
        verify = finish(console, command(console, OPERATOR, "verify", collection=resumed.target))
        assert verify.result is not None
        assert verify.result["verdict"] == "green", verify.result["checks"]
        assert Serving.of(console) == before


def test_a_store_whose_disk_is_full_fails_the_run_and_is_gone_on_from(workspace: Path, disk: SmallDisk) -> None:
    copied(workspace / "qdrant", disk.folder / "qdrant")
    environment = {"CONSOLE_STORE_URL": f"local:{disk.folder / 'qdrant'}"}
    run, before = _queued(workspace, environment=environment)
    disk.leave(150_000)
    with opened(workspace, environment) as console:
        stopped = finish(console, run)
        assert stopped.state is RunState.FAILED
        assert "has no space left" in stopped.reason
        assert "Free disk space" in stopped.remedy
        assert Serving.of(console) == before
    disk.leave(8_000_000)
    _assert_it_goes_on(workspace, stopped, before, environment)


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


def test_a_ledger_whose_disk_is_full_interrupts_the_run_and_is_gone_on_from(workspace: Path, disk: SmallDisk) -> None:
    environment = {"CONSOLE_LEDGER_URL": f"sqlite:///{disk.folder / 'ledger.db'}"}
    run, before = _queued(workspace, batch_size=1, environment=environment)
    disk.leave(100_000)
    with opened(workspace, environment) as console:
        claimed = console.ledger.claim(run.lane, "this test", only=run.id)
        assert claimed is not None
        with pytest.raises(LedgerUnavailable, match="full") as refused:
            work(claimed, console.operation, console.ledger, lambda: False, patience=0.1)
        assert "has space left" in refused.value.remedy
        reached = console.ledger.get(run.id)
        assert reached.state is RunState.RUNNING
        assert 0 < reached.counts.done <= console.store.count(run.target) <= reached.counts.done + 1
        assert Serving.of(console) == before
    disk.leave(8_000_000)
    _assert_it_goes_on(workspace, run, before, environment)


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
        assert "There is no space left for the backup in" in stopped.reason
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
    workspace: Path, forks: Forks, limit: int, batch_size: int, who: str
) -> None:
    run, before = _queued(workspace, batch_size)
    process = forks.start("tests.lifecycle.programs:attempt", str(workspace), run.id, "0.1", file_size=limit)
    assert process.wait() == 1
    said = process.stdout.read_text() + process.stderr.read_text()
    assert f"The {who} at " in said
    assert "cannot be used" in said
    assert "Traceback" not in said
    _assert_it_goes_on(workspace, run, before)
