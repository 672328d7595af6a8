"""Settings that are changed while a run works: it pauses, the console opens anew, and the run ends exactly."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from console_core import settings
from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import ConsoleError, NotAllowed
from console_core.migration.findings import Request
from console_core.runs.manners import Manners
from console_core.runs.types import Run, RunState
from console_core.settings.changing import Change, written
from console_core.web import process
from console_core.web.changing import change_settings
from tests.conftest import OPERATOR, PICTURES, fill, make_workspace

SLOW = Manners(rate=0.01)
"""After its first step a run waits for longer than any test takes."""
PATIENCE = (Change(("store", "timeout"), 45),)


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    workspace = make_workspace(tmp_path / "workspace")
    monkeypatch.setenv("CONSOLE_WORKSPACE", str(workspace))
    process.stop()
    process.start()
    fill(process.console(), "images__demo-clip", "demo-clip", alias="images")
    yield workspace
    process.stop()


def _until(run: str, holds: Callable[[Run], bool]) -> Run:
    end = time.monotonic() + 60
    while not holds(now := process.console().ledger.get(run)):
        assert time.monotonic() < end, f"{now.state}: {now.reason}"
        time.sleep(0.02)
    return now


def _begin(console: Console) -> Run:
    """A build that has made its first step."""
    command(console, OPERATOR, "set_manners", manners=SLOW)
    run: Run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip")).run
    return _until(run.id, lambda now: now.counts.done > 0)


def test_a_run_at_work_goes_on_by_itself_after_the_change_and_ends_exactly(workspace: Path) -> None:
    before = process.console()
    run = _begin(before)
    effect = change_settings(OPERATOR, "store", PATIENCE, written(workspace).digest)
    after = process.console()
    assert after is not before
    assert before.models.resident() == [], "or every change would leave a copy of the weights in memory"
    assert after.settings.store.timeout == 45
    assert (effect.names, effect.going_on, effect.waiting) == (("[store] timeout",), (run.title,), ())
    command(after, OPERATOR, "set_manners", manners=None)
    ended = _until(run.id, lambda now: now.state is RunState.SUCCEEDED)
    assert (ended.counts.done, ended.counts.pending, ended.attempt) == (PICTURES, 0, 2)
    assert sum(attempt.done for attempt in after.ledger.attempts(run.id)) == PICTURES
    assert len(list(after.store.scroll(run.target))) == PICTURES
    entry = after.ledger.journal(subject="store")[0]
    assert (entry.actor, entry.action, entry.detail) == ("olga", "change_settings", "[store] timeout")


def test_a_run_of_another_catalog_waits_for_a_person(workspace: Path) -> None:
    with closing(sqlite3.connect(workspace / "catalog.db")) as catalog, catalog:
        catalog.execute("CREATE TABLE fewer AS SELECT * FROM images WHERE id < 9")
    run = _begin(process.console())
    request = Request("images", "demo-clip", target="later")
    queued = command(process.console(), OPERATOR, "start_migration", request=request).run
    effect = change_settings(OPERATOR, "catalog", [Change(("catalog", "table"), "fewer")])
    assert (effect.going_on, effect.waiting) == ((), (run.title, queued.title))
    assert process.console().ledger.get(queued.id).state is RunState.PAUSED
    assert process.console().catalog.count() == 8
    assert process.console().ledger.get(run.id).state is RunState.INTERRUPTED


def test_settings_that_cannot_be_opened_are_taken_back_and_the_run_goes_on(workspace: Path) -> None:
    run = _begin(process.console())
    text = (workspace / settings.FILE).read_text()
    with pytest.raises(ConsoleError, match="gone"):
        change_settings(OPERATOR, "catalog", [Change(("catalog", "table"), "gone")])
    assert (workspace / settings.FILE).read_text() == text
    assert process.problem() is None
    again = process.console()
    assert again.catalog.count() == PICTURES
    assert [(entry.outcome, entry.detail[:10]) for entry in again.ledger.journal(subject="catalog")] == [
        ("refused", "Taken back"),
        ("done", "[catalog] "),
    ]
    command(again, OPERATOR, "set_manners", manners=None)
    assert _until(run.id, lambda now: now.state is RunState.SUCCEEDED).counts.done == PICTURES


def test_who_may_not_changes_nothing_and_nothing_is_opened_anew(workspace: Path) -> None:
    text, generation = (workspace / settings.FILE).read_text(), process.generation()
    with pytest.raises(NotAllowed, match="needs admin"):
        change_settings(Actor("vera", "operator"), "store", PATIENCE)
    assert change_settings(OPERATOR, "store", [Change(("store", "url"), "local:qdrant")]).names == ()
    assert (workspace / settings.FILE).read_text() == text
    assert process.generation() == generation
