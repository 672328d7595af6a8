"""Hours, rates and politeness as plain arithmetic, on clocks that the tests hold in their hands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time

import pytest

from console_core.errors import Refused
from console_core.runs.courtesy import LONGEST_YIELD, Courtesy
from console_core.runs.manners import Cause, Hours, Manners, Wait, changed
from console_core.vectorstore.traffic import CALM, Traffic


@dataclass
class Clock:
    """A clock that goes when it is told to, in seconds, and the time of day beside it."""

    seconds: float = 1000.0
    day: datetime = field(default_factory=lambda: datetime(2026, 3, 29, 12, 0))

    def __call__(self) -> float:
        return self.seconds

    def local(self) -> datetime:
        return self.day


@pytest.mark.parametrize(
    ("opens", "closes", "inside", "outside"),
    [
        (time(9), time(17), [time(9), time(12), time(16, 59, 59)], [time(8, 59, 59), time(17), time(0)]),
        (time(22), time(6), [time(22), time(23, 59), time(0), time(5, 59)], [time(6), time(12), time(21, 59)]),
        (time(0), time(23, 59), [time(0), time(23, 58)], [time(23, 59)]),
        (time(23), time(0), [time(23), time(23, 59)], [time(0), time(12), time(22, 59)]),
    ],
)
def test_hours_hold_from_their_opening_until_just_before_their_closing_also_over_midnight(
    opens: time, closes: time, inside: list[time], outside: list[time]
) -> None:
    hours = Hours(opens, closes)
    assert [at for at in inside if not hours.allow(at)] == []
    assert [at for at in outside if hours.allow(at)] == []


def test_a_night_in_which_the_clock_is_changed_is_like_any_other() -> None:
    hours = Hours(time(2, 30), time(3, 30))
    before, after = datetime(2026, 3, 29, 1, 59, 59), datetime(2026, 3, 29, 3, 0, 0)  # 02:30 does not exist that night
    assert (hours.allow(before.time()), hours.allow(after.time())) == (False, True)


@pytest.mark.parametrize("text", ["22:00-06:00", " 22:00 - 6:00 "])
def test_hours_are_read_as_people_write_them(text: str) -> None:
    assert Hours.read(text) == Hours(time(22), time(6))
    assert Hours.read("any") is None


@pytest.mark.parametrize("text", ["", "22:00", "24:00-06:00", "22-6", "22:00-06:60", "nights"])
def test_what_are_no_hours_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused) as refused:
        Hours.read(text)
    assert "22:00-06:00" in refused.value.remedy


def test_hours_that_leave_no_time_are_refused() -> None:
    with pytest.raises(Refused, match="leave no time"):
        Hours.read("08:00-08:00")


@pytest.mark.parametrize(
    "wrong", [{"rate": -1.0}, {"rate": float("nan")}, {"rate": float("inf")}, {"batch_size": -1}, {"batch_size": 4096}]
)
def test_manners_that_cannot_be_kept_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refused):
        Manners(**wrong)  # type: ignore[arg-type]


def test_a_change_is_told_as_from_and_to() -> None:
    after = Manners(rate=5, hours=Hours(time(22), time(6)))
    assert changed(Manners(), after) == "rate: no limit → at most 5/s; hours: any → 22:00 to 06:00"
    assert changed(after, after) == ""


def _courtesy(clock: Clock, busy: Callable[[], bool] = lambda: False, settled: int = 0) -> Courtesy:
    return Courtesy(busy, settled, "pictures", clock=clock, local=clock.local)


def _left(wait: Wait | None) -> float:
    return 0.0 if wait is None else wait.seconds


def test_without_manners_nothing_waits() -> None:
    clock = Clock()
    courtesy = _courtesy(clock, busy=lambda: True)
    assert [courtesy.wait(Manners(), settled) for settled in range(0, 500, 50)] == [None] * 10


def test_a_rate_lets_the_next_step_begin_when_the_last_one_is_paid_for() -> None:
    clock, manners = Clock(), Manners(rate=5)
    courtesy = _courtesy(clock)
    assert courtesy.wait(manners, 0) is None
    clock.seconds += 1  # the step took a second and settled 20 pictures: 4 s worth
    owed = courtesy.wait(manners, 20)
    assert owed is not None
    assert (owed.cause, owed.sentence) == (Cause.RATE, "Keeps to 5 pictures/s.")
    assert owed.seconds == pytest.approx(3)
    clock.seconds += 2.9
    assert _left(courtesy.wait(manners, 20)) == pytest.approx(0.1)
    clock.seconds += 0.2
    assert courtesy.wait(manners, 20) is None


def test_a_rate_is_kept_over_many_steps_and_never_exceeded() -> None:
    clock, manners = Clock(), Manners(rate=8)
    courtesy = _courtesy(clock)
    began, settled = clock.seconds, 0
    for took in (0.1, 0.7, 0.0, 3.0, 0.2, 0.1, 0.05, 0.4):
        while (wait := courtesy.wait(manners, settled)) is not None:
            clock.seconds += wait.seconds
        assert settled <= 8 * (clock.seconds - began) + 1e-6
        clock.seconds += took
        settled += 8
    assert clock.seconds - began == pytest.approx(7 + 2.0 + 0.4)  # each second one step; one took three of them


def test_a_pause_of_an_hour_is_not_made_up_for_by_a_burst() -> None:
    clock, manners = Clock(), Manners(rate=5)
    courtesy = _courtesy(clock)
    assert courtesy.wait(manners, 0) is None
    clock.seconds += 3600
    assert courtesy.wait(manners, 10) is None
    assert _left(courtesy.wait(manners, 20)) == pytest.approx(2)


def test_a_new_rate_holds_at_once_for_the_wait_that_goes_on() -> None:
    clock = Clock()
    courtesy = _courtesy(clock)
    courtesy.wait(Manners(rate=1), 0)
    assert _left(courtesy.wait(Manners(rate=1), 100)) == pytest.approx(100)
    assert _left(courtesy.wait(Manners(rate=50), 100)) == pytest.approx(2)
    assert courtesy.wait(Manners(), 100) is None


def test_what_was_settled_by_earlier_attempts_is_not_owed_for() -> None:
    clock = Clock()
    assert _courtesy(clock, settled=5000).wait(Manners(rate=1), 5000) is None


def test_hours_come_before_everything_and_name_when_they_open() -> None:
    clock = Clock()
    courtesy = _courtesy(clock, busy=lambda: True)
    night = Manners(rate=1, polite=True, hours=Hours(time(22), time(6)))
    wait = courtesy.wait(night, 100)
    assert wait is not None
    assert (wait.cause, wait.sentence) == (Cause.HOURS, "Waits until 22:00: allowed hours are 22:00 to 06:00.")
    clock.day = clock.day.replace(hour=22)
    assert (courtesy.wait(night, 100) or wait).cause is Cause.RATE


def test_only_the_polite_yield_to_searches() -> None:
    clock = Clock()
    courtesy = _courtesy(clock, busy=lambda: True)
    assert courtesy.wait(Manners(), 0) is None
    wait = courtesy.wait(Manners(polite=True), 0)
    assert wait is not None
    assert (wait.cause, wait.sentence) == (Cause.SEARCHES, "Yields to searches.")


def test_endless_searches_starve_nobody_one_step_is_let_through_and_then_it_yields_anew() -> None:
    clock, polite = Clock(), Manners(polite=True)
    courtesy = _courtesy(clock, busy=lambda: True)
    through = []
    for second in range(int(3 * LONGEST_YIELD) + 3):
        if courtesy.wait(polite, 0) is None:
            through.append(second)
        clock.seconds += 1
    assert through == [30, 61, 92]


def test_traffic_is_busy_while_a_search_is_made_and_for_a_moment_after() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    assert not traffic.busy()
    with traffic.search():
        clock.seconds += 100
        with traffic.search():
            assert traffic.busy()
        clock.seconds += 100
        assert traffic.busy(), "one of two is still being made"
    clock.seconds += CALM / 2
    assert traffic.busy()
    clock.seconds += CALM / 2
    assert not traffic.busy()


def test_a_search_that_fails_is_over_as_well() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    with pytest.raises(ZeroDivisionError), traffic.search():
        raise ZeroDivisionError
    clock.seconds += CALM
    assert not traffic.busy()
