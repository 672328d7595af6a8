"""Findings that nobody fixed in advance: by tag, and by further metrics. They say where to look, and decide nothing.

Many are looked at, so some differ by chance alone: each p is corrected by Benjamini and Hochberg (1995), within its
table. A slice of fewer than ten queries shows its mean, and no finding. A slice is a mean over all its queries, as the
verdict is over all: those that are known to differ by nothing are in it, and each drawn one weighs what it stands for.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from console_core.judging.estimate import Estimate, paired
from console_core.judging.metrics import Scores
from console_core.judging.protocol import FEWEST, Metric
from console_core.judging.sampling import Sample, Stratum, reweighted
from console_core.querylab.rankings import Query

Finding = Literal["lower", "higher", "not told apart", "too few"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The mean difference B − A over some queries; exploratory.

    `name` is the tag, or the metric. `n` queries are in it: where not all that need a judge were drawn, the drawn ones,
    which stand for the others. `estimate` has two-sided bounds of the confidence asked for, and is None where there are
    fewer than ten queries, or too few of a stratum; so are `p`, two-sided, and `adjusted`, the same corrected within
    its table. `finding` says where B is, from `adjusted`.
    """

    name: str
    n: int
    mean: float
    estimate: Estimate | None
    p: float | None
    adjusted: float | None
    finding: Finding


def by_tag(
    sample: Sample, differences: Mapping[str, float], queries: Sequence[Query], confidence: float = 0.95
) -> list[Slice]:
    """A slice for each tag, by name, of the queries that a sample stands for. A query may have several tags. A tag of
    all of them is no slice: it says what the verdict says, and is no further look.

    Raises:
        KeyError: a drawn query has no difference.
    """
    tags: dict[str, set[str]] = {}
    for query in queries:
        tags.setdefault(query.id, set()).update(query.tags)
    parts = sorted(parts_by_tag(sample, tags).items())
    slices = (_of(tag, part, differences, confidence) for tag, part in parts if part.population < sample.population)
    return _corrected([found for found in slices if found is not None], confidence)


def parts_by_tag(sample: Sample, tags: Mapping[str, Collection[str]]) -> dict[str, Sample]:
    """For each tag what `Sample.among` gives for its queries; all of them in one pass, since a set of queries may have
    as many tags."""
    queue, known = _by_tag(sample.queue, tags), _by_tag(sample.known, tags)
    strata: dict[str, list[Stratum]] = {}
    for stratum in sample.strata:
        drawn, left = _by_tag(stratum.drawn, tags), _by_tag(stratum.left, tags)
        for tag in drawn.keys() | left.keys():
            part = tuple(drawn.get(tag, ())), tuple(left.get(tag, ()))
            strata.setdefault(tag, []).append(Stratum(sum(map(len, part)), *part, stratum.most))
    return {
        tag: Sample(tuple(queue.get(tag, ())), tuple(strata.get(tag, ())), tuple(known.get(tag, ())))
        for tag in strata.keys() | known.keys()
    }


def _by_tag(queries: Sequence[str], tags: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for query in queries:
        for tag in tags.get(query, ()):
            found.setdefault(tag, []).append(query)
    return found


def by_metric(
    sample: Sample, a: Mapping[str, Scores], b: Mapping[str, Scores], primary: Metric, confidence: float = 0.95
) -> list[Slice]:
    """A slice for each metric but the primary one; drawn queries without scores of both columns differ by nothing."""
    others = [metric for metric in get_args(Metric) if metric != primary]
    nothing = dict.fromkeys(sample.queue, 0.0)
    apart = (
        nothing | {query: b[query].of(metric) - a[query].of(metric) for query in a.keys() & b.keys()}
        for metric in others
    )
    slices = (_of(name, sample, values, confidence) for name, values in zip(others, apart, strict=True))
    return _corrected([found for found in slices if found is not None], confidence)


def table(groups: Mapping[str, Sequence[float]], confidence: float) -> list[Slice]:
    """One slice for each group of differences, in their order, each p corrected for how many there are."""
    return _corrected([_plain(name, values, confidence) for name, values in groups.items() if values], confidence)


def _of(name: str, sample: Sample, differences: Mapping[str, float], confidence: float) -> Slice | None:
    """The slice that a sample stands for; None where nothing of it is known."""
    if sample.everything:
        values = [differences[query] for query in sample.queue] + [0.0] * len(sample.known)
        return _plain(name, values, confidence) if values else None
    if not sample.queue:
        return None
    if len(sample.queue) < FEWEST or sample.thin:
        weights = sample.weights
        whole = sum(weights.values()) + len(sample.known) / sample.population
        mean = sum(differences[query] * weight for query, weight in weights.items()) / whole
        return Slice(name, len(sample.queue), mean, None, None, None, "too few")
    return _tested(name, reweighted(sample, differences, (1 + confidence) / 2, beyond=True))


def _plain(name: str, values: Sequence[float], confidence: float) -> Slice:
    if len(values) < FEWEST:
        return Slice(name, len(values), float(np.mean(values)), None, None, None, "too few")
    return _tested(name, paired(values, (1 + confidence) / 2))


def _tested(name: str, found: Estimate) -> Slice:
    above = found.p_above(0)
    below = replace(found, mean=-found.mean).p_above(0)
    return Slice(name, found.n, found.mean, found, min(1.0, 2 * min(above, below)), None, "not told apart")


def _corrected(found: list[Slice], confidence: float) -> list[Slice]:
    from scipy import stats

    tested = [each.p for each in found if each.p is not None]
    if not tested:
        return found
    adjusted = iter(stats.false_discovery_control(tested))
    return [each if each.p is None else _told(each, float(next(adjusted)), confidence) for each in found]


def _told(found: Slice, adjusted: float, confidence: float) -> Slice:
    if adjusted > 1 - confidence:
        return replace(found, adjusted=adjusted)
    return replace(found, adjusted=adjusted, finding="lower" if found.mean < 0 else "higher")
