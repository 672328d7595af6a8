"""Thresholds over the answers of many queries: how precise one is and how many answers it has, and the other way round.

Queries have weights, so that a half of a query set is the same answers with other weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from console_core.querylab.rankings import Grades

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The answers of all queries in one list of n, scores from high to low.

    `query` is each answer's place among the `queries`; `last` is the lowest score that each query's answers have,
    infinite where it has none.
    """

    scores: Floats
    query: NDArray[np.intp]
    judged: NDArray[np.bool_]
    relevant: NDArray[np.bool_]
    last: Floats

    @classmethod
    def of(
        cls,
        answers: Mapping[str, Sequence[tuple[str, float]]],
        ids: Sequence[str],
        grades: Grades | None,
        relevant: int,
    ) -> Self:
        """Answers of these queries; one of a grade of at least `relevant` is relevant."""
        rows = [
            (score, place, (grades or {}).get(query, {}).get(key))
            for place, query in enumerate(ids)
            for key, score in answers[query]
        ]
        rows.sort(key=lambda row: (-row[0], row[1]))
        last = [min((score for _, score in answers[query]), default=np.inf) for query in ids]
        return cls(
            np.array([score for score, _, _ in rows], dtype=np.float64),
            np.array([place for _, place, _ in rows], dtype=np.intp),
            np.array([grade is not None for _, _, grade in rows], dtype=np.bool_),
            np.array([grade is not None and grade >= relevant for _, _, grade in rows], dtype=np.bool_),
            np.array(last, dtype=np.float64),
        )

    @property
    def queries(self) -> int:
        return len(self.last)

    def volume(self, threshold: float) -> float:
        """Answers a query from a threshold on."""
        return float(np.sum(self.scores >= threshold) / max(self.queries, 1))

    def cut_short(self, threshold: float) -> float:
        """The share of queries whose answers all reach the threshold, so that deeper ones may reach it too."""
        return float(np.mean(np.isfinite(self.last) & (self.last >= threshold))) if self.queries else 0.0


def precision_from(numbers: Numbers, threshold: float, weights: Floats) -> float | None:
    """The share of relevant ones among judged answers from a threshold on; None where none is judged."""
    counted = weights[numbers.query] * (numbers.judged & (numbers.scores >= threshold))
    total = float(counted.sum())
    return float(counted[numbers.relevant].sum()) / total if total else None


def judged_threshold(before: Numbers, after: Numbers, threshold: float, weights: Floats) -> float | None:
    """The lowest threshold of `after` from which on it is as precise as `before` is from `threshold` on, by its
    isotonic fit; None where it never is. Where even its last answer leaves it more precise, that answer's score."""
    from scipy.optimize import isotonic_regression  # takes two seconds to import

    wanted = precision_from(before, threshold, weights)
    counted = weights[after.query] * after.judged
    used = counted > 0
    if wanted is None or not used.any():
        return None
    scores, counts = after.scores[used], counted[used]
    distinct, ends = runs(scores)
    weight = np.diff(np.concatenate(([0.0], np.cumsum(counts)[ends])))
    hits = np.diff(np.concatenate(([0.0], np.cumsum(counts * after.relevant[used])[ends])))
    fit = isotonic_regression(hits / weight, weights=weight, increasing=False).x
    precision = np.cumsum(fit * weight) / np.cumsum(weight)
    return _between(distinct, int(np.sum(precision >= wanted - 1e-12)))


def volume_threshold(before: Numbers, after: Numbers, threshold: float, weights: Floats) -> float | None:
    """The threshold of `after` that lets as many answers through as `threshold` does of `before`; None where it has
    fewer. Where equal scores leave a choice, the number that is nearer.
    """
    wanted = float(weights[before.query[before.scores >= threshold]].sum())
    counted = weights[after.query]
    used = counted > 0
    if not used.any() or float(counted.sum()) < wanted:
        return None
    distinct, ends = runs(after.scores[used])
    volume = np.cumsum(counted[used])[ends]
    first = int(np.searchsorted(volume, wanted))
    nearer_without = first > 0 and wanted - volume[first - 1] < volume[first] - wanted
    return _between(distinct, first + (not nearer_without))


def runs(scores: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The distinct scores from high to low, and where each one's run ends."""
    ends = np.flatnonzero(np.concatenate((scores[1:] != scores[:-1], [True])))
    return scores[ends], ends


def _between(scores: Floats, passed: int) -> float | None:
    """A threshold that lets the first `passed` of distinct scores through: halfway to the next one, or the last."""
    if passed == 0:
        return None
    if passed == len(scores):
        return float(scores[-1])
    return float((scores[passed - 1] + scores[passed]) / 2)
