"""A run is killed, cut off from its ledger and asked to stop at any moment, and comes out as if undisturbed."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import event

from console_core.database import Database
from console_core.errors import LedgerUnavailable, StoreUnavailable
from console_core.runs.accounting import check
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, Counts, Failure, Lane, Progress, Run, RunState, Verb
from console_core.runs.worker import Worker, execute

KEYS = [f"k{number:03}" for number in range(24)]
BATCH = 3


class Killed(BaseException):
    """The process died here: nothing after this point ran."""


def fate(key: str) -> str:
    """Every seventh picture is missing, every ninth is skipped."""
    number = int(key[1:])
    return "missing" if number % 7 == 3 else "unchanged" if number % 9 == 4 else "done"


@dataclass
class Copy:
    """Copies keys into a store; `before` and `after` are called around each batch's write to the store."""

    store: dict[str, int]
    before: Callable[[], object] = lambda: None
    after: Callable[[], object] = lambda: None
    batch: int = BATCH

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        remaining = [key for key in KEYS if key > checkpoint]
        for start in range(0, len(remaining), self.batch):
            batch = remaining[start : start + self.batch]
            self.before()
            failed, skipped, done = dict(counts.failed), dict(counts.skipped), counts.done
            for key in batch:
                if fate(key) == "done":
                    self.store[key] = self.store.get(key, 0) + 1
                    done += 1
                else:
                    tally = failed if fate(key) == "missing" else skipped
                    tally[fate(key)] = tally.get(fate(key), 0) + 1
            self.after()
            counts = Counts(counts.selected, done, skipped, failed)
            failures = tuple(Failure(key, "missing", "No.") for key in batch if fate(key) == "missing")
            yield Progress(batch[-1], counts, failures)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def submit(ledger: Ledger, target: str = "v2") -> Run:
    return ledger.submit(
        kind="reembed",
        lane=Lane.STORE,
        title="Copy",
        target=target,
        spec={},
        actor="olga",
        selected=len(KEYS),
        writes=True,
    )


def claim(ledger: Ledger) -> Run:
    run = ledger.claim(Lane.STORE, "console")
    assert run is not None
    return run


def never() -> bool:
    return False


def go_on_after_a_crash(ledger: Ledger, run: Run) -> Run:
    (recovered,) = ledger.recover("console")
    assert (recovered.id, recovered.state) == (run.id, RunState.INTERRUPTED)
    ledger.ask(run.id, Verb.RESUME, "olga")
    return claim(ledger)


def assert_as_if_undisturbed(ledger: Ledger, run: Run, store: dict[str, int]) -> None:
    ended = ledger.get(run.id)
    good = [key for key in KEYS if fate(key) == "done"]
    bad = [key for key in KEYS if fate(key) == "missing"]
    skipped = len(KEYS) - len(good) - len(bad)
    assert ended.state is RunState.SUCCEEDED, ended.reason
    assert ended.counts == Counts(len(KEYS), len(good), {"unchanged": skipped}, {"missing": len(bad)})
    assert sorted(store) == good
    assert [failure.key for failure in ledger.failures(run.id)] == bad
    assert sum(attempt.done for attempt in ledger.attempts(run.id)) == len(good)
    assert all(attempt.outcome for attempt in ledger.attempts(run.id))


@dataclass
class Death:
    """Kills at the second call of each life, so that every life gets one step further."""

    calls: int = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == 2:
            raise Killed


class MortalLedger(Ledger):
    """A ledger whose process dies right after a step was committed."""

    death: Death

    def record(self, run_id: str, progress: Progress, *, attempt: int | None = None) -> None:
        super().record(run_id, progress, attempt=attempt)
        self.death()


@pytest.mark.parametrize("moment", ["before the store", "after the store", "after the ledger"])
def test_killed_at_every_step_and_resumed_a_run_ends_as_if_undisturbed(ledger: Ledger, moment: str) -> None:
    submit(ledger)
    run, store, kills, death = claim(ledger), dict[str, int](), 0, Death()
    operation, mortal = Copy(store), ledger
    if moment == "before the store":
        operation.before = death
    elif moment == "after the store":
        operation.after = death
    else:
        mortal = MortalLedger(ledger.database)
        mortal.death = death
    while ledger.get(run.id).state is not RunState.SUCCEEDED:
        death.calls = 0
        try:
            execute(run, operation, mortal, never)
        except Killed:
            kills += 1
            run = go_on_after_a_crash(ledger, run)
    assert kills >= len(KEYS) // BATCH // 2
    assert max(store.values()) == (2 if moment == "after the store" else 1), "at most one batch twice for each kill"
    assert_as_if_undisturbed(ledger, run, store)


def impatient(database: Database) -> None:
    """Have SQLite give up at once where it would wait 15 s for a lock."""
    database.engine.dispose()
    event.listen(database.engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=1"))


class Locked:
    """Another program that locks the ledger for a while."""

    def __init__(self, database: Database, seconds: float) -> None:
        self._path, self._seconds = database.engine.url.database or "", seconds
        self.thread: threading.Thread | None = None

    def __call__(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        self.thread = threading.Thread(target=self._release, args=(connection,))
        self.thread.start()

    def _release(self, connection: sqlite3.Connection) -> None:
        time.sleep(self._seconds)
        connection.close()


def once(action: Callable[[], object]) -> Callable[[], None]:
    calls = iter((action,))

    def _once() -> None:
        if (first := next(calls, None)) is not None:
            first()

    return _once


def test_a_ledger_that_is_locked_for_a_while_is_waited_for_and_nothing_is_lost_or_counted_twice(
    database: Database, ledger: Ledger
) -> None:
    impatient(database)
    submit(ledger)
    run, store, locked = claim(ledger), dict[str, int](), Locked(database, 0.4)
    locked()
    with pytest.raises(LedgerUnavailable, match="locked"):
        ledger.record(run.id, Progress("", run.counts))
    assert locked.thread is not None
    locked.thread.join()
    operation = Copy(store, after=once(locked))
    began = time.monotonic()
    execute(run, operation, ledger, never)
    locked.thread.join()
    assert time.monotonic() - began > 0.4
    assert_as_if_undisturbed(ledger, run, store)
    assert set(store.values()) == {1}


def test_a_ledger_that_stays_locked_ends_the_attempt_and_the_lane_goes_on_once_it_is_back(
    database: Database, ledger: Ledger
) -> None:
    impatient(database)
    store, locked = dict[str, int](), Locked(database, 0.8)
    operation = Copy(store, after=once(locked))
    run, following = submit(ledger), submit(ledger, "v3")
    worker = Worker(ledger, lambda run: operation, "console", lanes=[Lane.STORE], patience=0.1)
    worker.start()
    try:
        end = time.monotonic() + 60
        while ledger.get(following.id).state is not RunState.SUCCEEDED:
            assert time.monotonic() < end
            time.sleep(0.02)
        stopped = ledger.get(run.id)
        assert stopped.state is RunState.INTERRUPTED
        assert stopped.reason == "The ledger could not be written, so the work was stopped."
        assert stopped.counts.settled == 0, "the step that could not be recorded does not count"
        ledger.ask(run.id, Verb.RESUME, "olga")
        store.clear()
        worker.wake()
        while ledger.get(run.id).state is not RunState.SUCCEEDED:
            assert time.monotonic() < end
            time.sleep(0.02)
    finally:
        worker.close(30)
        if locked.thread is not None:
            locked.thread.join()
    assert_as_if_undisturbed(ledger, run, store)


class Strict(Ledger):
    """Checks the books after each record, and loses its connection before or after committing when told to."""

    trouble: str = ""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.last: dict[str, Counts] = {}

    def record(self, run_id: str, progress: Progress, *, attempt: int | None = None) -> None:
        trouble, self.trouble = self.trouble, ""
        if trouble == "before the commit":
            raise LedgerUnavailable("The ledger is away.")
        super().record(run_id, progress, attempt=attempt)
        run = self.get(run_id)
        counts, before = run.counts, self.last.get(run_id)
        self.last[run_id] = counts
        assert counts.selected == counts.done + counts.all_skipped + counts.all_failed + counts.pending
        assert check(counts, before=before) == ""
        assert sum(self.failure_counts(run_id).values()) == counts.all_failed
        assert counts.settled == sum(1 for key in KEYS if key <= run.checkpoint)
        if trouble == "after the commit":
            raise LedgerUnavailable("The ledger is away.")


@dataclass
class Schedule:
    """At random steps of a run, something happens to it."""

    seed: int
    ledger: Strict
    run_id: str = ""
    stop: bool = False
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def must_stop(self) -> bool:
        return self.stop

    def __call__(self) -> None:
        chance = self.dice.random()
        if len(self.happened) > 8 or chance > 0.15:
            return
        what = self.dice.choice(
            ["kill", "pause", "stop", "store", "bug", "before the commit", "after the commit", "lost"]
            + ["cancel"] * (self.seed % 5 == 0)
        )
        self.happened.append(what)
        match what:
            case "kill":
                raise Killed
            case "pause":
                self.ledger.ask(self.run_id, Verb.PAUSE, "jo")
            case "cancel":
                self.ledger.ask(self.run_id, Verb.CANCEL, "jo")
            case "stop":
                self.stop = True
            case "store":
                raise StoreUnavailable("The store is away.", "Start it.")
            case "bug":
                raise ZeroDivisionError
            case "lost":
                self.ledger.trouble, self.stop = "before the commit", True
            case _:
                self.ledger.trouble = what


def test_two_hundred_runs_with_random_faults_keep_true_books_at_every_step_and_at_the_end(database: Database) -> None:
    ledger, seen, cancelled = Strict(database), set[str](), 0
    for seed in range(200):
        schedule, store = Schedule(seed, ledger), dict[str, int]()
        schedule.run_id = submit(ledger, f"target-{seed}").id
        operation = Copy(store, before=schedule, after=schedule, batch=schedule.dice.randint(3, 7))
        state = RunState.QUEUED
        while state not in TERMINAL:
            schedule.stop, ledger.trouble = False, ""
            run = claim(ledger)
            try:
                state = execute(run, operation, ledger, schedule.must_stop).state
            except Killed:
                (recovered,) = ledger.recover("console")
                state = recovered.state
            if state not in TERMINAL:
                ledger.ask(run.id, Verb.RESUME, "olga")
        seen |= set(schedule.happened)
        ended = ledger.get(schedule.run_id)
        assert ended.attempt == len(ledger.attempts(ended.id))
        if state is RunState.CANCELLED:
            cancelled += 1
            assert {key for key in KEYS if key <= ended.checkpoint and fate(key) == "done"} <= set(store)
            assert ended.counts.done == sum(attempt.done for attempt in ledger.attempts(ended.id))
        else:
            assert_as_if_undisturbed(ledger, ended, store)
    assert len(seen) == 9, "every kind of fault has happened"
    assert 0 < cancelled < 40


PROGRAM = """
import sys, time
from pathlib import Path
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.owner import Owner
from console_core.runs.types import Counts, Lane, Progress
from console_core.runs.worker import Worker

database, store = Database(sys.argv[1]), Path(sys.argv[2])

class Files:
    def steps(self, checkpoint, counts):
        keys = [f"{n:04}" for n in range(300)]
        remaining = [key for key in keys if key > checkpoint]
        for start in range(0, len(remaining), 4):
            batch = remaining[start : start + 4]
            for key in batch:
                with (store / key).open("a") as file:
                    file.write("x")
            counts = Counts(counts.selected, counts.done + len(batch))
            yield Progress(batch[-1], counts)
            time.sleep(0.002)

with Owner.acquire(database, "console") as owner:
    worker = Worker(Ledger(database), lambda run: Files(), "console", lanes=[Lane.STORE], held=owner.held)
    worker.start()
    print("working", flush=True)
    time.sleep(600)
"""


def test_a_process_killed_with_minus_nine_at_random_moments_loses_nothing_and_its_counters_are_true(
    database: Database, ledger: Ledger, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    dice, kills = random.Random(7), 3
    run = ledger.submit(
        kind="reembed", lane=Lane.STORE, title="Files", target="v2", spec={}, actor="o", selected=300, writes=True
    )
    for life in range(kills + 1):
        if life:
            ledger.ask(run.id, Verb.RESUME, "olga")
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, database.url, str(store)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"working\n"
            done, end = ledger.get(run.id).counts.done, time.monotonic() + 60
            goal = 300 if life == kills else done + dice.randint(10, 60)
            while (now := ledger.get(run.id)).counts.done < goal or (life == kills and now.state is RunState.RUNNING):
                assert time.monotonic() < end
                time.sleep(0.003)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
        if life < kills:
            (recovered,) = ledger.recover("console")
            assert recovered.state is RunState.INTERRUPTED
    ended = ledger.get(run.id)
    assert (ended.state, ended.counts.done, ended.attempt) == (RunState.SUCCEEDED, 300, kills + 1)
    written = [len(file.read_text()) for file in store.iterdir()]
    assert len(written) == 300
    assert sum(written) - 300 <= kills * 4, "at most one batch twice for each kill"
