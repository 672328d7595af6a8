"""Runs on real threads and a real ledger: asked, stopped, failing, and doing their work."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from console_core.database import Database
from console_core.errors import StoreFull
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Operation, Progress, Run, RunState, Verb
from console_core.runs.worker import Worker, execute

KEYS = [f"k{number:03}" for number in range(60)]
BATCH = 5


@dataclass
class Copy:
    """A small real operation: copies keys into a store, batch by batch, and reports what the store then has."""

    store: dict[str, int] = field(default_factory=dict)
    delay: float = 0.0
    at: dict[int, Callable[[], object]] = field(default_factory=dict)
    closed: int = 0

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        try:
            remaining = [key for key in KEYS if key > checkpoint]
            for start in range(0, len(remaining), BATCH):
                batch = remaining[start : start + BATCH]
                if action := self.at.pop(KEYS.index(batch[0]) // BATCH, None):
                    action()
                time.sleep(self.delay)
                for key in batch:
                    self.store[key] = self.store.get(key, 0) + 1
                counts = Counts(counts.selected, counts.done + len(batch))
                yield Progress(batch[-1], counts)
        finally:
            self.closed += 1


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Ledger(database)
    database.close()


def submit(ledger: Ledger, target: str = "images_v2", lane: Lane = Lane.STORE, selected: int = len(KEYS)) -> Run:
    return ledger.submit(
        kind="reembed", lane=lane, title="Copy", target=target, spec={}, actor="olga", selected=selected, writes=True
    )


def claimed(ledger: Ledger, selected: int = len(KEYS)) -> Run:
    submit(ledger, selected=selected)
    run = ledger.claim(Lane.STORE, "console")
    assert run is not None
    return run


def never() -> bool:
    return False


def until(state: RunState, ledger: Ledger, run: Run, timeout: float = 60.0) -> Run:
    end = time.monotonic() + timeout
    while (now := ledger.get(run.id)).state is not state:
        assert time.monotonic() < end, f"{now.state}: {now.reason}"
        time.sleep(0.01)
    return now


def test_a_run_that_is_left_alone_succeeds_and_says_what_it_did(ledger: Ledger) -> None:
    operation = Copy()
    ended = execute(claimed(ledger), operation, ledger, never)
    assert (ended.state, ended.counts, ended.checkpoint) == (RunState.SUCCEEDED, Counts(60, 60), KEYS[-1])
    assert ended.reason == "60 of 60 pictures embedded."
    assert operation.store == dict.fromkeys(KEYS, 1)


def test_pause_resume_and_cancel_reach_a_run_on_another_thread(ledger: Ledger) -> None:
    operation = Copy(delay=0.02)
    worker = Worker(ledger, lambda run: operation, "console", lanes=[Lane.STORE])
    worker.start()
    try:
        run = submit(ledger)
        worker.wake()
        until(RunState.RUNNING, ledger, run)
        ledger.ask(run.id, Verb.PAUSE, "jo")
        paused = until(RunState.PAUSED, ledger, run)
        assert paused.reason == "Paused by jo."
        assert 0 < paused.counts.done < 60
        assert len(operation.store) == paused.counts.done
        time.sleep(0.1)
        assert ledger.get(run.id) == paused, "a paused run rests"
        ledger.ask(run.id, Verb.RESUME, "olga")
        worker.wake()
        until(RunState.RUNNING, ledger, run)
        ledger.ask(run.id, Verb.CANCEL, "olga")
        cancelled = until(RunState.CANCELLED, ledger, run)
        assert cancelled.reason == "Cancelled by olga."
        assert set(operation.store.values()) == {1}
        assert len(operation.store) == cancelled.counts.done
        assert [attempt.outcome for attempt in ledger.attempts(run.id)] == ["paused", "cancelled"]
        assert worker.alive()
    finally:
        assert worker.close(30)
    assert operation.closed == 2, "what a run holds is let go shortly after it is told how it ended"


def test_a_cancellation_that_overtakes_a_pause_is_the_one_obeyed(ledger: Ledger) -> None:
    run = claimed(ledger)
    operation = Copy(at={2: lambda: (ledger.ask(run.id, Verb.PAUSE, "jo"), ledger.ask(run.id, Verb.CANCEL, "olga"))})
    assert execute(run, operation, ledger, never).state is RunState.CANCELLED


def test_what_was_asked_while_the_operation_was_built_is_obeyed_before_any_work(ledger: Ledger) -> None:
    run = claimed(ledger)
    ledger.ask(run.id, Verb.CANCEL, "olga")
    operation = Copy()
    assert execute(run, operation, ledger, never).state is RunState.CANCELLED
    assert operation.store == {}


def test_closing_the_worker_interrupts_at_the_next_checkpoint_and_the_next_worker_goes_on_from_there(
    ledger: Ledger,
) -> None:
    operation = Copy(delay=0.02)
    first = Worker(ledger, lambda run: operation, "first", lanes=[Lane.STORE])
    first.start()
    run = submit(ledger)
    first.wake()
    until(RunState.RUNNING, ledger, run)
    assert first.close(30)
    assert not first.alive()
    stopped = ledger.get(run.id)
    assert stopped.state is RunState.INTERRUPTED
    assert stopped.remedy.startswith("Resume it")
    assert len(operation.store) == stopped.counts.done
    second = Worker(ledger, lambda run: operation, "second", lanes=[Lane.STORE])
    assert second.start() == []
    ledger.ask(run.id, Verb.RESUME, "olga")
    second.wake()
    until(RunState.SUCCEEDED, ledger, run)
    second.close(30)
    assert operation.store == dict.fromkeys(KEYS, 1)


def test_the_two_lanes_work_side_by_side_and_within_a_lane_runs_wait_for_each_other(ledger: Ledger) -> None:
    meeting = threading.Barrier(2, timeout=10)

    class Meet:
        def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
            meeting.wait()
            yield Progress("end", Counts(1, 1))

    runs = [submit(ledger, f"{lane}-{n}", lane, selected=1) for n in range(3) for lane in Lane]
    worker = Worker(ledger, lambda run: Meet(), "console")
    worker.start()
    try:
        for run in runs:
            until(RunState.SUCCEEDED, ledger, run)
    finally:
        worker.close(30)
    for lane in Lane:
        mine = [ledger.attempts(run.id)[0] for run in runs if run.lane is lane]
        for earlier, later in pairwise(mine):
            assert earlier.finished_at is not None
            assert earlier.finished_at <= later.started_at


def test_a_run_is_found_without_a_wake_up(ledger: Ledger) -> None:
    worker = Worker(ledger, lambda run: Copy(), "console", lanes=[Lane.STORE])
    worker.start()
    try:
        time.sleep(0.1)
        until(RunState.SUCCEEDED, ledger, submit(ledger), timeout=30)
    finally:
        worker.close(30)


def test_an_operation_that_cannot_be_built_fails_its_run_with_the_remedy_and_the_lane_goes_on(ledger: Ledger) -> None:
    def build(run: Run) -> Operation:
        if run.target == "broken":
            raise StoreFull("The disk is full.", "Free 2 GB.")
        return Copy()

    broken, sound = submit(ledger, "broken"), submit(ledger, "sound")
    worker = Worker(ledger, build, "console", lanes=[Lane.STORE])
    worker.start()
    try:
        until(RunState.SUCCEEDED, ledger, sound)
    finally:
        worker.close(30)
    failed = ledger.get(broken.id)
    assert (failed.state, failed.reason, failed.remedy) == (RunState.FAILED, "The disk is full.", "Free 2 GB.")


def test_a_keyboard_interrupt_in_the_foreground_leaves_a_run_that_can_be_resumed(ledger: Ledger) -> None:
    run = claimed(ledger)

    def interrupt() -> None:
        raise KeyboardInterrupt

    operation = Copy(at={3: interrupt})
    with pytest.raises(KeyboardInterrupt):
        execute(run, operation, ledger, never)
    stopped = ledger.get(run.id)
    assert (stopped.state, stopped.counts.done) == (RunState.INTERRUPTED, 3 * BATCH)


def test_a_process_that_no_longer_owns_the_ledger_stops_working(ledger: Ledger) -> None:
    owns = threading.Event()
    owns.set()
    operation = Copy(at={2: owns.clear})
    run = submit(ledger)
    worker = Worker(ledger, lambda run: operation, "console", lanes=[Lane.STORE], held=owns.is_set)
    worker.start()
    try:
        stopped = until(RunState.INTERRUPTED, ledger, run)
        assert stopped.counts.done == 3 * BATCH
        waiting = submit(ledger, "other")
        worker.wake()
        time.sleep(0.2)
        assert ledger.get(waiting.id).state is RunState.QUEUED
    finally:
        worker.close(30)
