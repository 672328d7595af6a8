# ruff: noqa: T201
"""A disk that fills up while a collection is kept in step, or while a backup is restored."""

import shutil
from pathlib import Path

import pytest

from console_core.commands import command
from console_core.console import Console
from console_core.errors import LedgerUnavailable
from console_core.following.records import Lag
from console_core.rollout.expected import expected_signature
from console_core.runs.execution import work
from console_core.runs.types import Run, RunState
from console_core.vectorstore.signature import signature_of
from tests.conftest import OPERATOR, fill, finish, make_workspace, migrate
from tests.lifecycle.changing import Application
from tests.lifecycle.small_disk import SmallDisk, assert_intact
from tests.lifecycle.test_changes_meanwhile import differences
from tests.lifecycle.workspaces import Serving, copied, opened

PICTURES = 120
TARGET = "images__demo-siglip"
ENOUGH = 8_000_000


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection that is built, verified and backed up."""
    folder = make_workspace(tmp_path_factory.mktemp("built") / "workspace", PICTURES)
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
        finish(console, command(console, OPERATOR, "verify", collection=migrate(console).target))
        finish(console, command(console, OPERATOR, "back_up", collection=TARGET))
    return folder


@pytest.fixture
def workspace(built: Path, tmp_path: Path) -> Path:
    return copied(built, tmp_path / "workspace")


@pytest.fixture
def application(workspace: Path) -> Application:
    return Application(workspace)


@pytest.fixture
def store(workspace: Path, disk: SmallDisk) -> dict[str, str]:
    """The environment in which the store is on the small disk."""
    copied(workspace / "qdrant", disk.folder / "qdrant")
    return {"CONSOLE_STORE_URL": f"local:{disk.folder / 'qdrant'}"}


@pytest.fixture
def ledger(workspace: Path, disk: SmallDisk) -> dict[str, str]:
    """The environment in which the ledger is on the small disk."""
    for file in workspace.glob("ledger.db*"):
        shutil.move(file, disk.folder)
    return {"CONSOLE_LEDGER_URL": f"sqlite:///{disk.folder / 'ledger.db'}"}


def _caught_up(console: Console, run: Run, before: Serving) -> None:
    """The catch-up resumes to the state that it has where nothing disturbs it, and the verdict's signature holds."""
    resumed = finish(console, command(console, OPERATOR, "resume", run=run.id))
    assert resumed.state is RunState.SUCCEEDED, resumed.reason
    assert command(console, OPERATOR, "catch_up", collection=TARGET) == Lag()
    assert not any(differences(console, TARGET, "demo-siglip").values())
    expected = expected_signature(console.ledger, console.store, TARGET)
    assert expected is not None
    assert expected.same_as(signature_of(console.store, TARGET))
    assert Serving.of(console) == before


@pytest.mark.parametrize("free", [0, 20_000, 300_000])
def test_a_store_that_fills_up_during_a_catch_up_stops_it_and_it_goes_on(
    workspace: Path, application: Application, disk: SmallDisk, store: dict[str, str], free: int
) -> None:
    application.insert(100)
    application.edit(20)
    application.delete(10)
    with opened(workspace, store) as console:
        before, held = Serving.of(console), console.store.count(TARGET)
        run = command(console, OPERATOR, "catch_up", collection=TARGET)
        disk.leave(free)
        stopped = finish(console, run)
        print(f"catch-up, {free:,} bytes free: {stopped.counts.done} done, then: {stopped.reason} {stopped.remedy}")
        assert stopped.state is RunState.FAILED
        assert f"The embedded store at {disk.folder / 'qdrant'} has no space left" in stopped.reason
        assert "Free disk space" in stopped.remedy
        assert Serving.of(console) == before
    assert_intact(disk.folder)
    disk.leave(ENOUGH)
    with opened(workspace, store) as console:
        assert console.store.count(TARGET) >= held
        _caught_up(console, run, before)


def test_a_ledger_that_fills_up_during_a_catch_up_interrupts_it_and_it_goes_on(
    workspace: Path, application: Application, disk: SmallDisk, ledger: dict[str, str]
) -> None:
    with opened(workspace, ledger) as console:
        application.edit(100)
        before = Serving.of(console)
        run = command(console, OPERATOR, "catch_up", collection=TARGET)
        claimed = console.ledger.claim(run.lane, "this test", only=run.id)
        assert claimed is not None
        disk.leave(0)
        with pytest.raises(LedgerUnavailable, match=r"full|I/O") as refused:
            work(claimed, console.operation, console.ledger, lambda: False, patience=0.1)
        print(f"ledger, in a catch-up: {refused.value}")
        assert str(disk.folder / "ledger.db") in refused.value.message
        assert "has space left" in refused.value.remedy
        assert Serving.of(console) == before
    assert_intact(disk.folder)
    disk.leave(ENOUGH)
    with opened(workspace, ledger) as console:
        assert console.ledger.get(run.id).state is RunState.INTERRUPTED
        _caught_up(console, run, before)


@pytest.mark.parametrize("free", [0, 20_000, 150_000])
def test_a_store_that_fills_up_during_a_restore_stops_it_and_it_goes_on(
    workspace: Path, disk: SmallDisk, store: dict[str, str], free: int
) -> None:
    with opened(workspace, store) as console:
        before, made = Serving.of(console), signature_of(console.store, TARGET)
        (backup,) = console.backups.all()
        run = command(console, OPERATOR, "restore", backup=backup.id, into="again")
        disk.leave(free)
        stopped = finish(console, run)
        print(f"restore, {free:,} bytes free: {stopped.reason} {stopped.remedy}")
        assert stopped.state is RunState.FAILED
        assert f"The embedded store at {disk.folder / 'qdrant'} has no space left" in stopped.reason
        assert "Free disk space" in stopped.remedy
        assert Serving.of(console) == before
    assert_intact(disk.folder)
    disk.leave(ENOUGH)
    with opened(workspace, store) as console:
        assert signature_of(console.store, TARGET).same_as(made)
        resumed = finish(console, command(console, OPERATOR, "resume", run=run.id))
        assert resumed.state is RunState.SUCCEEDED, resumed.reason
        assert signature_of(console.store, "again").same_as(made), "as on a disk with space"
        assert Serving.of(console) == before
