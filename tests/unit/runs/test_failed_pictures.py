"""The failures that stand: what each step changes of them, their order, their quarantine, and older ledgers."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from console_core import database as schema
from console_core.database import Database
from console_core.runs.failed_pictures import PAGE, FailedPictures
from console_core.runs.failures_csv import COLUMNS, csv_lines
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState, Verb

Submit = Callable[..., Run]


@pytest.fixture
def failed(database: Database) -> FailedPictures:
    return FailedPictures(database)


def _step(*failures: Failure, cleared: tuple[str, ...] = ()) -> Progress:
    return Progress("k", Counts(100, 0), failures, cleared=cleared)


def _bad(key: str, kind: str = "missing", message: str = "No.", path: str = "") -> Failure:
    return Failure(key, kind, message, path)


def _run(ledger: Ledger, submit: Submit, *steps: Progress, target: str = "v2", writes: bool = True) -> Run:
    run = submit(target, writes=writes)
    ledger.claim(Lane.ACCELERATOR, "console", only=run.id)
    for step in steps:
        ledger.record(run.id, step)
    return ledger.finish(run.id, RunState.SUCCEEDED, reason="done")


def test_a_failure_stands_until_a_run_into_the_same_collection_succeeds(
    ledger: Ledger, failed: FailedPictures, submit: Submit
) -> None:
    _run(ledger, submit, _step(_bad("1"), _bad("2", "empty")))
    _run(ledger, submit, _step(cleared=("1",)), target="v3")
    assert failed.counts("v2") == {"empty": 1, "missing": 1}
    _run(ledger, submit, _step(cleared=("1", "17")))
    assert failed.counts("v2") == {"empty": 1}
    assert failed.collections() == {"v2": 1}
    assert ledger.failed_among("v2", ["1"]) == {}
    assert ledger.failed_among("v2", ["2"])["2"].kind == "empty"


def test_a_try_counts_once_however_often_it_is_recorded_and_again_in_another_run_or_attempt(
    ledger: Ledger, failed: FailedPictures, submit: Submit
) -> None:
    step = _step(_bad("1", message="first"))
    _run(ledger, submit, step, step, step)
    (one,) = failed.page("v2")
    assert (one.tries, one.first_at == one.last_at) == (1, False)
    second = submit("v2")
    for tries in (2, 3):
        ledger.claim(Lane.ACCELERATOR, "console")
        ledger.record(second.id, _step(_bad("1", "empty", f"try {tries}", "a.jpg")))
        ledger.record(second.id, _step(_bad("1", "empty", f"try {tries}", "a.jpg")))
        (again,) = failed.page("v2")
        assert (again.tries, again.kind, again.message, again.path) == (tries, "empty", f"try {tries}", "a.jpg")
        assert (again.first_at, again.run) == (one.first_at, second.id)
        ledger.finish(second.id, RunState.INTERRUPTED, reason="x")
        ledger.ask(second.id, Verb.RESUME, "olga")


def test_a_run_that_only_looks_at_a_collection_leaves_its_failures_alone(
    ledger: Ledger, failed: FailedPictures, submit: Submit
) -> None:
    _run(ledger, submit, _step(_bad("1"), cleared=()), writes=False)
    assert failed.collections() == {}


def test_pages_come_in_the_order_of_numbers_and_all_is_all_of_them(
    ledger: Ledger, failed: FailedPictures, submit: Submit
) -> None:
    number = PAGE + 50
    _run(ledger, submit, _step(*(_bad(str(key), "empty" if key % 3 else "missing") for key in range(number, 0, -1))))
    assert [one.key for one in failed.page("v2", limit=12)] == [str(key) for key in range(1, 13)]
    assert [one.key for one in failed.page("v2", after="9", limit=2)] == ["10", "11"]
    assert [one.key for one in failed.page("v2", kind="missing", after="9", limit=2)] == ["12", "15"]
    assert [one.key for one in failed.all("v2")] == [str(key) for key in range(1, number + 1)]
    assert len(list(failed.all("v2", kind="missing"))) == number // 3


def test_quarantine_keeps_who_put_a_picture_there_through_further_tries_and_ends_with_success(
    ledger: Ledger, failed: FailedPictures, submit: Submit
) -> None:
    _run(ledger, submit, _step(_bad("1"), _bad("2"), _bad("3", "empty")))
    assert failed.quarantine("v2", "olga", kind="missing") == 2
    assert failed.quarantine("v2", "ben", keys=["2", "3", "4"]) == 1, "who came first stays"
    _run(ledger, submit, _step(_bad("1", "empty"), cleared=("2",)))
    held = failed.page("v2", quarantined=True)
    assert [(one.key, one.quarantined_by, one.quarantined_at is None) for one in held] == [
        ("1", "olga", False),
        ("3", "ben", False),
    ]
    assert failed.collections(quarantined=False) == {}
    assert failed.counts("v2", quarantined=True) == {"empty": 2}
    assert failed.release("v2", keys=["1", "9"]) == 1
    assert failed.release("v2") == 1
    assert failed.page("v2", quarantined=True) == []


def test_the_failures_of_an_older_ledger_stand_with_their_latest_class_and_their_number_of_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    old = Database(url)
    ledger = Ledger(old)

    def submit(target: str, **changes: object) -> Run:
        return ledger.submit(
            kind=str(changes.pop("kind", "reembed")),
            lane=Lane.ACCELERATOR,
            title="",
            target=target,
            spec={},
            actor="a",
            **changes,  # type: ignore[arg-type]
        )

    _run(ledger, submit, _step(_bad("1", "missing"), _bad("2")))
    latest = _run(ledger, submit, _step(_bad("1", "empty", "It is empty.", "1.jpg")))
    _run(ledger, submit, _step(_bad("1", "timeout")), target="v3")
    with old.transaction() as connection:  # as it was before failures were kept by collection
        connection.execute(text("DROP TABLE failed_pictures"))
        connection.execute(delete(schema.schema_steps).where(schema.schema_steps.c.number == 2))
    old.close()

    for _ in range(2):
        opened = Database(url)
        failed = FailedPictures(opened)
        one, two = failed.page("v2")
        assert (one.key, one.kind, one.message, one.path, one.run, one.tries) == (
            *("1", "empty", "It is empty.", "1.jpg"),
            *(latest.id, 2),
        )
        assert one.first_at < one.last_at
        assert one.last_at.tzinfo is not None
        assert (two.key, two.tries, two.quarantined_by, two.quarantined_at) == ("2", 1, "", None)
        assert failed.collections() == {"v2": 2, "v3": 1}
        assert set(Ledger(opened).failed_among("v2", ["1", "2", "3"])) == {"1", "2"}
        opened.close()


def test_a_csv_has_every_column_and_no_cell_that_acts_as_a_formula(
    ledger: Ledger, failed: FailedPictures, submit: Submit
) -> None:
    dangerous = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx")
    messages = [_bad(str(key), "empty", message, message) for key, message in enumerate(dangerous)]
    _run(ledger, submit, _step(*messages, _bad("=cmd()", "missing", 'He said "no",\nand left', "a/b.jpg")))
    failed.quarantine("v2", "=olga", keys=["0"])
    rows = list(csv.DictReader(io.StringIO("".join(csv_lines(failed.all("v2"))), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert [row["message"] for row in rows[:6]] == [f"'{message}" for message in dangerous]
    assert (rows[0]["quarantined_by"], rows[0]["quarantined_at"][:2]) == ("'=olga", "20")
    assert (rows[6]["key"], rows[6]["message"]) == ("'=cmd()", 'He said "no",\nand left')
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert {row["tries"] for row in rows} == {"1"}


def test_a_run_that_failed_at_its_very_end_makes_way_for_the_next_one(ledger: Ledger, submit: Submit) -> None:
    run = submit("v2", selected=1)
    ledger.claim(Lane.ACCELERATOR, "console")
    ledger.record(run.id, Progress("1", Counts(1, 0, {}, {"missing": 1}), (_bad("1"),)))
    ledger.finish(run.id, RunState.FAILED, reason="None could be embedded.")
    assert submit("v2").state is RunState.QUEUED
    closed = ledger.get(run.id)
    assert closed.state is RunState.CANCELLED
    assert closed.reason == "None could be embedded. Closed when the next run began, as nothing was left to do."
