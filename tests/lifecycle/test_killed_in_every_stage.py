# ruff: noqa: T201
"""Killed -9 inside any stage of the pipeline, a build goes on behind its last checkpoint and ends as if undisturbed.

Where the engine has a process of its own, the console dies while that one is inside a stage.
"""

from functools import partial
from pathlib import Path

import pytest

from console_core.commands import command
from console_core.engine import process
from console_core.migration.findings import Request
from console_core.runs.types import RESUMABLE, RunState
from tests.conftest import OPERATOR, PICTURES, fill, finish, make_workspace
from tests.lifecycle.forked_engine import forked_engines
from tests.lifecycle.forking import Forks
from tests.lifecycle.stage_death import ENGINE, MOMENTS, STAGES, die_once_each, in_its_engine
from tests.lifecycle.workspaces import Contents, Serving, opened

TARGET = "images__demo-siglip"
DEATHS = {"read": 30, "decode": 30, "slab": 30, "device": 2, "write": 3, "record": 3}
"""The call of each stage's work at which it is killed, in two lives: before it and after it."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What a build makes that nobody kills."""
    with opened(make_workspace(tmp_path_factory.mktemp("undisturbed") / "workspace")) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
        run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=8)).run
        assert finish(console, run).state is RunState.SUCCEEDED
        return Contents.of(console, TARGET)


@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_a_stage_a_build_resumes_exactly(
    forks: Forks, workspace: Path, undisturbed: Contents, stage: str
) -> None:
    with opened(workspace) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    with opened(workspace) as console:
        before = Serving.of(console)
        run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=8)).run
    for moment in MOMENTS:
        lives = str(workspace), run.id, stage, str(DEATHS[stage]), moment
        life = forks.start("tests.lifecycle.stage_death:die_in", *lives)
        assert life.wait() == -9, life.stderr.read_text()
        with opened(workspace) as console:
            found = console.ledger.get(run.id)
            assert Serving.of(console) == before
            assert not found.counts.done or found.counts.done <= console.store.count(TARGET)
        print(f"killed {moment} {stage}: {found.counts.done} of {PICTURES} recorded")
    with opened(workspace) as console:
        if console.ledger.get(run.id).state in RESUMABLE:
            finish(console, command(console, OPERATOR, "resume", run=run.id))
        ended = console.ledger.get(run.id)
        assert (ended.state, ended.counts.done, ended.counts.pending) == (RunState.SUCCEEDED, PICTURES, 0), ended.reason
        assert Contents.of(console, TARGET).same_as(undisturbed)
        assert Serving.of(console) == before


@pytest.mark.parametrize("stage", ENGINE)
def test_an_engine_killed_in_a_stage_has_its_place_taken_and_the_build_does_not_stop(
    forks: Forks,
    workspace: Path,
    undisturbed: Contents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    monkeypatch.setattr(process, "connected", forked_engines(forks))
    apart = {"CONSOLE_ENGINE": "process"}
    with opened(workspace, apart) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
        run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=8)).run
    marks = tmp_path / "marks"
    marks.mkdir()
    for moment in MOMENTS:
        (marks / moment).touch()
    with opened(workspace, apart) as console:
        before = Serving.of(console)
        in_its_engine(console, partial(die_once_each, stage, DEATHS[stage], str(marks)))
        ended = finish(console, run)
        assert list(marks.iterdir()) == []
        assert (ended.state, ended.counts.done, ended.counts.pending) == (RunState.SUCCEEDED, PICTURES, 0), ended.reason
        assert ended.attempt == 1
        told = console.ledger.pace(run.id)
        assert told is not None
        assert ["killed by SIGKILL" in note for note in told.pace["notes"]] == [True]
        assert Contents.of(console, TARGET).same_as(undisturbed)
        assert Serving.of(console) == before
