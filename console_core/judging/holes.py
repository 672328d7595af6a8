"""Pictures that nobody judged: how many, on which side, and how far they could move the result. Pure.

A metric counts what was not judged as irrelevant. Where judges saw one column's pictures and not the other's, that
alone makes the other look worse; so a verdict is given only where both columns were judged nearly wholly and alike.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from math import comb, log2
from statistics import fmean

import numpy as np
import numpy.typing as npt

from console_core.judging.metrics import judged, top
from console_core.judging.protocol import Protocol
from console_core.querylab.rankings import Grades, Ranking, Rankings

_MOST = 20_000
"""Ways to grade the unjudged pictures of one query that are looked at."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Judged:
    """How much of one column was judged, over the queries in which the two columns differ; shares, 1 where none do.

    `at_k` is Judged@k, the mean of each query's share of its first k. `own` is the share of those pictures that only
    this column shows, over all queries: what the two columns share says nothing about which of them was looked at.
    """

    at_k: float
    own: float
    missing: int


def judged_of(rankings: Rankings, other: Rankings, grades: Grades, queries: Iterable[str], k: int) -> Judged:
    """How much of a column's first k was judged, in these queries."""
    shares, own, own_judged, missing = [], 0, 0, 0
    for query in queries:
        shown, given = top(rankings[query], k), grades.get(query, {})
        shares.append(judged(shown, given))
        alone = set(shown).difference(top(other[query], k))
        own += len(alone)
        own_judged += sum(key in given for key in alone)
        missing += sum(key not in given for key in shown)
    return Judged(fmean(shares) if shares else 1.0, own_judged / own if own else 1.0, missing)


def bounds(a: Ranking, b: Ranking, given: Mapping[str, int], protocol: Protocol) -> tuple[float, float]:
    """The lowest and highest B − A of one query, over all grades that its unjudged pictures could have been given.

    Exact, for pictures of either column's first k; all others are taken for irrelevant, as the metric does. Where a
    query has so many unjudged pictures that there are too many ways, it is the widest that can be: −1 and 1.
    """
    in_a, in_b = _places(a, protocol.k), _places(b, protocol.k)
    unjudged = [key for key in in_a | in_b if key not in given]
    if protocol.metric == "RR":
        return _reciprocal(in_a, in_b, unjudged, given, protocol)
    steps = [1.0]
    levels = [protocol.relevant]
    if protocol.metric == "nDCG":
        worth = protocol.gains
        levels = list(range(1, protocol.highest + 1))
        steps = [float(worth[level] - worth[level - 1]) for level in levels]
    if comb(len(unjudged) + len(levels), len(levels)) > _MOST:
        return -1.0, 1.0

    def pull(key: str) -> float:
        return _weight(in_b.get(key), protocol) - _weight(in_a.get(key), protocol)

    pulls = np.sort(np.array([pull(key) for key in unjudged], dtype=np.float64))
    sizes = _nested(len(unjudged), len(levels))
    lowest, highest = np.zeros(len(sizes)), np.zeros(len(sizes))
    ideal = np.zeros(len(sizes))
    rising = np.concatenate(([0.0], np.cumsum(pulls)))
    falling = np.concatenate(([0.0], np.cumsum(pulls[::-1])))
    best = _ideal(len(given) + len(unjudged), protocol)
    for place, (level, step) in enumerate(zip(levels, steps, strict=True)):
        already = [key for key, grade in given.items() if grade >= level]
        fixed = sum(pull(key) for key in already)
        lowest += step * (fixed + rising[sizes[:, place]])
        highest += step * (fixed + falling[sizes[:, place]])
        ideal += step * best[len(already) + sizes[:, place]]
    divisor = np.where(ideal > 0, ideal, 1.0)
    return float(np.min(lowest / divisor)), float(np.max(highest / divisor))


def stakes(a: Ranking, b: Ranking, protocol: Protocol) -> float:
    """How far the metric of two rankings can differ in one query, 0 to 1, whatever grades its pictures are given.

    Exact, like `bounds` where nothing was judged, and quicker: a metric is a sum over grades divided by another, and
    such a quotient is nowhere farther from 0 than where only one of the grades is given (the mediant inequality).
    """
    if protocol.metric == "RR":
        low, high = bounds(a, b, {}, protocol)
        return max(-low, high)
    in_a, in_b = _places(a, protocol.k), _places(b, protocol.k)
    weights = [(_weight(in_a.get(key), protocol), _weight(in_b.get(key), protocol)) for key in in_a | in_b]
    pulls = np.sort([of_b - of_a for of_a, of_b in weights])
    sums = np.maximum(np.cumsum(pulls[::-1]), -np.cumsum(pulls))
    return float(np.max(sums / _ideal(len(pulls), protocol)[1:], initial=0.0))


def _places(ranking: Ranking, k: int) -> dict[str, int]:
    return {key: rank for rank, key in enumerate(top(ranking, k), start=1)}


def _weight(rank: int | None, protocol: Protocol) -> float:
    """What a relevant picture at a rank adds to a metric before it is divided."""
    if rank is None:
        return 0.0
    return 1 / log2(rank + 1) if protocol.metric == "nDCG" else 1.0


def _ideal(pictures: int, protocol: Protocol) -> Floats:
    """What a metric divides by, where so many pictures are relevant, from none to all."""
    count = np.arange(pictures + 1)
    if protocol.metric == "P":
        return np.full(pictures + 1, float(protocol.k))
    if protocol.metric == "Recall":
        return count.astype(np.float64)
    ranks = np.arange(1, pictures + 1)
    return np.concatenate(([0.0], np.cumsum(np.where(ranks <= protocol.k, 1 / np.log2(ranks + 1), 0.0))))


@lru_cache(maxsize=64)
def _nested(pictures: int, levels: int) -> npt.NDArray[np.int64]:
    """Every way to have so many pictures at or above each level, the lowest level first.

    Which pictures they are needs no search: for given numbers the divisor is fixed, and what is divided is lowest where
    those that pull most towards A have the best grades.
    """
    found = np.array(list(combinations_with_replacement(range(pictures, -1, -1), levels)), dtype=np.int64)
    found.setflags(write=False)
    return found


def _reciprocal(
    in_a: Mapping[str, int], in_b: Mapping[str, int], unjudged: list[str], given: Mapping[str, int], protocol: Protocol
) -> tuple[float, float]:
    def lowest(mine: Mapping[str, int], other: Mapping[str, int]) -> float:
        """Of `mine` − `other`: all that only the other has is relevant, and at most one that both have."""
        sure = [key for key, grade in given.items() if grade >= protocol.relevant]
        sure += [key for key in unjudged if key not in mine]
        both = [key for key in unjudged if key in mine and key in other]
        return min(_first(mine, [*sure, *one]) - _first(other, [*sure, *one]) for one in ([], *([key] for key in both)))

    return lowest(in_b, in_a), -lowest(in_a, in_b)


def _first(places: Mapping[str, int], relevant: Iterable[str]) -> float:
    ranks = [places[key] for key in relevant if key in places]
    return 1 / min(ranks) if ranks else 0.0
