"""Manners and waits in the ledger: whose they are, what they keep over a restart, and what the queue says of hours."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from console_core.database import Database
from console_core.errors import IllegalTransition, NotFound, Refused
from console_core.runs.ledger import Ledger
from console_core.runs.manners import NONE, Cause, Hours, Manners, server_clock
from console_core.runs.manners_records import DEFAULTS, BatchSize
from console_core.runs.types import TERMINAL, Counts, Lane, Progress, Run, RunState, Verb

NIGHT = Manners(batch_size=16, rate=2.5, polite=True, hours=Hours(time(22), time(6)))


def _hours_around(moment: datetime, hours: int) -> Hours:
    """Two hours of the day that begin so many hours from now: with 6 they are closed now, with -1 they are open."""
    opens = moment + timedelta(hours=hours)
    return Hours(opens.time().replace(microsecond=0), (opens + timedelta(hours=2)).time().replace(microsecond=0))


def _closed() -> Manners:
    return Manners(hours=_hours_around(server_clock(), 6))


def test_a_run_follows_the_defaults_until_it_has_manners_of_its_own(ledger: Ledger, submit: Callable[..., Run]) -> None:
    run, other = submit(), submit("other")
    assert ledger.manners.of(run.id) == NONE
    ledger.manners.put(DEFAULTS, Manners(polite=True))
    assert ledger.manners.of(run.id) == ledger.manners.of(other.id) == Manners(polite=True)
    assert ledger.manners.own(run.id) is None
    change = ledger.manners.put(run.id, NIGHT)
    assert str(change).startswith("batch size: as planned → 16; rate: no limit → at most 2.5/s; hours: any → 22:00")
    ledger.manners.put(DEFAULTS, Manners(rate=1))
    assert (ledger.manners.of(run.id), ledger.manners.of(other.id)) == (NIGHT, Manners(rate=1))
    change = ledger.manners.put(run.id, None)
    assert ledger.manners.of(run.id) == change.after == Manners(rate=1)
    assert str(change).endswith("(follows the defaults)")


def test_manners_are_kept_over_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    first = Database(url)
    Ledger(first).manners.put(DEFAULTS, NIGHT)
    first.close()
    second = Database(url)
    assert Ledger(second).manners.of("r-whatever") == NIGHT
    second.close()


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_a_finished_run_takes_no_manners(ledger: Ledger, run_in: Callable[[RunState], Run], state: RunState) -> None:
    run = run_in(state)
    with pytest.raises(Refused, match=state.value):
        ledger.manners.put(run.id, NIGHT)
    assert ledger.manners.own(run.id) is None


def test_a_run_that_does_not_exist_has_none(ledger: Ledger) -> None:
    with pytest.raises(NotFound):
        ledger.manners.put("r-nobody", NIGHT)


def test_the_batch_size_is_the_one_said_last_also_while_the_ledger_is_away(
    database: Database, ledger: Ledger, submit: Callable[..., Run]
) -> None:
    run = submit()
    size = BatchSize(ledger.manners, run.id, planned=64)
    assert size() == 64
    ledger.manners.put(run.id, Manners(batch_size=8))
    assert size() == 8
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE manners RENAME TO gone")
    assert size() == 8
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE gone RENAME TO manners")
    ledger.manners.put(run.id, None)
    assert size() == 64


@pytest.mark.parametrize(("rate", "size"), [(0, 256), (1_000, 256), (20, 40), (0.1, 1)])
def test_a_run_that_keeps_to_a_rate_has_batches_of_two_seconds_at_most(
    ledger: Ledger, submit: Callable[..., Run], rate: float, size: int
) -> None:
    run = submit()
    ledger.manners.put(run.id, Manners(rate=rate))
    assert BatchSize(ledger.manners, run.id, planned=256)() == size
    ledger.manners.put(run.id, Manners(rate=rate, batch_size=128))
    assert BatchSize(ledger.manners, run.id, planned=256)() == 128


def test_what_a_working_run_waits_for_is_its_reason_and_a_sign_of_life(
    ledger: Ledger, run_in: Callable[[RunState], Run]
) -> None:
    run = run_in(RunState.RUNNING)
    for seconds in (1.5, 4.0, 4.0):
        ledger.waits.tell(run.id, "Keeps to 5 pictures/s.", {Cause.RATE: seconds, Cause.SEARCHES: 1.0}, attempt=1)
    told = ledger.get(run.id)
    assert told.reason == "Keeps to 5 pictures/s."
    assert told.heartbeat is not None
    assert run.heartbeat is not None
    assert told.heartbeat > run.heartbeat
    assert ledger.waits.of(run.id) == {Cause.RATE: 4.0, Cause.SEARCHES: 1.0}
    ledger.waits.tell(run.id, "", {}, attempt=1)
    assert ledger.get(run.id).reason == ""


def test_a_wait_neither_hides_what_was_asked_nor_outlives_its_attempt(
    ledger: Ledger, run_in: Callable[[RunState], Run]
) -> None:
    pausing = run_in(RunState.PAUSING)
    ledger.waits.tell(pausing.id, "Yields to searches.", {Cause.SEARCHES: 2.0}, attempt=1)
    assert ledger.get(pausing.id).reason == pausing.reason
    ledger.finish(pausing.id, RunState.PAUSED, reason="so")
    with pytest.raises(IllegalTransition):
        ledger.waits.tell(pausing.id, "Yields to searches.", {Cause.SEARCHES: 3.0}, attempt=1)
    assert ledger.waits.of(pausing.id) == {Cause.SEARCHES: 2.0}


def test_a_run_outside_its_hours_stays_in_the_queue_says_so_and_lets_others_pass(
    ledger: Ledger, submit: Callable[..., Run]
) -> None:
    first, second = submit("first"), submit("second")
    closed = _closed()
    ledger.manners.put(first.id, closed)
    claimed = ledger.claim(Lane.ACCELERATOR, "console")
    assert claimed is not None
    assert claimed.id == second.id
    waits = ledger.get(first.id)
    assert closed.hours is not None
    assert (waits.state, waits.reason) == (RunState.QUEUED, closed.hours.wait().sentence)
    assert ledger.claim(Lane.ACCELERATOR, "console") is None
    assert ledger.claim(Lane.ACCELERATOR, "console", only=first.id) is None
    ledger.manners.put(first.id, Manners(hours=_hours_around(server_clock(), -1)))
    opened = ledger.claim(Lane.ACCELERATOR, "console")
    assert opened is not None
    assert (opened.id, opened.state, opened.reason) == (first.id, RunState.RUNNING, "")


def test_a_run_whose_hours_are_over_keeps_its_place_in_the_queue(
    ledger: Ledger, run_in: Callable[[RunState], Run], submit: Callable[..., Run]
) -> None:
    run = run_in(RunState.RUNNING)
    ledger.record(run.id, Progress("5", Counts(10, 5)), attempt=1)
    later = submit("later")
    back = ledger.finish(run.id, RunState.QUEUED, reason="Waits until 22:00.", attempt=1)
    assert (back.counts.done, back.checkpoint, back.finished_at) == (5, "5", None)
    assert ledger.attempts(run.id)[0].outcome == "queued"
    again = ledger.claim(Lane.ACCELERATOR, "console")
    assert again is not None
    assert (again.id, again.attempt) == (run.id, 2)
    assert ledger.get(later.id).state is RunState.QUEUED


def test_the_hours_that_a_queued_run_waited_are_counted_until_it_starts_or_is_paused(
    database: Database, ledger: Ledger, submit: Callable[..., Run]
) -> None:
    def an_hour_passes() -> None:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE waits SET since = datetime(since, '-1 hour')")

    run = submit()
    ledger.manners.put(run.id, _closed())
    assert ledger.claim(Lane.ACCELERATOR, "console") is None
    an_hour_passes()
    assert ledger.claim(Lane.ACCELERATOR, "console") is None, "counted again, as ten seconds are over"
    assert ledger.waits.of(run.id)[Cause.HOURS] == pytest.approx(3600, abs=60)
    an_hour_passes()
    ledger.ask(run.id, Verb.PAUSE, "olga")
    assert ledger.waits.of(run.id)[Cause.HOURS] == pytest.approx(7200, abs=120)
    an_hour_passes()
    ledger.ask(run.id, Verb.RESUME, "olga")
    ledger.manners.put(run.id, None)
    assert ledger.claim(Lane.ACCELERATOR, "console") is not None
    assert ledger.waits.of(run.id)[Cause.HOURS] == pytest.approx(7200, abs=120), "a pause is no wait for hours"


def test_the_time_in_which_no_console_ran_is_not_counted_as_waiting(
    database: Database, ledger: Ledger, submit: Callable[..., Run]
) -> None:
    run = submit()
    ledger.manners.put(run.id, _closed())
    assert ledger.claim(Lane.ACCELERATOR, "console") is None
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE waits SET since = datetime(since, '-8 hours')")
    ledger.recover("another console")
    assert ledger.claim(Lane.ACCELERATOR, "another console") is None
    assert ledger.waits.of(run.id).get(Cause.HOURS, 0.0) < 3600
