"""From what stages did to the sentence that names the limit."""

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from console_core.engine.limit import limit
from console_core.engine.meter import Busy, Meter, Readings, Stage
from console_core.engine.pace import Load, Pace, Stretch, loads
from console_core.engine.pacer import EVERY, WINDOW, Pacer
from console_core.engine.shape import Shape
from console_core.engine.types import Done, Job

READ, DECODE, DEVICE, WRITE = Stage
SHAPE = Shape(batch=16, slabs=4, slab_bytes=1000, readers=4, decoders=2, passes=1)


class _Told:
    """A pipeline whose readings the test writes."""

    capacity = 64
    shape = SHAPE
    process: int | None = None

    def __init__(self) -> None:
        self.told = Readings(0.0, {DEVICE: Busy()})

    def readings(self) -> Readings:
        return self.told

    def submit(self, jobs: Sequence[Job]) -> None:
        raise NotImplementedError

    def take(self) -> list[Done]:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def pacer(clock: _Clock) -> Pacer:
    return Pacer(Meter({WRITE: 1}), mode="fast", device="cpu, float32", clock=clock)


def _pace(**busy: float) -> Pace:
    """One with stages that are so busy."""
    workers = {READ: 4, DECODE: 2, DEVICE: 1, WRITE: 1}
    held = busy.pop("held", 0.0)
    stretch = Stretch({Stage(name): Load(100.0, share) for name, share in busy.items()}, held)
    return Pace(stretch, Stretch({}), workers, {}, "fast", 16, "cpu, float32", None, 0, 0, 0)


def _waiting(waits: str) -> Pace:
    pace = _pace(device=0.1, held=0.85)
    return replace(pace, recent=replace(pace.recent, waits=waits))


@pytest.mark.parametrize(
    ("pace", "sentence"),
    [
        (
            _pace(read=0.1, decode=0.2, device=0.97, write=0.3),
            "The forward pass is the limit: it is busy 97% of the time.",
        ),
        (_pace(read=0.1, decode=0.94, device=0.6), "Decoding is the limit: its 2 threads are busy 94% of the time."),
        (_pace(read=0.99, device=0.6), "Reading the files is the limit: its 4 threads are busy 99% of the time."),
        (
            _pace(device=0.5, write=0.9),
            "Writing to the store is the limit: the embedded store takes one writer at a time, and it is busy 90% of "
            "the time.",
        ),
        (
            replace(_pace(device=0.5, write=0.9), workers={WRITE: 2}),
            "Writing to the store is the limit: its 2 threads are busy 90% of the time.",
        ),
        (_pace(decode=0.4, device=0.5), "No stage is at its limit. The forward pass is the busiest: 50% of the time."),
        (_waiting("rate limit"), "Waits for the rate limit: 85% of the time."),
        (_waiting("searches"), "Waits for searches: 85% of the time."),
        (
            _waiting(""),
            "What comes between two batches is the limit: recording what was done takes 85% of the time.",
        ),
        (_pace(), "Nothing was done yet."),
    ],
)
def test_the_limit_is_named_in_words(pace: Pace, sentence: str) -> None:
    assert limit(pace) == sentence
    ended = limit(replace(pace, overall=pace.recent), ended=True)
    assert ended == sentence.replace(" is ", " was ").replace(" are ", " were ").replace("Waits", "Waited")


def test_work_that_goes_on_counts_for_as_long_as_it_takes_already() -> None:
    meter, entered, leave = Meter({DEVICE: 1}), threading.Event(), threading.Event()

    def long_pass() -> None:
        with meter.busy(DEVICE, 16):
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=long_pass)
    thread.start()
    entered.wait(30)
    before = meter.readings()
    threading.Event().wait(0.05)
    during = meter.readings()
    so_far = loads(before, during)[DEVICE]
    assert so_far.rate == 0
    assert so_far.busy == pytest.approx(1.0, abs=1e-3)
    leave.set()
    thread.join()
    after = meter.readings()
    assert after.stages[DEVICE].pictures == 16
    assert during.stages[DEVICE].seconds <= after.stages[DEVICE].seconds <= after.at - before.at + 1


def test_waiting_within_the_work_is_no_work() -> None:
    meter = Meter({DEVICE: 1})
    before = meter.readings()
    with meter.busy(DEVICE):
        with meter.waiting(DEVICE):
            threading.Event().wait(0.05)
            meanwhile = meter.readings()
        threading.Event().wait(0.01)
    after = meter.readings()
    assert meanwhile.at - before.at >= 0.05
    assert meanwhile.stages[DEVICE].seconds < 0.04
    assert 0.01 <= after.stages[DEVICE].seconds <= after.at - before.at - 0.05


def test_a_load_is_a_share_of_all_workers_and_a_rate() -> None:
    before = Readings(10.0, {DECODE: Busy(4.0, 100, 2)})
    after = Readings(14.0, {DECODE: Busy(10.0, 500, 2), DEVICE: Busy(1.0, 8, 1)})
    assert loads(before, after) == {DECODE: Load(100.0, 0.75), DEVICE: Load(2.0, 0.25)}
    assert loads(after, after) == {}


def test_a_pace_is_told_now_and_then_and_at_the_end(pacer: Pacer, clock: _Clock) -> None:
    pipeline = _Told()
    assert pacer.pace(last=True) is None
    with pacer.watching(pipeline):
        told = []
        for _ in range(10):
            clock.now += EVERY / 4
            told.append(pacer.pace() is not None)
        assert told == [True, False, False, False, True, False, False, False, True, False]
        assert pacer.pace(last=True) is not None


def test_the_recent_pace_forgets_what_the_overall_pace_keeps(pacer: Pacer, clock: _Clock) -> None:
    pipeline = _Told()
    paces: list[Pace | None] = []
    with pacer.watching(pipeline):
        for second in range(1, 41):
            clock.now = float(second)
            busy = min(second, 20)  # all the time at first, and then never again
            pipeline.told = Readings(clock.now, {DEVICE: Busy(float(busy), 10 * busy)})
            paces.append(pacer.pace())
        pace = next(one for one in reversed(paces) if one is not None)
        assert pace.recent.loads[DEVICE] == Load(0.0, 0.0)
        assert pace.overall.loads[DEVICE].busy == pytest.approx(0.5, abs=0.02)
        assert pace.overall.loads[DEVICE].rate == pytest.approx(5.0, abs=0.2)
        clock.now += WINDOW
        pipeline.told = Readings(clock.now, {DEVICE: Busy(20 + WINDOW, 200)})
        again = pacer.pace()
        assert again is not None
        assert again.recent.loads[DEVICE].busy >= 0.7


def test_pipelines_that_follow_one_another_are_added_up(pacer: Pacer, clock: _Clock) -> None:
    for _ in range(3):
        pipeline = _Told()
        with pacer.watching(pipeline):
            clock.now += 10
            pipeline.told = Readings(clock.now, {DEVICE: Busy(5.0, 50)}, {"Pillow": 50}, ("The batch was halved.",))
            pace = pacer.pace(last=True)
    assert pace is not None
    assert pace.overall.loads[DEVICE] == Load(5.0, 0.5)
    assert pace.decoders == {"Pillow": 150}
    assert pace.notes == ("The batch was halved.",)


def test_time_in_which_nobody_asks_for_the_next_batch_is_held(pacer: Pacer, clock: _Clock) -> None:
    pipeline = _Told()
    with pacer.watching(pipeline):
        clock.now = 1.0
        with pacer.holding():
            clock.now = 4.0
        pipeline.told = Readings(clock.now, {DEVICE: Busy(0.4, 3)})
        pace = pacer.pace()
        assert pace is not None
        assert (pace.recent.held, pace.recent.busiest) == (0.75, None)


def test_a_pace_comes_back_from_json_as_it_was(pacer: Pacer, clock: _Clock) -> None:
    pipeline = _Told()
    with pacer.watching(pipeline):
        clock.now = 3.0
        pipeline.told = Readings(3.0, {DEVICE: Busy(1.0, 9), READ: Busy(0.5, 9, 4)}, {"Pillow": 9}, ("A note.",))
        pace = pacer.pace()
    assert pace is not None
    again = Pace.from_json(pace.as_json())
    assert again == pace
    assert list(again.recent.loads) == [READ, DEVICE, WRITE]
    assert (pace.process, pace.batch, pace.bound, pace.mode) == (None, 16, SHAPE.bound, "fast")
    assert pace.memory > 10_000_000
