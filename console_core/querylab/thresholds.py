"""Which threshold of a new column does what an application's does in the old one: as precise, or as many answers.

A raw score means nothing in another model, so the new threshold is found from what both columns answered to one query
set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from console_core.querylab.rankings import Grades
from console_core.querylab.threshold_fits import Numbers, judged_threshold, precision_from, volume_threshold
from console_core.querylab.threshold_interval import interval

Scored = Mapping[str, Sequence[tuple[str, float]]]
"""A column's answers for each query id: picture key and score, best first, as deep as it was asked."""
Basis = Literal["precision", "volume"]

FEWEST_QUERIES = 20
"""Queries below which no threshold is proposed: what an interval from fewer holds was not measured."""
FEWEST_ANSWERS = 100
"""Judged answers that each column needs above its threshold, or answers where nothing is judged."""
JUDGED = 0.9
"""The share of each column's answers above its threshold that must be judged: what nobody saw is not irrelevant."""
CUT_SHORT = 0.1
"""The share of queries whose answers may all lie above the threshold, so that there may have been more of them."""
CONFIDENCE, SEED = 0.95, 20_261


@dataclass(frozen=True, slots=True)
class Translation:
    """A threshold of the new column that does what `old` does in the old one, or why there is none.

    `new` lies between `low` and `high` with `confidence`; all three are None where `problems` says why no threshold is
    proposed. `basis` is what was kept. Precisions are shares of the judged answers from a threshold on, None without
    judgments; volumes are answers a query. `held_out` is how far the new precision was off the old one, in points of
    percent, where the threshold was found on one half of the queries and measured on the other, the mean of both ways
    round; None without judgments.
    `judged` counts judged answers of both columns together. `seed` drew the halves; nothing else is drawn by chance.
    """

    basis: Basis
    old: float
    new: float | None
    low: float | None
    high: float | None
    confidence: float
    queries: int
    judged: int
    old_precision: float | None
    new_precision: float | None
    old_volume: float
    new_volume: float | None
    held_out: float | None
    seed: int
    problems: tuple[str, ...] = ()


def translate(
    old: Scored,
    new: Scored,
    threshold: float,
    grades: Grades | None = None,
    *,
    relevant: int = 1,
    confidence: float = CONFIDENCE,
    seed: int = SEED,
) -> Translation:
    """The new column's threshold for an old one of `threshold`; an answer counts from its column's threshold on.

    With grades it keeps the precision: the share of relevant ones (grade `relevant` or better) among judged answers of
    all queries together. How relevance rises with the new score is fitted by isotonic regression (Zadrozny and Elkan
    2002, "Transforming Classifier Scores into Accurate Multiclass Probability Estimates"), so that precision rises
    with the threshold and meets the old one once; where nothing is graded it says so and proposes none. With None for
    grades it keeps the number of answers. The interval is what a paired test over queries does not reject (see
    `threshold_interval`). Only queries that both columns have are used. The same input gives the same bits.
    """
    ids = sorted(old.keys() & new.keys())
    before, after = Numbers.of(old, ids, grades, relevant), Numbers.of(new, ids, grades, relevant)
    basis: Basis = "volume" if grades is None else "precision"
    find = volume_threshold if grades is None else judged_threshold
    ones = np.ones(len(ids))
    found = find(before, after, threshold, ones)
    problems = _problems(before, after, threshold, found, basis)
    low = high = None
    if found is not None and not problems:
        ends = interval(before, after, threshold, basis, confidence)
        if ends is None:
            problems = ("The queries differ so much that the interval has no end: judge more of them.",)
            if basis == "volume":
                problems = ("The queries differ so much that the interval has no end: ask more of them.",)
        else:
            low, high = min(ends[0], found), max(ends[1], found)
    told = found if not problems else None
    return Translation(
        basis=basis,
        old=threshold,
        new=told,
        low=low,
        high=high,
        confidence=confidence,
        queries=len(ids),
        judged=int(before.judged.sum() + after.judged.sum()),
        old_precision=precision_from(before, threshold, ones) if basis == "precision" else None,
        new_precision=precision_from(after, told, ones) if basis == "precision" and told is not None else None,
        old_volume=before.volume(threshold),
        new_volume=None if told is None else after.volume(told),
        held_out=_held_out(before, after, threshold, seed) if basis == "precision" and told is not None else None,
        seed=seed,
        problems=problems,
    )


def _held_out(before: Numbers, after: Numbers, threshold: float, seed: int) -> float | None:
    """Off the old precision by so many points, either way, the mean over both halves of the queries."""
    halves = np.random.default_rng(seed).permutation(before.queries) % 2
    off = []
    for half in (0, 1):
        fitted, measured = (halves == half).astype(np.float64), (halves != half).astype(np.float64)
        cut = judged_threshold(before, after, threshold, fitted)
        told = precision_from(before, threshold, measured)
        got = None if cut is None else precision_from(after, cut, measured)
        if told is None or got is None:
            return None
        off.append(abs(got - told))
    return float(100 * np.mean(off))


def _problems(before: Numbers, after: Numbers, threshold: float, found: float | None, basis: Basis) -> tuple[str, ...]:
    """Why no threshold is proposed, in sentences; empty where one is."""
    if before.queries < FEWEST_QUERIES:
        return (f"There are {before.queries} queries that both columns answered, and {FEWEST_QUERIES} are needed.",)
    said = list(_too_little("old", before, threshold, basis))
    if not said and found is None:
        kept = "as precise as the old one's" if basis == "precision" else "as many"
        said = [f"The new column's answers are never {kept} from any threshold on."]
    if found is not None:
        said += _too_little("new", after, found, basis)
    return tuple(said)


def _too_little(which: str, numbers: Numbers, threshold: float, basis: Basis) -> list[str]:
    answers = numbers.scores >= threshold
    judged = int(numbers.judged[answers].sum())
    enough = judged if basis == "precision" else int(answers.sum())
    said = []
    if enough < FEWEST_ANSWERS:
        what = "judged answers" if basis == "precision" else "answers"
        said.append(f"The {which} column has {enough} {what} from its threshold on, and {FEWEST_ANSWERS} are needed.")
    elif basis == "precision" and judged < JUDGED * answers.sum():
        said.append(
            f"Of the {which} column's answers from its threshold on {judged / answers.sum():.0%} are judged, and "
            f"{JUDGED:.0%} are needed."
        )
    short = numbers.cut_short(threshold)
    if short > CUT_SHORT:
        said.append(
            f"For {short:.0%} of the queries all answers of the {which} column lie above its threshold, so that there "
            "may be more: ask for more answers."
        )
    return said
