"""What limits a run, in words."""

from console_core.engine.meter import Stage
from console_core.engine.pace import Pace, Stretch

FULL = 0.7
"""The share of its time from which on a stage is called the limit."""
_WORDS = {
    Stage.READ: "Reading the files",
    Stage.DECODE: "Decoding",
    Stage.DEVICE: "The forward pass",
    Stage.WRITE: "Writing to the store",
}
_WAITS = {"rate limit": "the rate limit", "allowed hours": "its allowed hours"}


def limit(pace: Pace, *, ended: bool = False) -> str:
    """One sentence about the last seconds; with `ended`, about the whole attempt."""
    stretch, verb = (pace.overall, "was") if ended else (pace.recent, "is")
    stage = stretch.busiest
    if stage is None:
        return _held(stretch, ended=ended)
    name, share = _WORDS[stage], percent(stretch.loads[stage].busy)
    if stretch.loads[stage].busy < FULL:
        return f"No stage {verb} at its limit. {name} {verb} the busiest: {share} of the time."
    if stage is Stage.WRITE and pace.workers.get(stage) == 1:
        busy = f"it {verb} busy {share} of the time"
        return f"{name} {verb} the limit: the embedded store takes one writer at a time, and {busy}."
    threads = pace.workers.get(stage, 1)
    who = f"its {threads} threads {'were' if ended else 'are'}" if threads > 1 else f"it {verb}"
    return f"{name} {verb} the limit: {who} busy {share} of the time."


def _held(stretch: Stretch, *, ended: bool) -> str:
    share = percent(stretch.held)
    if stretch.waits:
        return f"{'Waited' if ended else 'Waits'} for {_WAITS.get(stretch.waits, stretch.waits)}: {share} of the time."
    if not stretch.loads or not stretch.held:
        return "Nothing was done yet."
    verb = "was" if ended else "is"
    return f"What comes between two batches {verb} the limit: recording what was done takes {share} of the time."


def percent(share: float) -> str:
    """A share of time for people: 97%."""
    return f"{100 * share:.0f}%"
