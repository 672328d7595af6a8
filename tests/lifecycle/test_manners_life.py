"""Runs with manners on a real store, real pictures and a working worker: they wait, say why, obey, and lose nothing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from console_core import settings
from console_core.cli.foreground import in_foreground
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.migration.findings import Request
from console_core.runs.manners import Cause, Hours, Manners, server_clock
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import Vector
from tests.conftest import OPERATOR, PICTURES, fill, make_workspace
from tests.lifecycle.workspaces import copied

SLOW = Manners(rate=0.01)
STEP = 1
"""Pictures that are written at a time at such a rate."""
"""After a batch of 8 pictures it waits for 800 s: longer than any test."""
SAYS_SLOW = "Keeps to 0.01 pictures/s."


def _hours(begin_in: int) -> Hours:
    """Two hours of the day, from so many hours from now: with 6 they are closed, with -1 open."""
    opens = server_clock() + timedelta(hours=begin_in)
    closes = opens + timedelta(hours=2)
    return Hours(opens.time().replace(second=0, microsecond=0), closes.time().replace(second=0, microsecond=0))


CLOSED, OPEN = Manners(hours=_hours(6)), Manners(hours=_hours(-1))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_workspace(tmp_path_factory.mktemp("manners") / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, "images__demo-clip", "demo-clip", alias="images")
    console.close()
    return workspace


@contextmanager
def _working(workspace: Path) -> Iterator[Console]:
    console = open_console(settings.read(workspace, {}), owner_name="a test", with_worker=True)
    try:
        yield console
    finally:
        console.close()


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    return copied(filled, tmp_path / "workspace")


@pytest.fixture
def working(workspace: Path) -> Iterator[Console]:
    with _working(workspace) as console:
        yield console


def _build(console: Console, manners: Manners | None = None) -> Run:
    """Start a build in batches of 8, where wanted with defaults that hold from its first step on."""
    if manners is not None:
        command(console, OPERATOR, "set_manners", manners=manners)
    request = Request("images", "demo-siglip", batch_size=8)
    run: Run = command(console, OPERATOR, "start_migration", request=request).run
    return run


def _until(console: Console, run: Run, holds: Callable[[Run], bool]) -> Run:
    end = time.monotonic() + 60
    while not holds(now := console.ledger.get(run.id)):
        assert time.monotonic() < end, f"{now.state}: {now.reason}"
        time.sleep(0.02)
    return now


def _until_state(console: Console, run: Run, state: RunState) -> Run:
    return _until(console, run, lambda now: now.state is state)


def _until_reason(console: Console, run: Run, reason: str) -> Run:
    return _until(console, run, lambda now: now.reason == reason)


def _vectors(console: Console, collection: str) -> dict[object, Vector]:
    points = console.store.scroll(collection, vectors=True)
    return {point.id: point.vector for point in points if point.vector is not None}


def test_a_rate_is_kept_with_its_reason_and_a_change_of_rate_and_batch_holds_at_once(working: Console) -> None:
    run = _build(working, SLOW)
    waits = _until_reason(working, run, SAYS_SLOW)
    assert (waits.state, waits.counts.done) == (RunState.RUNNING, STEP)
    change = command(working, OPERATOR, "set_manners", run=run.id, manners=Manners(batch_size=3))
    assert str(change) == "batch size: as planned → 3; rate: at most 0.01/s → no limit"
    ended = _until_state(working, run, RunState.SUCCEEDED)
    assert (ended.counts.done, ended.reason) == (PICTURES, f"{PICTURES} of {PICTURES} pictures embedded.")
    settled = [sample.settled for sample in working.ledger.samples(run.id)]
    assert [after - before for before, after in pairwise(settled)] == [STEP, *15 * [3], 2]
    assert working.ledger.waits.of(run.id).keys() == {Cause.RATE}
    entry = working.ledger.journal(limit=1, subject=run.id)[0]
    assert (entry.actor, entry.action, entry.detail) == ("olga", "set_manners", str(change))


def test_manners_change_how_fast_a_collection_is_made_and_never_what_is_in_it(workspace: Path, tmp_path: Path) -> None:
    other = copied(workspace, tmp_path / "other")
    with _working(workspace) as console:
        plain = _until_state(console, _build(console), RunState.SUCCEEDED)
        wanted = _vectors(console, plain.target)
    with _working(other) as console:
        mannered = _build(console, Manners(batch_size=5, rate=200, polite=True, hours=OPEN.hours))
        console.store.search("images", next(iter(_vectors(console, "images").values())))
        _until_state(console, mannered, RunState.SUCCEEDED)
        found = _vectors(console, mannered.target)
    assert found.keys() == wanted.keys()
    assert all(np.allclose(found[key], wanted[key], atol=1e-5) for key in wanted)


def test_pause_and_cancel_are_obeyed_during_a_wait_and_manners_are_kept_over_a_restart(workspace: Path) -> None:
    with _working(workspace) as console:
        run = _build(console)
        command(console, OPERATOR, "set_manners", run=run.id, manners=SLOW)
        first = _until_reason(console, run, SAYS_SLOW)
        command(console, OPERATOR, "pause", run=run.id)
        paused = _until_state(console, run, RunState.PAUSED)
        assert (paused.reason, paused.counts) == ("Paused by olga.", first.counts)
        waited = console.ledger.waits.of(run.id)[Cause.RATE]
        assert waited > 0
    with _working(workspace) as console:
        assert console.ledger.manners.own(run.id) == SLOW
        assert console.ledger.waits.of(run.id) == {Cause.RATE: waited}
        command(console, OPERATOR, "resume", run=run.id)
        second = _until_reason(console, run, SAYS_SLOW)
        assert second.counts.done == first.counts.done + STEP, "one step, and then it waits again"
        command(console, OPERATOR, "cancel", run=run.id)
        cancelled = _until_state(console, run, RunState.CANCELLED)
        assert (cancelled.reason, cancelled.counts) == ("Cancelled by olga.", second.counts)
        assert console.ledger.waits.of(run.id)[Cause.RATE] > waited


def test_a_server_that_is_stopped_during_a_wait_leaves_a_run_that_can_be_resumed(workspace: Path) -> None:
    with _working(workspace) as console:
        run = _build(console, SLOW)
        _until_reason(console, run, SAYS_SLOW)
    with _working(workspace) as console:
        stopped = console.ledger.get(run.id)
        assert (stopped.state, stopped.counts.done) == (RunState.INTERRUPTED, STEP)
        command(console, OPERATOR, "set_manners", manners=None)
        command(console, OPERATOR, "resume", run=run.id)
        assert _until_state(console, run, RunState.SUCCEEDED).counts.done == PICTURES


def test_a_polite_run_yields_to_a_search_says_so_and_goes_on_after_it(working: Console) -> None:
    with working.traffic.search():
        run = _build(working, Manners(polite=True))
        yields = _until_reason(working, run, "Yields to searches.")
        assert (yields.state, yields.counts.done) == (RunState.RUNNING, 0)
    ended = _until_state(working, run, RunState.SUCCEEDED)
    assert ended.counts.done == PICTURES
    assert working.ledger.waits.of(run.id).keys() == {Cause.SEARCHES}


def test_a_search_through_the_console_is_seen_and_what_runs_do_with_the_store_is_not(working: Console) -> None:
    run = _until_state(working, _build(working, Manners(polite=True)), RunState.SUCCEEDED)
    _until_state(working, command(working, OPERATOR, "verify", collection=run.target), RunState.SUCCEEDED)
    assert working.ledger.waits.of(run.id) == {}
    assert not working.traffic.busy()
    vector = next(iter(_vectors(working, "images").values()))
    assert working.store.search("images", vector)
    assert working.traffic.busy()


def test_a_run_outside_its_hours_waits_in_the_queue_and_starts_by_itself_when_they_are_changed(
    working: Console,
) -> None:
    run = _build(working, CLOSED)
    assert CLOSED.hours is not None
    _until_reason(working, run, CLOSED.hours.wait().sentence)
    assert working.ledger.attempts(run.id) == []
    command(working, OPERATOR, "set_manners", manners=OPEN)
    assert _until_state(working, run, RunState.SUCCEEDED).counts.done == PICTURES


def test_hours_that_end_during_a_run_send_it_back_to_the_queue_and_leave_its_lane_to_others(workspace: Path) -> None:
    assert CLOSED.hours is not None
    with _working(workspace) as console:
        run = _build(console)
        command(console, OPERATOR, "set_manners", run=run.id, manners=SLOW)
        _until_reason(console, run, SAYS_SLOW)
        command(console, OPERATOR, "set_manners", run=run.id, manners=CLOSED)
        back = _until_state(console, run, RunState.QUEUED)
        assert (back.reason, back.counts.done) == (CLOSED.hours.wait().sentence, STEP)
        other = command(console, OPERATOR, "verify", collection="images__demo-clip")
        assert other.lane is run.lane
        _until_state(console, other, RunState.SUCCEEDED)
        assert console.ledger.get(run.id).state is RunState.QUEUED
    with _working(workspace) as console:
        _until_reason(console, run, CLOSED.hours.wait().sentence)
        command(console, OPERATOR, "set_manners", run=run.id, manners=OPEN)
        ended = _until_state(console, run, RunState.SUCCEEDED)
        assert ended.counts.done == console.store.count(run.target) == PICTURES
        assert [attempt.outcome for attempt in console.ledger.attempts(run.id)] == ["queued", "succeeded"]
        assert [attempt.done for attempt in console.ledger.attempts(run.id)] == [STEP, PICTURES - STEP]
        assert console.ledger.waits.of(run.id).keys() >= {Cause.RATE}


def test_a_queued_run_that_waits_for_its_hours_can_be_paused_and_cancelled(working: Console) -> None:
    assert CLOSED.hours is not None
    run = _build(working, CLOSED)
    _until_reason(working, run, CLOSED.hours.wait().sentence)
    assert command(working, OPERATOR, "pause", run=run.id).state is RunState.PAUSED
    command(working, OPERATOR, "resume", run=run.id)
    _until_reason(working, run, CLOSED.hours.wait().sentence)
    assert command(working, OPERATOR, "cancel", run=run.id).state is RunState.CANCELLED


def test_in_the_foreground_a_run_waits_for_its_hours_where_it_is(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert CLOSED.hours is not None
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        run = _build(console, CLOSED)

        def open_when_it_waits() -> None:
            _until_reason(console, run, CLOSED.hours.wait().sentence)  # type: ignore[union-attr]
            command(console, OPERATOR, "set_manners", manners=OPEN)

        other = threading.Thread(target=open_when_it_waits)
        other.start()
        ended = in_foreground(console, run, "Embedding")
        other.join()
    finally:
        console.close()
    assert (ended.state, ended.counts.done) == (RunState.SUCCEEDED, PICTURES)
