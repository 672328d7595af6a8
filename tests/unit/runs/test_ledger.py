import sqlite3
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from console_core.database import Database
from console_core.errors import IllegalTransition, Refused
from console_core.runs.ledger import Ledger
from console_core.runs.samples import MOST
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState, Verb

Submit = Callable[..., Run]


def test_a_run_comes_back_as_it_was_submitted(ledger: Ledger, submit: Submit) -> None:
    run = submit(spec={"model": "demo-siglip", "keys": ["a", "b"], "batch": 16}, migration="m-1")
    assert run == ledger.get(run.id)
    assert run.id.startswith("r-")
    assert len(run.id) == 8
    assert run.spec == {"model": "demo-siglip", "keys": ["a", "b"], "batch": 16}
    assert (run.state, run.counts, run.attempt, run.migration) == (RunState.QUEUED, Counts(selected=10), 0, "m-1")
    assert run.created_at.tzinfo is not None


def test_a_second_run_that_writes_to_the_same_target_is_refused_by_name_until_the_first_is_finished(
    ledger: Ledger, submit: Submit
) -> None:
    first = submit("images_v2")
    with pytest.raises(Refused, match=first.id):
        submit("images_v2")
    submit("images_v2", writes=False)
    submit("images_v3")
    claimed = ledger.claim(Lane.ACCELERATOR, "console")
    assert claimed is not None
    ledger.finish(first.id, RunState.FAILED, reason="no space left")
    with pytest.raises(Refused, match=f"{first.id}.*failed"):
        submit("images_v2")
    ledger.ask(first.id, Verb.CANCEL, "olga")
    assert submit("images_v2").state is RunState.QUEUED


def test_runs_are_claimed_in_the_order_they_were_queued_and_a_resumed_one_queues_again(
    ledger: Ledger, submit: Submit
) -> None:
    first, second, third = submit("a"), submit("b"), submit("c")
    elsewhere = submit("d", lane=Lane.STORE)
    ledger.ask(first.id, Verb.PAUSE, "olga")
    ledger.ask(first.id, Verb.RESUME, "olga")
    claimed = [ledger.claim(Lane.ACCELERATOR, "console") for _ in range(4)]
    assert [run and run.id for run in claimed] == [second.id, third.id, first.id, None]
    assert ledger.get(elsewhere.id).state is RunState.QUEUED
    assert claimed[0] is not None
    assert (claimed[0].state, claimed[0].attempt) == (RunState.RUNNING, 1)
    assert claimed[0].started_at == claimed[0].heartbeat is not None


def test_one_run_can_be_claimed_past_the_queue(ledger: Ledger, submit: Submit) -> None:
    submit("a")
    wanted = submit("b")
    claimed = ledger.claim(Lane.ACCELERATOR, "embedding-console migrate", only=wanted.id)
    assert claimed is not None
    assert claimed.id == wanted.id
    assert ledger.claim(Lane.ACCELERATOR, "embedding-console migrate", only=wanted.id) is None


def _progress(done: int, *, selected: int = 10, failed: int = 0, checkpoint: str = "k") -> Progress:
    failures = tuple(Failure(f"k{n}", "missing", "There is no file.", f"/x/{n}.jpg") for n in range(failed))
    return Progress(checkpoint, Counts(selected, done, {}, {"missing": failed} if failed else {}), failures)


def test_a_step_is_recorded_whole_and_twice_is_the_same_as_once(ledger: Ledger, submit: Submit) -> None:
    run = submit()
    ledger.claim(Lane.ACCELERATOR, "console")
    progress = Progress(
        "k4",
        Counts(10, 2, {"unchanged": 1}, {"missing": 1}),
        (Failure("k3", "missing", "There is no file.", "/x/3.jpg"),),
        {"rate": 1.5},
        "Waits for the store.",
    )
    ledger.record(run.id, progress)
    ledger.record(run.id, progress)
    after = ledger.get(run.id)
    assert (after.checkpoint, after.counts, after.result) == ("k4", progress.counts, {"rate": 1.5})
    assert after.reason == "Waits for the store."
    assert ledger.failures(run.id) == list(progress.failures)
    assert ledger.attempts(run.id)[0].done == 2
    ledger.record(run.id, Progress("k5", Counts(10, 3, {"unchanged": 1}, {"missing": 1})))
    assert ledger.get(run.id).result == {"rate": 1.5}, "a later step without a result keeps it"


def test_a_step_that_cannot_be_recorded_whole_leaves_nothing_behind(ledger: Ledger, submit: Submit) -> None:
    run = submit()
    ledger.claim(Lane.ACCELERATOR, "console")
    ledger.record(run.id, _progress(1))
    before = ledger.get(run.id)
    not_json = Progress("k9", Counts(10, 9), (Failure("k1", "missing", ""),), {"vectors": {1, 2}})
    with pytest.raises(Exception, match="JSON"):
        ledger.record(run.id, not_json)
    assert ledger.get(run.id) == before
    assert ledger.failures(run.id) == []


def test_each_attempt_says_what_it_added_and_how_it_ended(ledger: Ledger, submit: Submit) -> None:
    run = submit()
    ledger.claim(Lane.ACCELERATOR, "first")
    ledger.record(run.id, _progress(4))
    stopped = ledger.finish(run.id, RunState.INTERRUPTED, reason="The console was stopped.", remedy="Resume it.")
    assert (stopped.reason, stopped.remedy) == ("The console was stopped.", "Resume it.")
    assert stopped.finished_at is not None
    resumed = ledger.ask(run.id, Verb.RESUME, "olga")
    assert (resumed.reason, resumed.finished_at) == ("", None)
    ledger.claim(Lane.ACCELERATOR, "second")
    ledger.record(run.id, _progress(10))
    done = ledger.finish(run.id, RunState.SUCCEEDED, reason="10 of 10 pictures done.")
    assert done.started_at == stopped.started_at
    first, second = ledger.attempts(run.id)
    assert (first.owner, first.outcome, first.done) == ("first", "interrupted", 4)
    assert (second.owner, second.outcome, second.done) == ("second", "succeeded", 6)
    assert second.finished_at is not None


def test_a_worker_that_lost_its_run_cannot_write_into_the_next_attempt(ledger: Ledger, submit: Submit) -> None:
    run = submit()
    old = ledger.claim(Lane.ACCELERATOR, "old")
    assert old is not None
    ledger.recover("new")
    with pytest.raises(IllegalTransition, match="interrupted"):
        ledger.record(run.id, _progress(9), attempt=old.attempt)
    ledger.ask(run.id, Verb.RESUME, "olga")
    ledger.claim(Lane.ACCELERATOR, "new")
    with pytest.raises(IllegalTransition, match="attempt 2"):
        ledger.record(run.id, _progress(9), attempt=old.attempt)
    with pytest.raises(IllegalTransition):
        ledger.finish(run.id, RunState.SUCCEEDED, reason="", attempt=old.attempt)
    assert ledger.get(run.id).counts.done == 0


def test_a_new_owner_ends_what_was_left_open_and_leaves_the_rest(
    ledger: Ledger, run_in: Callable[[RunState], Run]
) -> None:
    before: dict[RunState, Run] = {state: run_in(state) for state in RunState if state is not RunState.QUEUED}
    before[RunState.QUEUED] = run_in(RunState.QUEUED)
    recovered = {run.id: run for run in ledger.recover("console on port 8501")}
    after = {state: ledger.get(run.id) for state, run in before.items()}
    for state in (RunState.RUNNING, RunState.PAUSING):
        assert after[state].state is RunState.INTERRUPTED
        assert after[state].reason == "The console stopped while this run was working."
        assert ledger.attempts(after[state].id)[0].outcome == "interrupted"
    assert after[RunState.CANCELLING].state is RunState.CANCELLED
    untouched = set(RunState) - {RunState.RUNNING, RunState.PAUSING, RunState.CANCELLING}
    assert all(after[state] == before[state] for state in untouched)
    assert set(recovered) == {before[state].id for state in set(RunState) - untouched}
    assert {entry.subject for entry in ledger.journal()} == set(recovered)
    assert ledger.recover("console on port 8501") == []


def test_failures_are_listed_by_class_and_page_and_a_name_that_is_no_text_is_kept_readable(
    ledger: Ledger, submit: Submit
) -> None:
    run = submit(selected=2000)
    ledger.claim(Lane.ACCELERATOR, "console")
    many = tuple(Failure(f"k{n:04}", "missing" if n % 3 else "empty", "No.") for n in range(1200))
    odd = Failure("z", "unreadable", "bad\0byte", "/x/caf\udce9.jpg")
    ledger.record(run.id, Progress("z", Counts(2000), (*many, odd)))
    ledger.record(run.id, Progress("z", Counts(2000), many[:700]))
    assert ledger.failure_counts(run.id) == {"missing": 800, "empty": 400, "unreadable": 1}
    first = ledger.failures(run.id, kind="empty", limit=3)
    assert [failure.key for failure in first] == ["k0000", "k0003", "k0006"]
    assert ledger.failures(run.id, kind="empty", limit=1, after="k0006")[0].key == "k0009"
    assert ledger.failures(run.id, kind="unreadable")[0].path == "/x/caf\\udce9.jpg"


def test_failures_of_numbered_pictures_are_listed_by_number_page_after_page(ledger: Ledger, submit: Submit) -> None:
    run = submit(selected=2000)
    ledger.claim(Lane.ACCELERATOR, "console")
    numbers = [str(number) for number in (1200, 9, 10, 99, 100, 1, 1100)]
    failed = tuple(Failure(number, "missing", "No.") for number in numbers)
    ledger.record(run.id, Progress("z", Counts(2000), failed))
    listed: list[str] = []
    while page := ledger.failures(run.id, limit=2, after=listed[-1] if listed else ""):
        listed += [failure.key for failure in page]
    assert listed == sorted(numbers, key=int)


def test_the_latest_failure_of_a_picture_into_a_target_is_found_and_other_targets_and_kinds_are_not(
    ledger: Ledger, submit: Submit
) -> None:
    for kind, target, failed in (
        ("reembed", "v2", "timeout"),
        ("reembed", "v2", "missing"),
        ("verify", "v2", "norm"),
        ("reembed", "v3", "empty"),
    ):
        run = submit(target, kind=kind, selected=1, writes=kind == "reembed")
        ledger.claim(Lane.ACCELERATOR, "console")
        ledger.record(run.id, Progress("k1", Counts(1, 0, {}, {failed: 1}), (Failure("k1", failed, "No."),)))
        ledger.finish(run.id, RunState.INVALID, reason="x")
    found = ledger.failed_among("v2", ["k0", "k1", *(f"x{n}" for n in range(2000))])
    assert {key: failure.kind for key, failure in found.items()} == {"k1": "missing"}


def test_samples_stay_few_and_reach_from_the_first_to_the_last(ledger: Ledger, submit: Submit) -> None:
    steps = MOST + 400
    run = submit(selected=steps)
    ledger.claim(Lane.ACCELERATOR, "console")
    for done in range(1, steps + 1):
        ledger.record(run.id, _progress(done, selected=steps))
        if done % 97 == 0:
            assert len(ledger.samples(run.id)) <= MOST
    series = ledger.samples(run.id)
    assert len(series) <= MOST
    assert (series[0].settled, series[-1].settled) == (0, steps)
    assert series == sorted(series, key=lambda sample: (sample.at, sample.settled))
    gaps = [b.settled - a.settled for a, b in pairwise(series)]
    assert max(gaps) < steps / 20, "no part of the run is forgotten"


def test_runs_are_listed_newest_first_and_by_what_one_asks_for(ledger: Ledger, submit: Submit) -> None:
    a, b = submit("a", migration="m-1"), submit("b", kind="verify", writes=False)
    c = submit("c", migration="m-1")
    ledger.ask(a.id, Verb.PAUSE, "olga")
    assert [run.id for run in ledger.runs()] == [c.id, b.id, a.id]
    assert [run.id for run in ledger.runs(states={RunState.PAUSED})] == [a.id]
    assert [run.id for run in ledger.runs(kinds=["verify", "backup"])] == [b.id]
    assert [run.id for run in ledger.runs(migration="m-1")] == [c.id, a.id]
    assert [run.id for run in ledger.runs(target="c", limit=1)] == [c.id]
    assert ledger.runs(states=[]) == []


def test_the_journal_is_read_backwards_by_subject_and_page(ledger: Ledger) -> None:
    entries = [ledger.note("olga", "cut over", "images" if n % 2 else "other", f"step {n}") for n in range(6)]
    assert ledger.journal() == entries[::-1]
    assert [entry.detail for entry in ledger.journal(subject="images")] == ["step 5", "step 3", "step 1"]
    assert ledger.journal(limit=2, before=entries[3].id) == [entries[2], entries[1]]
    assert ledger.note("jo", "cut over", "images", outcome="refused").outcome == "refused"


def test_a_page_can_read_while_a_writer_holds_the_ledger(ledger: Ledger, submit: Submit, tmp_path: Path) -> None:
    run = submit()
    writer = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        assert ledger.get(run.id) == run
        assert ledger.runs() == [run]
    finally:
        writer.close()


def test_a_database_opened_before_the_tables_were_known_gets_them(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'early.db'}"
    database = Database(url)
    with database.transaction() as connection:
        connection.exec_driver_sql("DROP TABLE failures")
    database.close()
    again = Database(url)
    assert Ledger(again).failure_counts("r-none") == {}
    again.close()


def test_the_latest_pace_is_kept_with_its_step_and_stays_when_the_run_has_ended(ledger: Ledger, submit: Submit) -> None:
    run = submit()
    ledger.claim(Lane.ACCELERATOR, "console")
    assert ledger.pace(run.id) is None
    for done, rate in ((2, 8.0), (4, 9.5)):
        ledger.record(run.id, replace(_progress(done), pace={"rate": rate, "notes": ("halved \udcff",)}))
    ledger.record(run.id, _progress(6))
    ledger.finish(run.id, RunState.FAILED, reason="no space left")
    kept = ledger.pace(run.id)
    assert kept is not None
    assert (kept.attempt, kept.pace) == (1, {"rate": 9.5, "notes": ["halved \\udcff"]})


def test_a_step_of_an_attempt_that_is_over_leaves_no_pace(ledger: Ledger, submit: Submit) -> None:
    run = submit()
    ledger.claim(Lane.ACCELERATOR, "console")
    ledger.finish(run.id, RunState.INTERRUPTED, reason="stopped")
    with pytest.raises(IllegalTransition):
        ledger.record(run.id, replace(_progress(2), pace={"rate": 1.0, "notes": []}))
    assert ledger.pace(run.id) is None
