# ruff: noqa: T201
"""Backup, proof and restore are killed with -9 around every step that they record, and end as if nothing had been."""

from collections import Counter
from pathlib import Path

import pytest

from console_core import settings
from console_core.backup.backups import BackupState
from console_core.commands import command
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run, RunState, Verb
from console_core.vectorstore.signature import signature_of
from tests.conftest import OPERATOR, fill
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import Serving, opened

OLD = "images__demo-clip"
PART_BYTES = 18_000
"""Of 48 points with 128 numbers each: two parts."""


@pytest.fixture
def filled(workspace: Path) -> Path:
    with opened(workspace) as console:
        fill(console, OLD, "demo-clip", alias="images")
    return workspace


def _killed_at_every_step(forks: Forks, workspace: Path, run: Run) -> int:
    """Each life is killed right before, or right after, it records the first step that is new; how many were killed."""
    database = Database(settings.read(workspace, {}).ledger_url)
    ledger, kills, step = Ledger(database), 0, 1
    while ledger.get(run.id).result is None:
        reached = ledger.get(run.id).checkpoint
        for moment in ("before", "after"):
            assert _life(forks, workspace, run, moment, step) == -9
            kills += 1
        step = 1 if ledger.get(run.id).checkpoint != reached else step + 1  # a check of the archive starts over
        assert kills < 200
    database.close()
    assert _life(forks, workspace, run, "after", 99) == 0
    return kills


def _life(forks: Forks, workspace: Path, run: Run, moment: str, step: int) -> int:
    life = forks.start(
        "tests.lifecycle.programs:die_working", str(workspace), run.id, moment, str(step), str(PART_BYTES)
    )
    code = life.wait()
    assert code in (0, -9), life.stdout.read_text() + life.stderr.read_text()
    return code


def test_killed_around_every_step_a_backup_is_whole_proven_and_restored(filled: Path, forks: Forks) -> None:
    kills = Counter[str]()
    with opened(filled) as console:
        before = Serving.of(console)
        backing_up = command(console, OPERATOR, "back_up", collection="images")
    kills["backup"] = _killed_at_every_step(forks, filled, backing_up)

    with opened(filled) as console:
        assert Serving.of(console) == before
        (backup,) = console.backups.all()
        assert backup.manifest is not None
        assert (backup.state, backup.points, len(backup.manifest.parts)) == (BackupState.UNPROVEN, 48, 2)
        archive = console.backups.open(backup.id)
        assert archive.signature.same_as(signature_of(console.store, OLD))
        assert sum(archive.check()) == 48
        files = {file.name for file in backup.folder.iterdir()}
        assert files == {"manifest.json", "part-00000.parquet", "part-00001.parquet"}
        proving = command(console, OPERATOR, "prove", backup=backup.id)
    kills["prove"] = _killed_at_every_step(forks, filled, proving)

    with opened(filled) as console:
        assert Serving.of(console) == before
        assert console.backups.get(backup.id).proven
        assert [info.name for info in console.store.collections()] == [OLD]
        restoring = command(console, OPERATOR, "restore", backup=backup.id, into="images-back")
    kills["restore"] = _killed_at_every_step(forks, filled, restoring)

    with opened(filled) as console:
        assert Serving.of(console) == before
        assert signature_of(console.store, "images-back").same_as(signature_of(console.store, OLD))
        assert console.store.describe("images-back").stamp == console.store.describe(OLD).stamp
        for run in (backing_up, proving, restoring):
            ended = console.ledger.get(run.id)
            assert (ended.state, ended.counts.pending) == (RunState.SUCCEEDED, 0)
    print(f"\n{kills.total()} kills: {', '.join(f'{number} of {kind}' for kind, number in kills.items())}")
    assert kills["backup"] >= 5
    assert kills["prove"] >= 15
    assert kills["restore"] >= 15


@pytest.mark.parametrize("step", [3, 5, 7])
def test_a_proof_that_died_and_is_cancelled_leaves_no_collection_behind(filled: Path, forks: Forks, step: int) -> None:
    with opened(filled) as console:
        run = command(console, OPERATOR, "back_up", collection=OLD)
    assert _life(forks, filled, run, "after", 99) == 0
    with opened(filled) as console:
        (backup,) = console.backups.all()
        run = command(console, OPERATOR, "prove", backup=backup.id)
    assert _life(forks, filled, run, "before", step) == -9
    with opened(filled) as console:
        assert console.ledger.get(run.id).state is RunState.INTERRUPTED
        before = {info.name for info in console.store.collections()}
        assert before <= {OLD, run.target}
        command(console, OPERATOR, "cancel", run=run.id)
        assert {info.name for info in console.store.collections()} == {OLD}
        assert console.backups.get(backup.id).state is BackupState.UNPROVEN


def test_a_proof_that_died_while_it_was_being_cancelled_is_tidied_up_at_the_next_start(
    filled: Path, forks: Forks
) -> None:
    with opened(filled) as console:
        run = command(console, OPERATOR, "back_up", collection=OLD)
    assert _life(forks, filled, run, "after", 99) == 0
    with opened(filled) as console:
        run = command(console, OPERATOR, "prove", backup=console.backups.all()[0].id)
    assert _life(forks, filled, run, "after", 5) == -9
    with opened(filled) as console:
        assert run.target in {info.name for info in console.store.collections()}
        console.ledger.ask(run.id, Verb.CANCEL, "olga")  # as if the process died before it could take anything away
        console.store.create("images__proof-000000", console.backups.open(run.spec["backup"]).manifest.collection.spec)
    with opened(filled) as console:
        assert {info.name for info in console.store.collections()} == {OLD, "images__proof-000000"}
