"""What the differences of single queries decide: their mean, its bounds, and what could take a decision back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from console_core.judging.estimate import RESAMPLES, Estimate, SignFlip, guarded, paired, sign_flip
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import Sample, parts, reweighted, reweighted_guarded

Outcome = Literal["non-inferior", "inferior", "inconclusive", "withheld"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the differences alone say: their mean, Student's p of "not above −margin", and the check where Student's
    bounds decided something. `lost` is the lower bound if one more query had lost all it can, `won` the upper bound if
    one more had won all it can; `reach` is how far the lost one is from the mean, times how much more it weighs than
    others."""

    outcome: Outcome
    estimate: Estimate
    p: float
    check: SignFlip | None
    lost: float
    won: float
    reach: float


def settle(
    found: Estimate,
    unseen: tuple[Estimate, Estimate],
    contributions: npt.NDArray[np.float64],
    protocol: Protocol,
    *,
    check: SignFlip | None = None,
    resamples: int = RESAMPLES,
) -> Decision:
    """What an estimate decides, where the bound with one more query and the sign-flip test agree.

    `unseen` is the estimate with one more query that lost all it can, and with one that won all it can;
    `contributions` are as the test takes them. Both can only take a decision back, and the test is made only where
    there is one; `check` is what it said of the same contributions before, whatever the confidence,
    and is made again only with more resamples or for the other side.
    """
    limit, (lost, won) = -protocol.margin, unseen
    outcome: Outcome = "inconclusive"
    side: Literal["above", "below", ""] = "above" if found.is_above(limit) else "below" if found.is_below(limit) else ""
    if not side:
        check = None
    elif check is None or check.side != side or check.resamples < min(resamples, 2**contributions.size):
        check = sign_flip(contributions, side, protocol.seed, resamples)
    if check is not None and check.p <= 1 - protocol.confidence:
        if side == "above" and lost.is_above(limit):
            outcome = "non-inferior"
        if side == "below" and won.is_below(limit):
            outcome = "inferior"
    reach = (found.mean - lost.mean) * lost.n
    return Decision(outcome, found, found.p_above(limit), check, lost.lower, won.upper, reach)


def decision(
    protocol: Protocol,
    sample: Sample,
    differences: Mapping[str, float],
    *,
    check: SignFlip | None = None,
    resamples: int = RESAMPLES,
) -> Decision:
    """What the differences of the drawn queries decide; `check` as in `settle`."""
    contributions = parts(sample, differences, protocol.margin)
    if sample.everything:
        values = [differences.get(query, 0.0) for query in sorted((*sample.queue, *sample.known))]
        found, unseen = paired(values, protocol.confidence), guarded(values, protocol.confidence)
    else:
        found = reweighted(sample, differences, protocol.confidence, beyond=True)
        unseen = reweighted_guarded(sample, differences, protocol.confidence)
    return settle(found, unseen, contributions, protocol, check=check, resamples=resamples)
