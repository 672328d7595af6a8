"""How a run ends, given what its operation reported: succeeded, failed or invalid, always with a reason."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from console_core.database import Database
from console_core.errors import StoreFull
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Lane, Progress, Run, RunState, Verb
from console_core.runs.worker import execute


@dataclass
class Given:
    """An operation that yields what it is given, then raises what it is given."""

    progress: list[Progress]
    error: Exception | None = None

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        yield from self.progress
        if self.error is not None:
            raise self.error


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield Ledger(database)
    database.close()


def submit(ledger: Ledger, target: str = "images_v2", lane: Lane = Lane.STORE, selected: int = 60) -> Run:
    return ledger.submit(
        kind="reembed", lane=lane, title="Copy", target=target, spec={}, actor="olga", selected=selected, writes=True
    )


def claimed(ledger: Ledger, selected: int = 60) -> Run:
    submit(ledger, selected=selected)
    run = ledger.claim(Lane.STORE, "console")
    assert run is not None
    return run


def never() -> bool:
    return False


def test_an_error_of_the_console_fails_the_run_with_its_message_and_what_was_done_stays(ledger: Ledger) -> None:
    operation = Given([Progress("a", Counts(60, 5))], StoreFull("The disk is full.", "Free 2 GB."))
    ended = execute(claimed(ledger), operation, ledger, never)
    assert (ended.state, ended.reason, ended.remedy) == (RunState.FAILED, "The disk is full.", "Free 2 GB.")
    assert (ended.checkpoint, ended.counts.done) == ("a", 5)


def test_an_unexpected_error_is_an_incident_whose_number_is_in_the_log_and_its_trace_is_not_on_the_page(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        ended = execute(claimed(ledger), Given([], KeyError("secret password")), ledger, never)
    assert ended.state is RunState.FAILED
    incident = ended.remedy.split()[1]
    assert incident in ended.reason
    assert "Traceback" not in ended.reason
    assert "secret" not in ended.reason
    assert incident in caplog.text
    assert "Traceback" in caplog.text


def test_a_run_in_which_nothing_could_be_done_has_failed_and_names_the_commonest_reason(ledger: Ledger) -> None:
    counts = Counts(3, 0, {}, {"empty": 1, "missing": 2})
    failures = tuple(Failure(f"k{n}", kind, "No.") for n, kind in enumerate(["empty", "missing", "missing"]))
    ended = execute(claimed(ledger, 3), Given([Progress("z", counts, failures)]), ledger, never)
    assert ended.state is RunState.FAILED
    assert ended.reason.startswith("None of the 3 pictures could be embedded.")
    assert '"missing" (2 pictures)' in ended.reason


def test_a_run_with_some_failures_succeeds_and_counts_them(ledger: Ledger) -> None:
    counts = Counts(6, 3, {"unchanged": 2}, {"missing": 1})
    ended = execute(claimed(ledger, 6), Given([Progress("z", counts)]), ledger, never)
    assert (ended.state, ended.reason) == (RunState.SUCCEEDED, "3 of 6 pictures embedded, 2 skipped, 1 failed.")


def test_a_run_over_nothing_succeeds_and_says_so(ledger: Ledger) -> None:
    ended = execute(claimed(ledger, 0), Given([]), ledger, never)
    assert (ended.state, ended.reason) == (RunState.SUCCEEDED, "There was nothing to do.")


@pytest.mark.parametrize(
    ("progress", "said"),
    [
        ([Counts(10, 4)], "6 of 10 pictures are neither done"),
        ([Counts(10, 11)], "11 pictures are accounted for, but only 10 were selected"),
        ([Counts(10, 8), Counts(10, 6), Counts(10, 10)], "done pictures went down from 8 to 6"),
        ([Counts(10, 8, {"unchanged": -1}), Counts(10, 10)], "negative"),
    ],
)
def test_a_run_whose_books_are_wrong_is_invalid_and_says_why(ledger: Ledger, progress: list[Counts], said: str) -> None:
    operation = Given([Progress(str(n), counts) for n, counts in enumerate(progress)])
    ended = execute(claimed(ledger, 10), operation, ledger, never)
    assert ended.state is RunState.INVALID
    assert said in ended.reason
    assert "images_v2" in ended.remedy


def test_books_may_not_run_backwards_from_one_attempt_to_the_next(ledger: Ledger) -> None:
    run = claimed(ledger, 10)
    execute(run, Given([Progress("a", Counts(10, 6))], StoreFull("Full.")), ledger, never)
    ledger.ask(run.id, Verb.RESUME, "olga")
    again = ledger.claim(Lane.STORE, "console")
    assert again is not None
    ended = execute(again, Given([Progress("b", Counts(10, 5))]), ledger, never)
    assert (ended.state, ended.reason) == (
        RunState.INVALID,
        "The number of done pictures went down from 6 to 5.",
    )
