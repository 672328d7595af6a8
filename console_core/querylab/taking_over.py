"""A column's least score, taken over to another column for one question: as many pictures of the sample score as high.

Two collections of the same pictures have the same sample (see `calibration`), so the two columns' scores of it are
paired. It is about one question only; `thresholds` translates by all questions of a query set.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from console_core.querylab.calibration import Sample
from console_core.querylab.threshold_fits import Numbers, volume_threshold
from console_core.querylab.threshold_interval import interval
from console_core.vectorstore.distances import scores
from console_core.vectorstore.types import PointId, Vector

FEWEST = 40
"""Pictures that both samples must have."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The least score of another column that as many pictures of the sample reach, between `low` and `high` with a
    confidence of 95 %; all three are None where `problem` says why there is none. `sampled` pictures are in both
    samples, and `passing` of them reach the old least score."""

    threshold: float | None
    low: float | None
    high: float | None
    passing: int
    sampled: int
    problem: str = ""


def taken_over(old: Sample, old_query: Vector, threshold: float, new: Sample, new_query: Vector) -> TakenOver:
    """`threshold` of the old column, in the new one. Queries have length 1, and are what each column was asked.

    The interval is that of the number of answers, with pictures in the place of queries: a paired test of whether as
    many pass, inverted (see `threshold_interval`). Pictures of only one of the samples are left out.
    """
    kept = set(old.ids) & set(new.ids)
    before, after = (_numbers(sample, query, kept) for sample, query in ((old, old_query), (new, new_query)))
    passing = int(np.sum(before.scores >= threshold))
    found = volume_threshold(before, after, threshold, np.ones(len(kept)))
    found = None if found is None else _shortest(found, after.scores)
    problem = ""
    if len(kept) < FEWEST:
        problem = f"The samples have {len(kept)} pictures in common, and {FEWEST} are needed."
    elif not passing or found is None:
        problem = (
            "No picture of the sample scores as high." if not passing else "All pictures of the sample score less."
        )
    ends = None if problem or found is None else interval(before, after, threshold, "volume", 0.95, fewest=1)
    if ends is None or found is None:
        problem = (
            problem or f"{passing} of {len(kept):,} pictures of the sample score as high: the interval has no end."
        )
        return TakenOver(None, None, None, passing, len(kept), problem)
    return TakenOver(found, min(ends[0], found), max(ends[1], found), passing, len(kept))


def _shortest(threshold: float, scores: NDArray[np.float64]) -> float:
    """A threshold of as few digits as let the same scores through."""
    shorter = (float(f"{threshold:.{digits}g}") for digits in range(2, 17))
    passing = np.sum(scores >= threshold)
    return next((one for one in shorter if np.sum(scores >= one) == passing), threshold)


def _numbers(sample: Sample, query: Vector, kept: set[PointId]) -> Numbers:
    """One answer of each picture, in the same places in both samples."""
    told = dict(zip(sample.ids, scores(sample.vectors, query, sample.distance).tolist(), strict=True))
    of_each: NDArray[np.float64] = np.array([told[one] for one in sorted(kept, key=str)], dtype=np.float64)
    order = np.argsort(-of_each, kind="stable")
    none = np.zeros(len(order), dtype=np.bool_)
    return Numbers(of_each[order], order, ~none, none, of_each)
