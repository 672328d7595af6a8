"""A mean over queries with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES, CONFIDENCE, SEED = 2000, 0.95, 20_261
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Effect:
    """The mean of one number a query, and the interval that it lies in with 95 % confidence; 0 to 0 of no queries.

    A percentile bootstrap over queries (Efron and Tibshirani 1993, chapter 13), seeded, so that the same numbers give
    the same bits. It is for showing; a verdict between models has a test of its own.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float] | NDArray[np.float64], *, seed: int = SEED) -> "Effect":
        """Of the numbers of all queries."""
        numbers = np.asarray(values, dtype=np.float64)
        if not len(numbers):
            return cls(0.0, 0.0, 0.0)
        random = np.random.default_rng(seed)
        places = (random.integers(len(numbers), size=(_AT_ONCE, len(numbers))) for _ in range(RESAMPLES // _AT_ONCE))
        means = np.concatenate([numbers[some].mean(axis=1) for some in places])
        tail = (1 - CONFIDENCE) / 2
        low, high = np.quantile(means, [tail, 1 - tail])
        return cls(float(numbers.mean()), float(low), float(high))

    def is_loss(self, tolerance: float) -> bool:
        """Whether something is lost for certain, and on average at least the tolerance."""
        return self.high < 0 and self.mean <= -tolerance
