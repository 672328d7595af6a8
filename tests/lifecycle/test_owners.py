"""One workspace has one owner; many people look at it and command it; and it outlives its owner."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from console_core import settings
from console_core.commands import Actor, command
from console_core.console import Console, open_console
from console_core.database import Database
from console_core.errors import LedgerOwned, NotAllowed, Refused
from console_core.migration.findings import Request
from console_core.runs.ledger import Ledger
from console_core.runs.manners import Manners
from console_core.runs.types import Run, RunState
from tests.conftest import PICTURES, fill, make_workspace
from tests.lifecycle.forking import Forked, Forks

CLI = "tests.lifecycle.programs:cli"
ANNA, BEN, VERA = Actor("anna", "operator"), Actor("ben", "operator"), Actor("vera", "viewer")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose alias `images` serves the demo CLIP's collection; closed, to be copied.

    Batches are small, so that a build takes long enough to be ended in its midst.
    """
    folder = make_workspace(tmp_path_factory.mktemp("filled") / "workspace", 200)
    console = open_console(settings.read(folder, {}), owner_name="the test")
    fill(console, "images__demo-clip", "demo-clip", alias="images")
    command(console, ANNA, "set_manners", manners=Manners(batch_size=1))
    console.close()
    return folder


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened in time"
        time.sleep(0.01)


def test_a_second_process_is_refused_and_told_which_one_owns_the_workspace(
    console: Console, workspace: Path, forks: Forks, ready: Callable[..., Forked]
) -> None:
    console.close()
    first = ready("owner", str(workspace), "console on port 8501")

    second = forks.start(CLI, "--workspace", str(workspace), "migrate", "images", "--to", "demo-siglip", "--json")
    assert second.wait() == 1
    said = second.stderr.read_text()
    assert f"This workspace is in use by console on port 8501 (process {first.pid} on this machine" in said
    assert f"stop process {first.pid}" in said
    assert "Traceback" not in said
    assert second.stdout.read_text() == ""
    with pytest.raises(LedgerOwned, match="console on port 8501"):
        open_console(settings.read(workspace, {}), owner_name="a third one", with_worker=True)

    first.kill()
    third = forks.start(CLI, "--workspace", str(workspace), "migrate", "images", "--to", "demo-siglip", "--json")
    assert third.wait() == 0, third.stderr.read_text()
    assert json.loads(third.stdout.read_text())["state"] == "succeeded"


def test_looking_with_the_command_line_while_a_server_has_the_embedded_store_is_refused_with_a_way_out(
    console: Console, workspace: Path, forks: Forks, ready: Callable[..., Forked]
) -> None:
    console.close()
    ready("owner", str(workspace), "console on port 8501")
    looking = forks.start(CLI, "--workspace", str(workspace), "collections")
    assert looking.wait() == 1
    said = looking.stderr.read_text()
    assert "another process has it" in said
    assert "do the same in the console" in said
    assert "Traceback" not in said


def test_two_people_see_the_same_numbers_and_either_controls_the_run(console: Console, workspace: Path) -> None:
    console.close()
    console = open_console(settings.read(workspace, {}), owner_name="the server", with_worker=True)
    elsewhere = Database(console.settings.ledger_url)
    anna, ben = console.ledger, Ledger(elsewhere)
    try:
        run = command(console, ANNA, "start_migration", request=Request("images", "demo-siglip", batch_size=1)).run
        wait_for(lambda: ben.get(run.id).counts.done >= 3)
        command(console, BEN, "pause", run=run.id)
        wait_for(lambda: anna.get(run.id).state is RunState.PAUSED)
        seen = anna.get(run.id)
        assert seen == ben.get(run.id)
        assert seen.reason == "Paused by ben."
        assert 3 <= seen.counts.done < PICTURES
        assert seen.counts.done <= console.store.count(run.target) <= seen.counts.done + 2, "what was under way"

        with pytest.raises(NotAllowed, match="vera has the role viewer"):
            command(console, VERA, "resume", run=run.id)
        command(console, ANNA, "resume", run=run.id)
        command(console, BEN, "resume", run=run.id)
        wait_for(lambda: ben.get(run.id).state is RunState.SUCCEEDED)
        assert anna.get(run.id) == ben.get(run.id)
        assert ben.get(run.id).counts.done == PICTURES
        assert [(asked.verb.value, asked.actor) for asked in ben.commands(run.id)] == [
            ("pause", "ben"),
            ("resume", "anna"),
        ]
        told = [(entry.actor, entry.action, entry.outcome) for entry in reversed(ben.journal())]
        assert told == [
            ("anna", "start_migration", "done"),
            ("ben", "pause", "done"),
            ("vera", "resume", "refused"),
            ("anna", "resume", "done"),
            ("ben", "resume", "done"),
        ]
        assert ben.journal()[-1].subject == "images"
        assert {entry.subject for entry in ben.journal()[:-1]} == {run.id}
    finally:
        elsewhere.close()
        console.close()


def test_a_restart_keeps_what_was_queued_and_says_why_what_was_running_stopped(
    console: Console, workspace: Path
) -> None:
    first = command(console, ANNA, "start_migration", request=Request("images", "demo-siglip", batch_size=8)).run
    second = command(
        console, BEN, "start_migration", request=Request("images", "demo-clip", target="again", batch_size=8)
    ).run
    claimed = console.ledger.claim(first.lane, "a server that will die", only=first.id)
    assert claimed is not None
    steps = console.operation(claimed).steps("", claimed.counts)
    console.ledger.record(first.id, next(steps))
    steps.close()  # type: ignore[attr-defined]
    console.close()

    console = open_console(settings.read(workspace, {}), owner_name="the next server", with_worker=True)
    try:
        stopped = console.ledger.get(first.id)
        assert stopped.state is RunState.INTERRUPTED
        assert stopped.reason == "The console stopped while this run was working."
        assert stopped.remedy == "Resume it: it continues from its last checkpoint."
        assert stopped.counts.done == 8
        recovered = next(entry for entry in console.ledger.journal() if entry.action == "recover")
        assert (recovered.subject, recovered.outcome) == (first.id, "interrupted")
        assert recovered.actor.startswith("the next server")

        wait_for(lambda: console.ledger.get(second.id).state is RunState.SUCCEEDED)
        assert console.ledger.get(first.id).state is RunState.INTERRUPTED, "it waits for a person"
        command(console, BEN, "resume", run=first.id)
        wait_for(lambda: console.ledger.get(first.id).state is RunState.SUCCEEDED)
        assert console.ledger.get(first.id).counts.done == console.store.count(first.target) == PICTURES
    finally:
        console.close()


def test_a_process_that_only_looks_may_not_change_anything(console: Console, workspace: Path) -> None:
    build = command(console, ANNA, "start_migration", request=Request("images", "demo-siglip")).run
    console.close()
    looking = open_console(settings.read(workspace, {}))
    try:
        with pytest.raises(Refused, match="only looks"):
            command(looking, ANNA, "cancel", run=build.id)
        assert looking.ledger.get(build.id).state is RunState.QUEUED
        assert looking.ledger.journal(limit=1)[0].outcome == "refused"
    finally:
        looking.close()


@pytest.mark.parametrize("ended_by", [signal.SIGKILL, signal.SIGINT])
def test_a_migration_on_the_command_line_that_is_killed_or_stopped_is_resumed_on_the_command_line(
    filled: Path, tmp_path: Path, forks: Forks, ended_by: signal.Signals
) -> None:
    workspace = tmp_path / "copy"
    copytree(filled, workspace)
    database = Database(settings.read(workspace, {}).ledger_url)
    ledger = Ledger(database)
    found: list[Run] = []

    def under_way() -> bool:
        found[:] = ledger.runs()
        return bool(found) and found[0].counts.done > 0

    at_work = forks.start(CLI, "--workspace", str(workspace), "migrate", "images", "--to", "demo-siglip", "--json")
    wait_for(under_way)
    code = at_work.kill(ended_by)
    (run,) = ledger.runs()
    if ended_by is signal.SIGINT:
        assert code == 1
        assert json.loads(at_work.stdout.read_text())["state"] == run.state.value == "interrupted"
    assert run.counts.done < 200

    resumed = forks.start(CLI, "--workspace", str(workspace), "resume", run.id, "--json")
    assert resumed.wait() == 0, resumed.stderr.read_text()
    told = json.loads(resumed.stdout.read_text())
    assert (told["run"], told["state"], told["embedded"], told["verdict"]) == (run.id, "succeeded", 200, "green")
    assert [attempt.outcome for attempt in ledger.attempts(run.id)] == ["interrupted", "succeeded"]
    database.close()
