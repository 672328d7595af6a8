"""`embedding-console manners` shows and changes those of a run or the defaults, and is refused as others are."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.cli.app import app
from console_core.console import open_console
from console_core.runs.manners import Cause
from console_core.runs.types import Lane, RunState
from tests.conftest import make_workspace

DEFAULT = {"run": None, "batch_size": 0, "rate": 0.0, "polite": False, "hours": "any"}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    return make_workspace(tmp_path / "workspace", pictures=4)


@pytest.fixture
def run(workspace: Path) -> str:
    """A queued run of that workspace."""
    console = open_console(settings.read(workspace, {}), owner_name="the test")
    submitted = console.ledger.submit(
        kind="reembed",
        lane=Lane.ACCELERATOR,
        title="A build",
        target="images__new",
        spec={},
        actor="olga",
        selected=4,
        writes=True,
    )
    console.close()
    return submitted.id


def _run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(workspace), "manners", *arguments])


def _json(workspace: Path, *arguments: str) -> Any:
    result = _run(workspace, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_defaults_are_shown_and_each_option_changes_only_what_it_names(workspace: Path) -> None:
    assert _json(workspace) == DEFAULT
    assert _json(workspace, "--rate", "5") == {**DEFAULT, "rate": 5.0}
    assert _json(workspace, "--hours", "22:00-06:00") == {**DEFAULT, "rate": 5.0, "hours": "22:00-06:00"}
    assert _json(workspace, "--polite", "--hours", "any") == {**DEFAULT, "rate": 5.0, "polite": True}
    assert _json(workspace, "--impolite", "--rate", "0") == DEFAULT


def test_a_run_has_its_own_until_it_follows_the_defaults_again(workspace: Path, run: str) -> None:
    _json(workspace, "--rate", "3")
    followed = _json(workspace, run)
    assert (followed["own"], followed["rate"], followed["waited"]) == (False, 3.0, {})
    own = _json(workspace, run, "--batch", "8")
    assert (own["own"], own["batch_size"], own["rate"]) == (True, 8, 3.0)
    assert _json(workspace)["batch_size"] == 0
    again = _json(workspace, run, "--follow-defaults")
    assert (again["own"], again["batch_size"]) == (False, 0)


def test_what_changed_is_told_and_written_into_the_journal(workspace: Path, run: str) -> None:
    result = _run(workspace, run, "--rate", "2.5")
    assert result.stdout.splitlines()[0] == "Changed: rate: no limit → at most 2.5/s"
    console = open_console(settings.read(workspace, {}))
    (entry,) = console.ledger.journal(limit=1)
    console.close()
    assert (entry.actor, entry.action, entry.subject) == ("olga", "set_manners", run)
    assert entry.detail == "rate: no limit → at most 2.5/s"


def test_what_a_run_waited_is_shown(workspace: Path, run: str) -> None:
    console = open_console(settings.read(workspace, {}), owner_name="the test")
    assert console.ledger.claim(Lane.ACCELERATOR, "a worker") is not None
    console.ledger.waits.tell(run, "Yields to searches.", {Cause.RATE: 120.0, Cause.SEARCHES: 61.0}, attempt=1)
    console.ledger.finish(run, RunState.FAILED, reason="The disk is full.")
    console.close()
    assert _json(workspace, run)["waited"] == {"rate limit": 120.0, "searches": 61.0}
    assert "waited 2 min 00 s: rate limit" in _run(workspace, run).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--hours", "at night"], "22:00-06:00"),
        (["--hours", "08:00-08:00"], "leave no time"),
        (["--rate", "-1"], "is not a rate"),
        (["--batch", "100000"], "is not a batch size"),
        (["r-nobody"], "There is no run r-nobody"),
        (["--follow-defaults", "--rate", "1"], "Leave one of them out"),
    ],
)
def test_what_cannot_be_set_is_refused_with_a_remedy_and_changes_nothing(
    workspace: Path, arguments: list[str], said: str
) -> None:
    result = _run(workspace, *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert _json(workspace) == DEFAULT


def test_a_viewer_may_look_and_not_change(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSOLE_ROLE", "viewer")
    assert _json(workspace) == DEFAULT
    result = _run(workspace, "--polite")
    assert result.exit_code == 1
    assert "needs operator" in result.stderr
    assert _json(workspace) == DEFAULT


def test_while_another_process_owns_the_workspace_it_is_named(workspace: Path) -> None:
    console = open_console(settings.read(workspace, {}), owner_name="the console on port 8501")
    try:
        result = _run(workspace, "--polite")
    finally:
        console.close()
    assert result.exit_code == 1
    assert "the console on port 8501" in result.stderr
