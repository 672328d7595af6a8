"""Findings that nobody fixed in advance: by tag, and by further metrics. They say where to look, and decide nothing.

Many are looked at, so some differ by chance alone: each p is corrected by Benjamini and Hochberg (1995), within its
table. A slice of fewer than ten queries shows its mean, and no finding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from console_core.judging.estimate import Estimate, paired
from console_core.judging.metrics import Scores
from console_core.judging.protocol import FEWEST, Metric
from console_core.querylab.rankings import Query

Finding = Literal["lower", "higher", "not told apart", "too few"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The mean difference B − A over some queries; exploratory.

    `name` is the tag, or the metric. `estimate` has two-sided bounds of the confidence asked for, and is None where
    there are fewer than ten queries; so are `p`, two-sided, and `adjusted`, the same corrected within its table.
    `finding` says where B is, from `adjusted`.
    """

    name: str
    n: int
    mean: float
    estimate: Estimate | None
    p: float | None
    adjusted: float | None
    finding: Finding


def by_tag(differences: Mapping[str, float], queries: Sequence[Query], confidence: float = 0.95) -> list[Slice]:
    """A slice for each tag, by name, of the queries that have a difference. A query may have several tags."""
    groups: dict[str, list[float]] = {}
    for query in queries:
        if query.id in differences:
            for tag in dict.fromkeys(query.tags):
                groups.setdefault(tag, []).append(differences[query.id])
    return table(dict(sorted(groups.items())), confidence)


def by_metric(
    a: Mapping[str, Scores], b: Mapping[str, Scores], primary: Metric, confidence: float = 0.95
) -> list[Slice]:
    """A slice for each metric but the primary one, over the queries that both columns have scores for."""
    both = sorted(a.keys() & b.keys())
    others = (metric for metric in get_args(Metric) if metric != primary)
    return table(
        {metric: [b[query].of(metric) - a[query].of(metric) for query in both] for metric in others}, confidence
    )


def table(groups: Mapping[str, Sequence[float]], confidence: float) -> list[Slice]:
    """One slice for each group of differences, in their order, each p corrected for how many there are."""
    from scipy import stats

    found = [_slice(name, values, confidence) for name, values in groups.items() if values]
    tested = [each.p for each in found if each.p is not None]
    if not tested:
        return found
    adjusted = iter(stats.false_discovery_control(tested))
    return [each if each.p is None else _told(each, float(next(adjusted)), confidence) for each in found]


def _slice(name: str, values: Sequence[float], confidence: float) -> Slice:
    mean = float(np.mean(values))
    if len(values) < FEWEST:
        return Slice(name, len(values), mean, None, None, None, "too few")
    found = paired(values, (1 + confidence) / 2)
    above = found.p_above(0)
    below = replace(found, mean=-found.mean).p_above(0)
    return Slice(name, len(values), mean, found, min(1.0, 2 * min(above, below)), None, "not told apart")


def _told(found: Slice, adjusted: float, confidence: float) -> Slice:
    if adjusted > 1 - confidence:
        return replace(found, adjusted=adjusted)
    return replace(found, adjusted=adjusted, finding="lower" if found.mean < 0 else "higher")
