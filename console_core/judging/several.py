"""Several columns against one reference: the more comparisons, the likelier one is wrong by chance. Pure.

Holm's correction (1979), for each of the two sides by itself: whatever the truth, the chance that any column is wrongly
called non-inferior is at most 1 − confidence over all comparisons together, and so is that of "inferior". The first is
decided at one over the number of comparisons of that, and each that is decided leaves more to the others. How many
there are is what was locked: those that are withheld are counted too.
"""

from collections.abc import Sequence
from dataclasses import replace

from console_core.judging.decision import Outcome
from console_core.judging.estimate import RESAMPLES
from console_core.judging.verdict import Verdict, decided_with


def together(verdicts: Sequence[Verdict], *, resamples: int = RESAMPLES) -> tuple[Verdict, ...]:
    """The same verdicts, decided together; a single one as it is. The bounds of each are those that it is decided by.

    All of them are of one protocol.
    """
    if len(verdicts) < 2:
        return tuple(verdicts)
    found = [replace(verdict, among=len(verdicts)) for verdict in verdicts]
    sides: tuple[Outcome, Outcome] = ("non-inferior", "inferior")
    for side in sides:
        left = {place for place, verdict in enumerate(found) if _side(verdict) == side}
        decided = 0
        while left:
            confidence = _confidence(found[0].protocol.confidence, len(found) - decided)
            for place in left:
                found[place] = decided_with(found[place], confidence, resamples=resamples)
            new = {place for place in left if found[place].outcome == side}
            if not new:
                break
            left -= new
            decided += len(new)
    return tuple(found)


def adjusted(chances: Sequence[float]) -> list[float]:
    """Each p corrected by Holm for how many there are; at most 1."""
    found, least = [0.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=lambda each: chances[each])):
        least = max(least, min(1.0, (len(chances) - rank) * chances[place]))
        found[place] = least
    return found


def _side(verdict: Verdict) -> Outcome | None:
    """Which decision is possible: only the mean's side of the margin."""
    if verdict.decision is None:
        return None
    return "non-inferior" if verdict.decision.estimate.mean > -verdict.protocol.margin else "inferior"


def _confidence(of_all: float, comparisons: int) -> float:
    return of_all if comparisons == 1 else 1 - (1 - of_all) / comparisons
