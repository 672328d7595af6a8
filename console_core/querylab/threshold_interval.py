"""Between which thresholds of a new column the true one lies: those that a paired test over queries does not reject.

For each threshold that the new column's scores allow, the difference from the old column (in precision, or in answers a
query) is tested by Student's t over queries, because answers of one query hang together; the interval is what passes,
as Fieller's is for a ratio (1954, "Some Problems in Interval Estimation"). A precision is a ratio of two means over
queries, whose variance is that of its linearised residuals (Cochran 1977, "Sampling Techniques", chapter 6). A
percentile bootstrap, by comparison, is too narrow with few queries, and more so at its upper end. Only the order of
the scores counts, and nothing is drawn by chance. `benchmarks.thresholds` measures how often it holds the truth.
"""

import numpy as np
from numpy.typing import NDArray

from console_core.querylab.threshold_fits import Floats, Numbers, runs

FEWEST_TESTED = 30
"""Answers that a threshold lets through before it is tested: a variance from fewer is not to be relied on."""


def interval(
    before: Numbers,
    after: Numbers,
    threshold: float,
    basis: str,
    confidence: float,
    *,
    fewest: int = FEWEST_TESTED,
) -> tuple[float, float] | None:
    """The lowest and the highest threshold of `after` that is not rejected for keeping what `before` has from
    `threshold` on; `basis` is "precision" or "volume". Thresholds that let fewer than `fewest` answers through are not
    tested. Both ends are scores of `after`. None where an end is not found among its answers, or all are rejected.
    Time and memory grow with the answers alone.
    """
    from scipy.special import stdtrit  # a part of what `scipy.stats` would take two seconds to import

    counted = after.judged if basis == "precision" else np.ones(len(after.scores), dtype=np.bool_)
    query, scores = after.query[counted], after.scores[counted]
    if before.queries < 2 or not len(scores):
        return None
    distinct, ends = runs(scores)
    if basis == "precision":
        difference, squares = _precisions(before, threshold, query, after.relevant[counted])
    else:
        difference, squares = _volumes(before, threshold, query)
    queries = before.queries
    error = np.sqrt(np.maximum(squares, 0) / (queries * (queries - 1)))
    passes = np.abs(difference) <= stdtrit(queries - 1, (1 + confidence) / 2) * error + 1e-12
    passes = passes[ends]
    tested = ends + 1 >= min(fewest, len(scores))
    within = np.flatnonzero(passes & tested)
    if not len(within) or within[0] == np.flatnonzero(tested)[0] or within[-1] == len(distinct) - 1:
        return None
    return float(distinct[within[-1] + 1]), float(distinct[within[0]])


def _volumes(before: Numbers, threshold: float, query: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """After each answer, the difference in answers a query, and the sum of squares of its deviations."""
    old = _per_query(before, before.scores >= threshold)
    earlier = _earlier(query, np.ones(len(query)))
    squares = np.cumsum(2 * earlier + 1 - 2 * old[query]) + float(old @ old)
    mean = (np.arange(1, len(query) + 1) - old.sum()) / before.queries
    return mean, squares - before.queries * mean**2


def _precisions(
    before: Numbers, threshold: float, query: NDArray[np.intp], relevant: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """After each judged answer, the difference in precision, and the sum of squares of its linearised residuals."""
    from_there = before.scores >= threshold
    judged, found = _per_query(before, from_there & before.judged), _per_query(before, from_there & before.relevant)
    total = max(float(judged.sum()), 1.0)
    queries = before.queries
    old = float(found.sum()) / total
    residual = (found - old * judged) * queries / total
    hit = relevant.astype(np.float64)
    n, h = _earlier(query, np.ones(len(query))), _earlier(query, hit)
    answers, hits = np.arange(1, len(query) + 1, dtype=np.float64), np.cumsum(hit)
    new = hits / answers
    of_hits, of_both, of_answers = np.cumsum(hit * (2 * h + 1)), np.cumsum(h + hit * (n + 1)), np.cumsum(2 * n + 1)
    own = of_hits - 2 * new * of_both + new**2 * of_answers
    shared = np.cumsum(hit * residual[query]) - new * np.cumsum(residual[query])
    scale = queries / answers
    return new - old, own * scale**2 - 2 * shared * scale + float(residual @ residual)


def _per_query(numbers: Numbers, which: NDArray[np.bool_]) -> Floats:
    return np.bincount(numbers.query[which], minlength=numbers.queries).astype(np.float64)


def _earlier(query: NDArray[np.intp], values: Floats) -> Floats:
    """For each answer, the sum of values of earlier answers of the same query."""
    order = np.argsort(query, kind="stable")
    sums = np.cumsum(values[order]) - values[order]
    starts = np.flatnonzero(np.diff(query[order], prepend=-1))
    sums -= np.repeat(sums[starts], np.diff(np.append(starts, len(query))))
    told = np.empty(len(query))
    told[order] = sums
    return told
