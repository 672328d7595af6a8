from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from console_core.runs.snapshot import duration, snapshot
from console_core.runs.types import Counts, Lane, Run, RunState, Sample

START = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _run(settled: int, selected: int = 1000, state: RunState = RunState.RUNNING, **changes: object) -> Run:
    run = Run(
        id="r-abcdef",
        kind="reembed",
        lane=Lane.ACCELERATOR,
        title="Build images_v2",
        target="images_v2",
        spec={},
        state=state,
        reason="",
        remedy="",
        checkpoint="",
        counts=Counts(selected, settled),
        result=None,
        attempt=1,
        migration="",
        created_by="olga",
        created_at=START,
        started_at=START,
        finished_at=None,
        heartbeat=START,
    )
    return replace(run, **changes)  # type: ignore[arg-type]


def _steady(steps: int, pictures: int = 10, seconds: float = 1.0, start: float = 0.0, attempt: int = 1) -> list[Sample]:
    return [Sample(_at(start + n * seconds), attempt, n * pictures) for n in range(steps + 1)]


def test_a_steady_run_has_its_rate_and_an_interval_around_the_true_rest() -> None:
    shot = snapshot(_run(200, heartbeat=_at(20)), _steady(20), _at(20))
    assert (shot.fraction, shot.done, shot.selected) == (0.2, 200, 1000)
    assert shot.rate == pytest.approx(10)
    assert shot.eta is not None
    low, high = shot.eta
    assert low < 80 < high
    assert high - low < 20
    assert shot.elapsed == 20
    assert not shot.stalled
    assert shot.sentence == "200 of 1,000 pictures (20.0%), 10 pictures/s, 1 min 13 s to 1 min 29 s left."


def test_a_run_that_has_nothing_left_but_goes_on_has_no_estimate() -> None:
    building = "The index of images_v2 is being built."
    shot = snapshot(_run(1000, reason=building, heartbeat=_at(100)), _steady(100), _at(100))
    assert (shot.eta, shot.stalled) == (None, False)
    assert shot.sentence == f"1,000 of 1,000 pictures (100%), 10 pictures/s. {building}"


def test_an_uneven_run_has_a_wider_interval_than_a_steady_one() -> None:
    settled, uneven = 0, [Sample(START, 1, 0)]
    for second in range(1, 31):
        settled += 18 if second // 5 % 2 else 2
        uneven.append(Sample(_at(second), 1, settled))
    run = _run(settled, heartbeat=_at(30))
    wide, narrow = snapshot(run, uneven, _at(30)).eta, snapshot(run, _steady(30), _at(30)).eta
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


@pytest.mark.parametrize(("settled", "samples"), [(9, _steady(20)), (500, _steady(2)), (500, [])])
def test_nothing_is_estimated_before_one_percent_or_from_two_steps(settled: int, samples: list[Sample]) -> None:
    assert snapshot(_run(settled, heartbeat=_at(20)), samples, _at(20)).eta is None


@pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.RUNNING])
def test_only_a_running_run_has_an_estimate(state: RunState) -> None:
    shot = snapshot(_run(200, state=state, reason="Because.", heartbeat=_at(20)), _steady(20), _at(20))
    assert shot.eta is None
    assert "left" not in shot.sentence


def test_the_night_between_two_attempts_is_neither_slow_nor_work() -> None:
    night = 8 * 3600.0
    second = [Sample(_at(night + n), 2, 200 + n * 10) for n in range(11)]
    run = _run(300, attempt=2, heartbeat=_at(night + 10))
    shot = snapshot(run, [*_steady(20), *second], _at(night + 10))
    assert shot.rate == pytest.approx(10)
    assert shot.elapsed == 30
    assert shot.eta is not None
    assert shot.eta[1] < 100


def test_loading_the_model_is_work_but_does_not_slow_the_rate() -> None:
    loading = [Sample(START, 1, 0), *(Sample(_at(40 + n), 1, n * 10) for n in range(1, 11))]
    shot = snapshot(_run(100, heartbeat=_at(50)), loading, _at(50))
    assert shot.rate == pytest.approx(10)
    assert shot.elapsed == 50


def test_the_rate_is_the_recent_one() -> None:
    fast = _steady(100, pictures=20)
    slow = [Sample(_at(100 + n), 1, 2000 + n * 2) for n in range(1, 101)]
    shot = snapshot(_run(2200, 10_000, heartbeat=_at(200)), [*fast, *slow], _at(200))
    assert shot.rate == pytest.approx(2)


def test_long_steps_are_still_averaged() -> None:
    shot = snapshot(_run(80, heartbeat=_at(800)), _steady(8, seconds=100), _at(800))
    assert shot.rate == pytest.approx(0.1)
    assert "0.1 pictures/s" in shot.sentence


def test_a_worker_that_falls_silent_is_stalled_and_a_slow_one_is_not() -> None:
    silent = snapshot(_run(200, heartbeat=_at(20)), _steady(20), _at(20 + 90))
    assert silent.stalled
    assert silent.eta is None
    assert silent.sentence == "No checkpoint for 1 min 30 s. 200 of 1,000 pictures (20.0%) so far."
    assert not snapshot(_run(80, heartbeat=_at(800)), _steady(8, seconds=100), _at(800 + 90)).stalled
    assert not snapshot(_run(200, state=RunState.PAUSED, heartbeat=_at(20)), _steady(20), _at(9000)).stalled


def test_a_wait_that_is_longer_than_any_step_slows_the_rate_and_stretches_the_estimate_while_it_lasts() -> None:
    fast, run = _steady(20), _run(200, reason="Keeps to 1 pictures/s.", heartbeat=_at(59))
    short, long = snapshot(run, fast, _at(20.9)), snapshot(run, fast, _at(60))
    assert short.rate == pytest.approx(10)
    assert long.rate == pytest.approx(190 / 59)  # the first second was the start-up
    assert short.eta is not None
    assert long.eta is not None
    assert long.eta[1] > 2 * short.eta[1]
    assert not long.stalled
    assert long.sentence.endswith("left. Keeps to 1 pictures/s.")


def test_a_queued_run_that_waits_for_its_hours_says_so_instead_of_waiting_for_its_turn() -> None:
    waits = "Waits until 22:00: allowed hours are 22:00 to 06:00."
    shot = snapshot(_run(200, state=RunState.QUEUED, reason=waits, heartbeat=_at(20)), _steady(20), _at(40_000))
    assert shot.sentence == f"{waits} 200 of 1,000 pictures (20.0%) so far."
    assert (shot.eta, shot.stalled, shot.elapsed) == (None, False, 20)


def test_what_has_ended_says_why_and_how_long_it_worked() -> None:
    done = _run(1000, state=RunState.SUCCEEDED, reason="1,000 of 1,000 pictures done.", heartbeat=_at(100))
    shot = snapshot(done, _steady(100), _at(99_999))
    assert (shot.fraction, shot.elapsed, shot.sentence) == (1.0, 100, "1,000 of 1,000 pictures done.")
    paused = snapshot(_run(200, state=RunState.PAUSED, reason="Paused by olga."), _steady(20), _at(500))
    assert paused.sentence == "Paused by olga. 200 of 1,000 pictures (20.0%) so far."
    assert paused.elapsed == 20
    assert snapshot(_run(0, state=RunState.QUEUED), [], START).sentence == "Waiting for its turn."


def test_a_run_over_nothing_is_whole_once_it_has_ended() -> None:
    assert snapshot(_run(0, 0), [], START).fraction == 0.0
    assert snapshot(_run(0, 0, state=RunState.SUCCEEDED), [], START).fraction == 1.0


def test_durations_read_well() -> None:
    assert [duration(s) for s in (0, 45.4, 200, 7500)] == ["0 s", "45 s", "3 min 20 s", "2 h 05 min"]
