"""A migration exists from its first run on, and tells how far it has come."""

import pytest

from console_core.commands import command
from console_core.console import Console
from console_core.errors import LedgerUnavailable, NotFound, Refused
from console_core.migration.findings import Request
from console_core.migration.plan import MigrationPlan
from console_core.migration.records import Stage, standing
from console_core.runs.types import Counts, Progress, Run, RunState
from console_core.vectorstore.types import CollectionSpec
from tests.conftest import OPERATOR, finish, migrate

USUAL = Request("images", "demo-siglip", batch_size=8)


def stage(console: Console) -> Stage:
    return standing(console.migrations.all()[0], console.ledger, console.store.aliases()).stage


def start(console: Console) -> Run:
    run: Run = command(console, OPERATOR, "start_migration", request=USUAL).run
    return run


def test_a_migration_is_kept_with_its_plan_and_who_began_it(console: Console) -> None:
    started = command(console, OPERATOR, "start_migration", request=USUAL)
    (kept,) = console.migrations.all()
    assert kept == started.migration == console.migrations.get(kept.id)
    assert (kept.plan, kept.created_by) == (started.preflight.plan, "olga")
    assert MigrationPlan.from_json(started.run.spec) == kept.plan
    assert started.run.migration == kept.id
    with pytest.raises(NotFound, match="m-none"):
        console.migrations.get("m-none")


def test_what_blocks_starts_nothing_and_says_what_to_do(console: Console) -> None:
    with pytest.raises(Refused, match="There is no alias or collection photos") as refused:
        command(console, OPERATOR, "start_migration", request=Request("photos", "demo-siglip"))
    assert "Choose one of: images" in refused.value.remedy
    assert console.migrations.all() == []
    assert console.ledger.runs() == []


def test_a_migration_whose_run_could_not_be_queued_is_taken_back(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> Run:
        raise LedgerUnavailable("The ledger is away.")

    monkeypatch.setattr(console.ledger, "submit_together", away)
    with pytest.raises(LedgerUnavailable):
        start(console)
    assert console.migrations.all() == []


def test_the_stages_follow_the_runs_and_the_alias(console: Console) -> None:
    run = start(console)
    assert stage(console) is Stage.BUILDING
    stopped = finish(console, run, should_stop=lambda: console.ledger.get(run.id).counts.done > 0)
    assert (stopped.state, stage(console)) == (RunState.INTERRUPTED, Stage.STOPPED)
    build = finish(console, command(console, OPERATOR, "resume", run=run.id))
    assert stage(console) is Stage.BUILT
    check = command(console, OPERATOR, "verify", collection=build.target)
    assert stage(console) is Stage.VERIFYING
    finish(console, check)
    assert stage(console) is Stage.READY
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert stage(console) is Stage.LIVE
    command(console, OPERATOR, "roll_back", alias="images")
    assert stage(console) is Stage.READY


def test_a_cancelled_build_cancels_the_migration_and_frees_its_target(console: Console) -> None:
    run = start(console)
    command(console, OPERATOR, "cancel", run=run.id)
    assert stage(console) is Stage.CANCELLED
    assert migrate(console).target == run.target


def test_wrong_books_end_a_build_as_invalid_and_lock_the_cut_over(console: Console) -> None:
    run = start(console)
    claimed = console.ledger.claim(run.lane, "a test", only=run.id)
    assert claimed is not None
    console.ledger.record(run.id, Progress("48", Counts(48, 40)))
    console.ledger.finish(run.id, RunState.INVALID, reason="8 pictures are lost.")
    assert stage(console) is Stage.STOPPED
    console.store.create(run.target, CollectionSpec(192))
    with pytest.raises(Refused, match=f"The books of run {run.id} do not add up"):
        command(console, OPERATOR, "cut_over", alias="images", to=run.target)
