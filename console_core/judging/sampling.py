"""Which queries are judged, where not all can be: those with more at stake more often, and none wrongly weighed.

A stratified random sample (Cochran 1977, chapter 5): queries whose first k are the same in every column are known to
differ by nothing and need no judge; the others are put into strata by their stakes, how far the metric of two columns
can differ in them whatever the grades, and the strata with more at stake are drawn from more. Each query's chance to
be drawn is recorded, and the estimate weighs it by one over that chance (Horvitz and Thompson 1952; with strata of
known size it is the same as Hájek's). Since nothing in a stratum can lose more than its stakes, few queries of those
with little at stake say enough.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, repeat
from math import inf

import numpy as np
import numpy.typing as npt

from console_core.judging.estimate import Estimate, estimate, freedom
from console_core.judging.holes import stakes
from console_core.judging.metrics import top
from console_core.judging.protocol import Protocol
from console_core.querylab.rankings import Rankings
from console_core.querylab.shifts import rank_biased_overlap

_STRATA = 4
_LEAST = 1e-9
"""What any difference between rankings is taken for at least, so that only queries without one are known."""
_EACH = 5
"""Queries that every stratum has drawn first: fewer say too little about how much they vary."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """Queries with about as much at stake: how many there are, those that are judged, and those left undrawn. No
    difference of theirs is beyond `most`."""

    size: int
    drawn: tuple[str, ...]
    left: tuple[str, ...]
    most: float = 1.0

    @property
    def chance(self) -> float:
        """With which each of its queries came to be drawn."""
        return len(self.drawn) / self.size

    def among(self, wanted: Collection[str]) -> "Stratum":
        """Those of its queries that are wanted."""
        drawn, left = (tuple(query for query in part if query in wanted) for part in (self.drawn, self.left))
        return Stratum(len(drawn) + len(left), drawn, left, self.most)


@dataclass(frozen=True, slots=True)
class Sample:
    """The queries that judges are given, in the order of the queue, and what each stands for.

    `known` are those that need no judge, since all columns answer them alike. A longer queue with the same seed begins
    with a shorter one, so that further queries can be added to those that were judged.
    """

    queue: tuple[str, ...]
    strata: tuple[Stratum, ...]
    known: tuple[str, ...]

    @property
    def population(self) -> int:
        """How many queries it stands for."""
        return len(self.known) + sum(stratum.size for stratum in self.strata)

    @property
    def chances(self) -> dict[str, float]:
        """The inclusion probability of each drawn query."""
        found: dict[str, float] = {}
        for stratum in self.strata:
            found |= dict.fromkeys(stratum.drawn, stratum.chance)
        return found

    @property
    def weights(self) -> dict[str, float]:
        """What each drawn query weighs in a mean over all: one over its chance, over the population."""
        everything = self.population
        return {query: 1 / chance / everything for query, chance in self.chances.items()}

    @property
    def everything(self) -> bool:
        """Whether all queries that need a judge were drawn, so that nothing is reweighted."""
        return all(stratum.size == len(stratum.drawn) for stratum in self.strata)

    @property
    def size(self) -> int:
        """How many queries an estimate from it rests on: the drawn ones, and the known where all others were drawn."""
        return self.population if self.everything else len(self.queue)

    @property
    def thin(self) -> bool:
        """Whether of a larger stratum fewer than two were drawn, so that nothing is known of its spread."""
        return any(len(stratum.drawn) < 2 and stratum.left for stratum in self.strata)

    def among(self, wanted: Collection[str]) -> "Sample":
        """The part of it that stands for the wanted queries alone.

        Which of a stratum are wanted was not looked at when they were drawn. So the wanted ones that were drawn are a
        random sample of the wanted ones, and their chance is the share of these that was drawn (Cochran 1977, 5A.14).
        """
        strata = (stratum.among(wanted) for stratum in self.strata)
        queue, known = (tuple(query for query in part if query in wanted) for part in (self.queue, self.known))
        return Sample(queue, tuple(stratum for stratum in strata if stratum.size), known)


def sample_of(protocol: Protocol, columns: Sequence[Rankings]) -> Sample:
    """What judges are given, decided by the protocol and the rankings alone: nobody chooses which queries count.

    Of queries with the very same first k in every column one stands for all, where the protocol counts repeats once:
    the same question in other words, as search logs have it, is no further evidence.
    """
    apart = disagreement(columns, protocol.k)
    if protocol.repeats == "once":
        apart = {query: apart[query] for query in single(columns, sorted(apart), protocol.k)}
    differing = [query for query, value in apart.items() if value]
    if protocol.prefers == "disagreement" or not 0 < protocol.queries < len(differing):
        return draw(apart, protocol.queries, protocol.seed)
    return draw(apart | _at_stake(columns, differing, protocol), protocol.queries, protocol.seed, bounded=True)


def single(columns: Sequence[Rankings], queries: Sequence[str], k: int) -> list[str]:
    """The first of each group of queries that every column answers alike, if at all."""
    found: dict[tuple[tuple[str, ...] | None, ...], str] = {}
    for query in queries:
        answers = tuple(tuple(top(column[query], k)) if query in column else None for column in columns)
        found.setdefault(answers, query)
    return list(found.values())


def _at_stake(columns: Sequence[Rankings], queries: Sequence[str], protocol: Protocol) -> dict[str, float]:
    """For each query how far two columns at most can differ in the metric."""
    found = {}
    for query in queries:
        given = [column[query] for column in columns if query in column]
        found[query] = max(_LEAST, *(stakes(a, b, protocol) for a, b in combinations(given, 2)))
    return found


def disagreement(columns: Sequence[Rankings], k: int) -> dict[str, float]:
    """For each query how much two columns at most disagree, 1 − rank-biased overlap; 0 only if all are the same.

    A column that lacks a query is not asked about it.
    """
    found = {}
    for query in dict.fromkeys(query for column in columns for query in column):
        first = [top(column[query], k) for column in columns if query in column]
        pairs = ((x, y) for place, x in enumerate(first) for y in first[:place] if x != y)
        found[query] = max((max(1 - rank_biased_overlap(x, y), _LEAST) for x, y in pairs), default=0.0)
    return found


def draw(apart: Mapping[str, float], queries: int, seed: int, *, bounded: bool = False) -> Sample:
    """A sample of so many queries that need a judge, or of all of them if 0 or if there are no more.

    `apart` is what makes a query more likely to be drawn: its stakes where the sample is `bounded` by them, else how
    much its rankings disagree, which bounds nothing. The same values and seed give the same sample, in whatever order
    they come.
    """
    known = tuple(sorted(query for query, value in apart.items() if value == 0))
    ranked = sorted((value, query) for query, value in apart.items() if value != 0)
    if not ranked:
        return Sample((), (), known)
    count = max(1, min(_STRATA, len(ranked) // 10))
    chance = np.random.default_rng(seed)
    parts = [list(part) for part in np.array_split(np.arange(len(ranked)), count)]
    shuffled = [[ranked[place][1] for place in chance.permutation(part)] for part in parts]
    pulls = [sum(ranked[place][0] for place in part) for part in parts]
    queue: list[str] = []
    taken = [0] * count
    while len(queue) < min(queries or len(ranked), len(ranked)):
        stratum = max(range(count), key=lambda each: _turn(taken[each], len(parts[each]), pulls[each]))
        queue.append(shuffled[stratum][taken[stratum]])
        taken[stratum] += 1
    most = [ranked[part[-1]][0] if bounded else 1.0 for part in parts]
    strata = (
        Stratum(len(part), tuple(part[:some]), tuple(part[some:]), far)
        for part, some, far in zip(shuffled, taken, most, strict=True)
    )
    return Sample(tuple(queue), tuple(strata), known)


def reweighted(
    sample: Sample, differences: Mapping[str, float], confidence: float, *, beyond: bool = False
) -> Estimate:
    """The mean difference over all queries of the set, from those that were drawn; each bound with this confidence.

    Known queries are in it as 0; its `n` counts those that were drawn. The error is that of the sample: with every
    query drawn there is none. With `beyond` the set is itself taken for a sample, and the mean is that of queries like
    these: what a verdict is about, and with every query drawn the usual error of a mean. Degrees of freedom are
    Satterthwaite's.

    Raises:
        KeyError: a drawn query has no difference.
        ValueError: of a larger stratum fewer than two queries were drawn, so that its spread is unknown.
    """
    return _stratified(sample, _drawn(sample, differences), confidence, beyond=beyond)


def reweighted_guarded(
    sample: Sample, differences: Mapping[str, float], confidence: float
) -> tuple[Estimate, Estimate]:
    """What `reweighted` gives beyond the set with one more query that lost all that one of its stratum can, and with
    one that won as much, each drawn in the stratum where that moves the bound most; with the degrees of freedom that
    tails leave, as `estimate.guarded`."""
    drawn = _drawn(sample, differences)

    def with_one(sign: float) -> list[Estimate]:
        found = []
        for place, stratum in enumerate(sample.strata):
            values = [*drawn[:place], [*drawn[place], sign * stratum.most], *drawn[place + 1 :]]
            found.append(_stratified(sample, values, confidence, beyond=True, tails=True))
        return found

    return min(with_one(-1.0), key=lambda one: one.lower), max(with_one(1.0), key=lambda one: one.upper)


def _drawn(sample: Sample, differences: Mapping[str, float]) -> list[list[float]]:
    return [[differences[query] for query in stratum.drawn] for stratum in sample.strata]


def _stratified(
    sample: Sample, given: Sequence[Sequence[float]], confidence: float, *, beyond: bool, tails: bool = False
) -> Estimate:
    """The estimate from the differences that were found in each stratum; `tails`: with no more degrees of freedom than
    these leave."""
    everything = sample.population
    mean, variance, squares, between = 0.0, 0.0, 0.0, 0.0
    means = [(len(sample.known) / everything, 0.0)]
    for stratum, found in zip(sample.strata, given, strict=True):
        values = np.array(found, dtype=np.float64)
        drawn, share = len(values), stratum.size / everything
        if drawn < 2 and stratum.size > drawn:
            raise ValueError("A stratum needs two judged queries.")
        own = float(values.var(ddof=1)) if drawn > 1 else 0.0
        part = share**2 * own / drawn * (1 if beyond else 1 - stratum.chance)
        variance += part
        squares += part**2 / max(1, freedom(values) if tails else drawn - 1)
        mean += share * float(values.mean())
        means.append((share, float(values.mean())))
    if beyond:
        between = sum(share * (each - mean) ** 2 for share, each in means) / everything
        squares += between**2 / max(1, everything - 1)
    error = (variance + between) ** 0.5
    together = (variance + between) ** 2 / squares if squares else inf
    return estimate(mean, error, together, sum(map(len, given)), confidence)


def parts(sample: Sample, differences: Mapping[str, float], margin: float) -> npt.NDArray[np.float64]:
    """What each query adds to the distance of the reweighted mean from −margin: the drawn ones, then the known."""
    weights = sample.weights
    drawn = ((differences[query] + margin) * weights[query] for query in sample.queue)
    known = repeat(margin / sample.population, len(sample.known))
    return np.fromiter(chain(drawn, known), dtype=np.float64)


def _turn(taken: int, size: int, pull: float) -> tuple[int, float]:
    """Who is next: strata with few drawn, then the one whose disagreement is shared by the fewest (d'Hondt)."""
    if taken == size:
        return (-1, 0.0)
    return (1, -taken) if taken < _EACH else (0, pull / (taken + 1))
