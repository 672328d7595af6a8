"""Several models at once, from the command line and from the commands: all begin, or none."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.cli.app import app
from console_core.commands import Started, command
from console_core.console import Console, open_console
from console_core.embedding.preprocessing import Mode
from console_core.errors import Refused
from console_core.migration.findings import Request
from console_core.migration.preflight import preflight, preflights
from console_core.runs.types import RunState
from tests.conftest import OPERATOR, PICTURES, fill, finish, make_workspace
from tests.lifecycle.test_worker import until
from tests.lifecycle.workspaces import Contents, opened

BOTH = [Request("images", "demo-siglip"), Request("images", "demo-clip")]


@pytest.fixture
def served(workspace: Path) -> Path:
    """A workspace whose alias `images` serves what the demo CLIP made; nobody has it open."""
    with opened(workspace) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return workspace


def run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])


def test_migrate_also_builds_and_verifies_a_collection_for_each_model(served: Path) -> None:
    result = run(served, "migrate", "images", "--to", "demo-siglip", "--also", "demo-clip", "--json")
    assert result.exit_code == 0, result.output
    built = json.loads(result.stdout)
    assert [(one["target"], one["done"], one["verdict"]) for one in built] == [
        ("images__demo-siglip", PICTURES, "green"),
        ("images__demo-clip-2", PICTURES, "green"),
    ]
    alone = make_workspace(served.parent / "alone")
    with opened(served) as console, opened(alone) as other:
        fill(other, "images__demo-clip", "demo-clip", alias="images")
        finish(other, command(other, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run)
        mine, theirs = (Contents.of(one, "images__demo-siglip") for one in (console, other))
        assert len(mine.points) == PICTURES
        assert mine.same_as(theirs)
        assert console.store.aliases() == {"images": "images__demo-clip"}
        assert len({migration.plan.convoy for migration in console.migrations.all()} - {""}) == 1


def test_plan_also_shows_each_model_and_the_room_that_all_of_them_need(served: Path) -> None:
    result = run(served, "plan", "images", "--to", "demo-siglip", "--also", "demo-clip", "--json")
    assert result.exit_code == 0, result.output
    assert [one["target"] for one in json.loads(result.stdout)] == ["images__demo-siglip", "images__demo-clip-2"]
    told = run(served, "plan", "images", "--to", "demo-siglip", "--also", "demo-clip").stdout
    assert "together with those before it" in told


def test_what_several_models_need_adds_up(console: Console) -> None:
    parts = console.preflight_parts()
    ones = [preflight(parts, request).need for request in BOTH]
    first, both = (found.need for found in preflights(parts, BOTH))
    assert first == ones[0]
    assert both is not None
    assert both.memory == sum(one.memory for one in ones if one)
    assert both.store == sum(one.store for one in ones if one)


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ([*BOTH, Request("images", "no-such-model")], "no-such-model"),
        ([BOTH[0], BOTH[0]], "named twice"),
        ([BOTH[0], Request("images", "demo-clip", batch_size=7)], "same collection, slice and batch size"),
        ([BOTH[0], Request("images__demo-clip", "demo-clip")], "same collection, slice and batch size"),
        ([BOTH[0], Request("images", "demo-clip", target="images__demo-siglip")], "built twice"),
        ([], "No model"),
    ],
)
def test_where_one_of_them_cannot_begin_none_does(console: Console, requests: Sequence[Request], told: str) -> None:
    with pytest.raises(Refused, match=told):
        command(console, OPERATOR, "start_migrations", requests=requests)
    assert console.migrations.all() == []
    assert console.ledger.runs() == []
    assert console.ledger.journal()[0].outcome == "refused"


def test_where_the_last_run_is_refused_none_is_queued_and_no_migration_is_left(console: Console) -> None:

    submit = console.ledger.submit_together

    def too_late(wanted):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        return submit([*wanted[:-1], replace(wanted[-1], target=wanted[0].target)])

    console.ledger.submit_together = too_late  # type: ignore[method-assign]
    with pytest.raises(Refused, match="still writes to"):
        command(console, OPERATOR, "start_migrations", requests=BOTH)
    assert console.migrations.all() == []
    assert console.ledger.runs() == []


def test_the_journal_names_every_migration_that_was_begun(console: Console) -> None:
    begun: list[Started] = command(console, OPERATOR, "start_migrations", requests=BOTH)
    (entry,) = (one for one in console.ledger.journal() if one.action == "start_migrations")
    assert entry.subject == "images"
    for one in begun:
        assert one.migration.id in entry.detail
        assert one.run.id in entry.detail
    assert begun[0].migration.plan.convoy == begun[1].migration.plan.convoy != ""
    assert all(one.migration.plan.mode is Mode.FAST for one in begun)


def test_one_model_travels_alone(console: Console) -> None:
    started = command(console, OPERATOR, "start_migration", request=BOTH[0])
    assert started.migration.plan.convoy == ""


def test_the_server_s_worker_builds_for_both_demo_models_at_once(served: Path) -> None:
    console = open_console(settings.read(served, {}), owner_name="the server", with_worker=True)
    try:
        begun: list[Started] = command(console, OPERATOR, "start_migrations", requests=BOTH)
        runs = [until(RunState.SUCCEEDED, console.ledger, one.run) for one in begun]
        first, second = (console.ledger.attempts(run.id)[0] for run in runs)
        assert first.finished_at is not None
        assert second.finished_at is not None
        assert max(first.started_at, second.started_at) < min(first.finished_at, second.finished_at)
        verdicts = [command(console, OPERATOR, "verify", collection=run.target) for run in runs]
        for verdict in verdicts:
            ended = until(RunState.SUCCEEDED, console.ledger, verdict)
            assert (ended.result or {})["verdict"] == "green"
    finally:
        console.close()
