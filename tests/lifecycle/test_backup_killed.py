"""A proof that was killed with -9 and is not gone on with leaves nothing behind. See also test_killed_everywhere."""

from pathlib import Path

import pytest

from console_core.backup.backups import BackupState
from console_core.commands import command
from console_core.runs.types import Run, RunState, Verb
from tests.conftest import OPERATOR, fill
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import opened

OLD = "images__demo-clip"
PART_BYTES = 18_000
"""Of 48 points with 128 numbers each: two parts."""


@pytest.fixture
def filled(workspace: Path) -> Path:
    with opened(workspace) as console:
        fill(console, OLD, "demo-clip", alias="images")
    return workspace


def _life(forks: Forks, workspace: Path, run: Run, moment: str, step: int) -> int:
    life = forks.start(
        "tests.lifecycle.programs:die_working", str(workspace), run.id, moment, str(step), str(PART_BYTES)
    )
    code = life.wait()
    assert code in (0, -9), life.stdout.read_text() + life.stderr.read_text()
    return code


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
