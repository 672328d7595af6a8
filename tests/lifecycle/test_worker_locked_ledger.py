"""Another program locks the ledger while a run records its steps."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import event

from console_core.database import Database
from console_core.errors import LedgerUnavailable
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState, Verb
from console_core.runs.worker import Worker, execute

KEYS = [f"k{number:03}" for number in range(24)]


@dataclass
class Copy:
    """Copies keys into a store, three at a time; the last of each batch fails. `after` runs once it has written."""

    store: dict[str, int]
    after: Callable[[], object]

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        remaining = [key for key in KEYS if key > checkpoint]
        for start in range(0, len(remaining), 3):
            *good, bad = remaining[start : start + 3]
            for key in good:
                self.store[key] = self.store.get(key, 0) + 1
            self.after()
            counts = Counts(counts.selected, counts.done + 2, {}, {"missing": counts.all_failed + 1})
            yield Progress(bad, counts, (Failure(bad, "missing", "No."),))


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


def assert_as_if_undisturbed(ledger: Ledger, run: Run, store: dict[str, int]) -> None:
    ended = ledger.get(run.id)
    assert (ended.state, ended.counts) == (RunState.SUCCEEDED, Counts(24, 16, {}, {"missing": 8}))
    assert store == {key: 1 for number, key in enumerate(KEYS) if number % 3 != 2}
    assert [failure.key for failure in ledger.failures(run.id)] == KEYS[2::3]


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


@dataclass
class Asking(Copy):
    """Asks the ledger before each batch, which does not answer so many times in the middle."""

    away: int = 0
    opened: int = 0

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        self.opened += 1
        for progress in super().steps(checkpoint, counts):
            yield progress
            if progress.checkpoint >= KEYS[11] and self.away:
                self.away -= 1
                raise LedgerUnavailable("The ledger did not answer.")


def test_a_ledger_that_an_operation_cannot_read_for_a_while_is_waited_for_within_the_attempt(ledger: Ledger) -> None:
    submit(ledger)
    run, store = claim(ledger), dict[str, int]()
    operation = Asking(store, after=lambda: None, away=3)
    ended = execute(run, operation, ledger, never)
    assert operation.opened == 4
    assert [attempt.number for attempt in ledger.attempts(run.id)] == [ended.attempt] == [1]
    assert_as_if_undisturbed(ledger, run, store)


def test_a_ledger_that_an_operation_cannot_read_for_long_interrupts_the_run_and_it_goes_on(ledger: Ledger) -> None:
    submit(ledger)
    run, store = claim(ledger), dict[str, int]()
    stopped = execute(run, Asking(store, after=lambda: None, away=1), ledger, never, patience=0)
    assert stopped.state is RunState.INTERRUPTED
    assert stopped.reason == "The ledger could not be used, so the work was stopped. The ledger did not answer."
    assert stopped.checkpoint == KEYS[11]
    ledger.ask(run.id, Verb.RESUME, "olga")
    execute(claim(ledger), Copy(store, after=lambda: None), ledger, never)
    assert_as_if_undisturbed(ledger, run, store)


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
