"""Backups as runs in a workspace: what is refused, what is cancelled, and how many are kept."""

from pathlib import Path

import pytest

from console_core import settings
from console_core.backup.backups import BackupState
from console_core.backup.since import is_current, known_writes
from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import CollectionExists, NotAllowed, Refused
from console_core.runs.types import Run, RunState
from tests.conftest import OPERATOR, fill, finish
from tests.lifecycle.workspaces import opened

OLD = "images__demo-clip"


def _done(console: Console, name: str, **arguments: str) -> Run:
    run = finish(console, command(console, OPERATOR, name, **arguments))
    assert run.state is RunState.SUCCEEDED, run.reason
    return run


def test_two_backups_of_one_collection_at_once_are_refused(console: Console) -> None:
    run = command(console, OPERATOR, "back_up", collection="images")
    with pytest.raises(Refused, match=run.id):
        command(console, OPERATOR, "back_up", collection=OLD)
    finish(console, run)
    _done(console, "back_up", collection=OLD)


def test_a_cancelled_restore_takes_away_what_it_built_and_the_name_is_free_again(console: Console) -> None:
    _done(console, "back_up", collection=OLD)
    backup = console.backups.all()[0].id
    run = command(console, OPERATOR, "restore", backup=backup, into="back")
    with pytest.raises(Refused):
        command(console, OPERATOR, "restore", backup=backup, into="back")
    steps = iter(range(100))
    stopped = finish(console, run, lambda: next(steps) >= 4)
    assert stopped.state is RunState.INTERRUPTED
    assert "back" in {info.name for info in console.store.collections()}
    with pytest.raises(CollectionExists):
        command(console, OPERATOR, "restore", backup=backup, into="back")
    with pytest.raises(Refused, match="uses the backup"):
        command(console, OPERATOR, "delete_backup", backup=backup)
    command(console, OPERATOR, "cancel", run=run.id)
    assert {info.name for info in console.store.collections()} == {OLD}
    _done(console, "restore", backup=backup, into="back")
    assert console.store.count("back") == console.store.count(OLD)


def test_what_was_cancelled_while_it_worked_is_taken_away_too(console: Console) -> None:
    _done(console, "back_up", collection=OLD)
    backup = console.backups.all()[0].id
    for name, arguments in (("prove", {}), ("restore", {"into": "back"})):
        run = command(console, OPERATOR, name, backup=backup, **arguments)
        steps = iter(range(100))

        def cancel(run: Run = run, steps: object = steps) -> bool:
            if next(steps) == 4:  # type: ignore[call-overload]
                command(console, OPERATOR, "cancel", run=run.id)
            return False

        assert finish(console, run, cancel).state is RunState.CANCELLED
        assert {info.name for info in console.store.collections()} == {OLD}


def test_a_cancelled_backup_is_unfinished_and_can_be_deleted(console: Console) -> None:
    run = command(console, OPERATOR, "back_up", collection=OLD)
    looks = iter([False, True, True])
    finish(console, run, lambda: next(looks))
    command(console, OPERATOR, "cancel", run=run.id)
    for backup in console.backups.all():
        assert backup.state in (BackupState.UNFINISHED, BackupState.UNPROVEN)
        command(console, OPERATOR, "delete_backup", backup=backup.id)
    assert console.backups.all() == []


def test_only_an_admin_deletes_backups(console: Console) -> None:
    _done(console, "back_up", collection=OLD)
    with pytest.raises(NotAllowed):
        command(console, Actor("ben", "operator"), "delete_backup", backup=console.backups.all()[0].id)


def test_after_a_proof_as_many_backups_stay_as_the_settings_say(workspace: Path) -> None:
    with (workspace / settings.FILE).open("a") as file:
        file.write("[backups]\nkeep = 1\n")
    with opened(workspace) as console:
        fill(console, OLD, "demo-clip", alias="images")
        for _ in range(2):
            _done(console, "back_up", collection=OLD)
        newer, older = (backup.id for backup in console.backups.all())
        _done(console, "prove", backup=older)
        assert len(console.backups.all()) == 2
        proof = _done(console, "prove", backup=newer)
        assert proof.result is not None
        assert proof.result["deleted"] == [older]
        assert [backup.id for backup in console.backups.all()] == [newer]
        (entry, *_) = (one for one in console.ledger.journal() if one.action == "prune_backups")
        assert older in entry.detail


def test_what_was_written_since_a_backup_is_known_by_counts_and_runs_and_surely_by_content(console: Console) -> None:
    _done(console, "back_up", collection=OLD)
    archive = console.backups.open(console.backups.all()[0].id)
    assert known_writes(archive.manifest, console.store.describe(OLD), console.ledger) == ""
    assert is_current(archive, console.store)
    (point,) = console.store.retrieve(OLD, [1], vectors=True)
    console.store.upsert(OLD, [type(point)(1, point.vector, {**point.payload, "caption": "edited"})])
    assert known_writes(archive.manifest, console.store.describe(OLD), console.ledger) == ""
    assert not is_current(archive, console.store)
    console.store.delete(OLD, [1])
    assert "holds 47 points now" in known_writes(archive.manifest, console.store.describe(OLD), console.ledger)
