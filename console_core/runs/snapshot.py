"""A run at a glance, computed from what the ledger has: every page, log line and JSON answer renders this one value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import sqrt

from console_core.runs.types import TERMINAL, WORKING, Run, RunState, Sample
from console_core.runs.wording import counted, percent

WINDOW = 60.0
"""The rate is that of the last so many seconds of work, or of the last five steps where those took longer."""
STALLED_AFTER = 60.0
"""A working run is stalled after so many seconds without a checkpoint, or ten usual steps where those take longer."""
_FEWEST = 2
_BLOCKS = 6


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a run stands.

    `fraction` of the selected pictures is settled, `done` of the `selected` ones were done. `rate` is in settled
    pictures per second, None while unknown. `eta` is (at least, at most) seconds from now, None where any number
    would be invented. `elapsed` seconds of work, without pauses. `sentence` says it all to a person.
    """

    fraction: float
    done: int
    selected: int
    rate: float | None
    eta: tuple[float, float] | None
    elapsed: float
    stalled: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class _Step:
    seconds: float
    pictures: int


def snapshot(run: Run, samples: Sequence[Sample], now: datetime) -> Snapshot:
    """What can honestly be said of a run at a moment. The time between two attempts is not work and never counts."""
    steps = _steps(samples)
    made = _recent(steps)
    recent = made + _going_on(run, samples, made, now)
    seconds = sum(step.seconds for step in recent)
    rate = sum(step.pictures for step in recent) / seconds if seconds > 0 else None
    fraction = run.counts.settled / run.counts.selected if run.counts.selected else float(run.state in TERMINAL)
    silent = (now - run.heartbeat).total_seconds() if run.heartbeat and run.state in WORKING else 0.0
    usual = sum(step.seconds for step in made) / len(made) if made else 0.0
    stalled = silent > max(STALLED_AFTER, 10 * usual)
    known = run.state is RunState.RUNNING and not stalled and fraction >= 0.01 and len(made) >= _FEWEST
    eta = _eta(run.counts.pending, recent) if known and run.counts.pending else None
    return Snapshot(
        fraction=min(max(fraction, 0.0), 1.0),
        done=run.counts.done,
        selected=run.counts.selected,
        rate=rate,
        eta=eta,
        elapsed=_elapsed(run, samples, now),
        stalled=stalled,
        sentence=_sentence(run, fraction, rate, eta, silent if stalled else None),
    )


def duration(seconds: float) -> str:
    """Seconds for people, in at most two units: 45 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _steps(samples: Sequence[Sample]) -> list[_Step]:
    """Time and pictures between neighbouring samples. An attempt's first interval is its start-up, not its rate."""
    return [
        _Step((later.at - earlier.at).total_seconds(), later.settled - earlier.settled)
        for before, (earlier, later) in zip([None, *samples], pairwise(samples), strict=False)
        if before is not None and before.attempt == earlier.attempt == later.attempt and later.at > earlier.at
    ]


def _recent(steps: Sequence[_Step]) -> list[_Step]:
    chosen: list[_Step] = []
    seconds = 0.0
    for step in reversed(steps):
        if seconds >= WINDOW and len(chosen) >= 5:
            break
        chosen.append(step)
        seconds += step.seconds
    return chosen[::-1]


def _going_on(run: Run, samples: Sequence[Sample], made: Sequence[_Step], now: datetime) -> list[_Step]:
    """The step that is being made or waited for, once it takes longer than any recent one: then it slows the rate."""
    if run.state not in WORKING or not made or samples[-1].attempt != run.attempt:
        return []
    seconds = (now - samples[-1].at).total_seconds()
    return [_Step(seconds, 0)] if seconds > max(step.seconds for step in made) else []


def _eta(pending: int, recent: Sequence[_Step]) -> tuple[float, float] | None:
    """The rest at the recent rate, give or take its spread; never narrower than a tenth, never wider than threefold."""
    blocks = _blocks(recent)
    seconds = sum(block.seconds for block in blocks)
    mean = sum(block.pictures for block in blocks) / seconds
    if mean <= 0:
        return None
    spread = sqrt(sum(b.seconds * (b.pictures / b.seconds - mean) ** 2 for b in blocks) / seconds)
    spread = min(max(spread, mean / 10), mean * 2 / 3)
    return pending / (mean + spread), pending / (mean - spread)


def _blocks(steps: Sequence[_Step]) -> list[_Step]:
    """Neighbouring steps put together into a few of about the same length: short steps scatter for no reason."""
    length = sum(step.seconds for step in steps) / _BLOCKS
    blocks: list[_Step] = []
    seconds, pictures = 0.0, 0
    for step in steps:
        seconds, pictures = seconds + step.seconds, pictures + step.pictures
        if seconds >= length:
            blocks.append(_Step(seconds, pictures))
            seconds, pictures = 0.0, 0
    return [*blocks, _Step(seconds, pictures)] if seconds > 0 else blocks


def _elapsed(run: Run, samples: Sequence[Sample], now: datetime) -> float:
    worked = sum(
        (later.at - earlier.at).total_seconds()
        for earlier, later in pairwise(samples)
        if earlier.attempt == later.attempt
    )
    if run.state in WORKING and samples and samples[-1].attempt == run.attempt:
        worked += max(0.0, (now - samples[-1].at).total_seconds())
    return worked


def _sentence(
    run: Run, fraction: float, rate: float | None, eta: tuple[float, float] | None, silent: float | None
) -> str:
    counts = run.counts
    what = counted(run.kind)
    so_far = f"{counts.settled:,} of {counts.selected:,} {what} ({percent(fraction)})"
    if run.state is RunState.QUEUED:
        return " ".join([run.reason or "Waiting for its turn.", *([f"{so_far} so far."] if counts.settled else [])])
    if run.state in TERMINAL:
        return run.reason or f"{run.state.capitalize()}."
    if run.state not in WORKING:
        return f"{run.reason or run.state.capitalize() + '.'} {so_far} so far."
    if silent is not None:
        return f"No checkpoint for {duration(silent)}. {so_far} so far."
    parts = [so_far]
    if rate is not None:
        parts.append(f"{rate:,.1f} {what}/s" if rate < 10 else f"{rate:,.0f} {what}/s")
    if eta is not None:
        parts.append(f"{_range(eta)} left")
    return " ".join([", ".join(parts) + ".", *([run.reason] if run.reason else [])])


def _range(eta: Iterable[float]) -> str:
    low, high = (duration(seconds) for seconds in eta)
    return low if low == high else f"{low} to {high}"
