"""A run is killed, cut off from its ledger and asked to stop at any moment, and comes out as if undisturbed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from console_core.database import Database
from console_core.errors import LedgerUnavailable, StoreUnavailable
from console_core.runs.accounting import check
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, Counts, Failure, Lane, Progress, Run, RunState, Verb
from console_core.runs.worker import execute

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
