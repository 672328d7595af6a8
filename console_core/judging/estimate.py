"""The mean of paired differences: its interval, the test that checks it, and how many more queries it would take.

The interval is Student's, which Smucker, Allan and Carterette (2007) and Urbano, Marrero and Martín (2013) find sound
for differences between retrieval systems. The check flips the sign of each difference from the margin, which assumes
no distribution, only that what chance did to one query it could have done the other way round (Fisher 1935).
Neither sees what no query showed: with a whole loss in one query of twenty, thirty queries often have none, and then
all of them agree. So a bound also has to hold with one more query that lost (or won) all that a metric can, and with
no more degrees of freedom than the tails of these values leave their variance. That is a safeguard from the metric's
being bounded, in the manner of the rule of three (Hanley and Lippman-Hand 1983: after n queries without a loss, up to
3/n of all may have one), and no theorem: `python -m benchmarks.verdicts` says what it keeps.
All of it is bit for bit the same for the same input, in any thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
import numpy.typing as npt

RESAMPLES = 9_999
POWER = 0.8
_FREEDOM = 5
"""No fewer degrees of freedom are taken for heavy tails. With as many, queries without any loss have to be as many as
the rule of three says: 95 % of Student's t are below 2.0, and 1 + 2.0 is its 3."""
_MOST = 10_000
_NEAR = 1e-5
"""A mean so near to the margin needs far more than 10,000 queries: one more that is lost outweighs fewer."""
_NOTHING = 1e-12
"""Differences below this are rounding of equal values."""
_LEAST = float(np.finfo(np.float64).tiny)
"""No p is 0: what a float cannot hold is still possible."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean difference B − A per query, from −1 to 1.

    `n` queries are in it, `error` is its standard error with `freedom` degrees of freedom. The mean is above `lower`
    with `confidence`, and below `upper` with as much; between them with twice the rest less.
    """

    mean: float
    error: float
    freedom: float
    n: int
    lower: float
    upper: float
    confidence: float

    @property
    def spread(self) -> float:
        """The standard deviation that single queries seem to have, given the error: error · √n."""
        return self.error * sqrt(self.n)

    def p_above(self, limit: float) -> float:
        """The one-sided p of "the mean is not above the limit", by Student's t; never 0."""
        from scipy import stats

        distance = self.mean - limit
        if self.error == 0:
            return 1.0 if distance <= _NOTHING else max(0.5**self.n, _LEAST)
        return max(float(stats.t.sf(distance / self.error, self.freedom)), _LEAST)

    def is_above(self, limit: float) -> bool:
        """Whether the lower bound is above a limit by more than rounding."""
        return self.lower > limit + _NOTHING

    def is_below(self, limit: float) -> bool:
        """Whether the upper bound is below a limit by more than rounding."""
        return self.upper < limit - _NOTHING


@dataclass(frozen=True, slots=True)
class SignFlip:
    """The check: the share of sign patterns that put the mean as far from the margin, on this side, as it was seen.

    With `resamples` random patterns 1 is added to both counts (Phipson and Smyth 2010), so that p is never 0; where
    there are fewer patterns than that, each is looked at once.
    """

    p: float
    side: Literal["above", "below"]
    resamples: int


@dataclass(frozen=True, slots=True)
class More:
    """How many more queries give "non-inferior" with 80 % power, as `needed` reckons.

    `if_equal` is where the two columns are truly equal, which is what one plans with; 0 where there are as many
    already. `as_observed` is where the difference is truly the observed one, and None where that is no better than the
    margin, or so near to it that more than 10,000 would be needed: then more queries are not expected to help.
    """

    if_equal: int
    as_observed: int | None

    @property
    def hopeless(self) -> bool:
        """Whether the observed difference leaves nothing to hope for from more queries."""
        return self.as_observed is None


def paired(differences: Sequence[float] | npt.NDArray[np.float64], confidence: float) -> Estimate:
    """The mean of one difference per query, with Student's interval. Equal differences have an interval of no width.

    Raises:
        ValueError: fewer than two differences.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.size < 2:
        raise ValueError("One difference has no interval.")
    if np.ptp(values) < _NOTHING:
        return estimate(float(values[0]), 0.0, values.size - 1, values.size, confidence)
    error = float(values.std(ddof=1)) / sqrt(values.size)
    return estimate(float(values.mean()), error, values.size - 1, values.size, confidence)


def guarded(differences: Sequence[float] | npt.NDArray[np.float64], confidence: float) -> tuple[Estimate, Estimate]:
    """The mean with one more query that lost all that a metric can, −1, and with one that won as much, 1, each with
    the degrees of freedom of its tails."""
    lost, won = (np.array([*differences, extreme], dtype=np.float64) for extreme in (-1.0, 1.0))
    return _with_tails(lost, confidence), _with_tails(won, confidence)


def freedom(values: npt.NDArray[np.float64]) -> float:
    """The degrees of freedom that the variance of so many values has, given their tails: no more than n − 1.

    2 / (2/(n − 1) + κ/n), where κ is the excess kurtosis: a χ² of so many has the mean and the variance that the
    sample's variance has (Satterthwaite 1946; its variance is O'Neill 2014, result 3). With rare great losses the
    variance that was seen says little, and Student's n − 1 would be too sure of it.
    """
    usual = values.size - 1
    if usual < 2:
        return usual
    centred = values - values.mean()
    second = float(np.mean(centred**2))
    excess = float(np.mean(centred**4)) / second**2 - 3 if second else 0.0
    return _tailed(usual, excess)


def _tailed(usual: float, excess: float) -> float:
    return min(usual, max(_FREEDOM, 2 / (2 / usual + max(0.0, excess) / (usual + 1))))


def _with_tails(values: npt.NDArray[np.float64], confidence: float) -> Estimate:
    error = float(values.std(ddof=1)) / sqrt(values.size)
    return estimate(float(values.mean()), error, freedom(values), values.size, confidence)


def estimate(mean: float, error: float, freedom: float, n: int, confidence: float) -> Estimate:
    """A mean with the bounds that its standard error gives it."""
    from scipy import stats

    reach = float(stats.t.ppf(confidence, freedom)) * error if error else 0.0
    return Estimate(mean, error, freedom, n, mean - reach, mean + reach, confidence)


def sign_flip(
    parts: npt.NDArray[np.float64], side: Literal["above", "below"], seed: int, resamples: int = RESAMPLES
) -> SignFlip:
    """Test whether the sum of what the queries add to the distance from the margin is above (below) 0.

    `parts` has one value per query: its difference plus the margin, times its weight. Work: n · resamples signs.
    """
    from scipy import stats

    moved = np.where(np.abs(parts) < _NOTHING, 0.0, parts)
    if not moved.any():
        return SignFlip(1.0, side, resamples)
    found = stats.permutation_test(
        (moved,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, 1_000_000 // moved.size),
        alternative="greater" if side == "above" else "less",
        rng=np.random.default_rng(seed),
    )
    return SignFlip(float(found.pvalue), side, min(resamples, 2**moved.size))


def needed(
    spread: float, margin: float, confidence: float, power: float = POWER, *, mean: float = 0.0, reach: float = 1.0
) -> int:
    """Queries that show with this power that a mean is above −margin, also with one more query that lost everything.

    `mean` is what the mean truly is, and has to be above −margin; `spread` is the standard deviation of single queries.
    `reach` is how far the lost query is from the mean, times how much more than others it weighs. By the normal
    approximation, but with Student's t for the bound, and its degrees of freedom as `freedom` takes them.
    """
    from scipy import stats

    chance = float(stats.norm.ppf(power)) * spread

    def enough(n: int) -> bool:
        error = sqrt(((n - 1) * spread**2 + reach**2 * n / (n + 1)) / n / (n + 1))
        unlucky = mean - (reach + chance * sqrt(n)) / (n + 1)
        return bool(unlucky - float(stats.t.ppf(confidence, _tailed(n, excess(n)))) * error > -margin)

    def excess(n: int) -> float:
        """Of n normal values and one that is `reach` below their mean."""
        one = 1 / (n + 1)
        near, far = reach * one, reach * (1 - one)
        second = (1 - one) * (spread**2 + near**2) + one * far**2
        fourth = (1 - one) * (3 * spread**4 + 6 * spread**2 * near**2 + near**4) + one * far**4
        return fourth / second**2 - 3 if second else 0.0

    few, many = 1, 2
    while not enough(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def more(found: Estimate, margin: float, reach: float = 1.0) -> More:
    """How many more queries a mean that decided nothing is short of; `reach` as in `needed`, from where it is now."""
    if_equal = needed(found.spread, margin, found.confidence, reach=reach) - found.n
    if margin + found.mean < _NEAR:
        return More(max(0, if_equal), None)
    as_observed = max(1, needed(found.spread, margin, found.confidence, mean=found.mean, reach=reach) - found.n)
    return More(max(0, if_equal), as_observed if as_observed <= _MOST else None)
