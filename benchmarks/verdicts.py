"""How often a verdict is wrong, and how often one is reached, by simulation.

    python -m benchmarks.verdicts [--trials 300] [--most 600] [--json]

First all queries are judged, and B loses everything in a share of them and nothing in the others, so that its mean
loss is the margin itself: the chance that it is called non-inferior all the same is exact, and the worst over the
numbers of queries is shown. Then some of many queries are drawn, from rankings of 80 pictures that two columns see
through noise of their own: how often equal columns are called non-inferior, and how often columns are whose mean loss
is the margin, by losses as great as the rankings allow: in any query, in the tenth of each stratum with most at stake,
or in the quarter with least. The sign-flip test is left out, which can only take a verdict back.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from benchmarks.console.report import machine
from console_core.judging.estimate import guarded, paired
from console_core.judging.holes import stakes
from console_core.judging.metrics import scores
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import Sample, reweighted, reweighted_guarded, sample_of
from console_core.querylab.rankings import Rankings

NOISE = {"alike": (0.2, 1.2), "unlike": (0.8, 3.0)}
"""Of two columns whose rankings share most of their pictures, and of two that share few."""
SETTINGS = ((400, 80, 0.05), (400, 150, 0.05), (1000, 150, 0.03), (400, 200, 0.02))
"""Queries, how many of them are drawn, and the margin."""
MARGINS = (0.02, 0.03, 0.05, 0.1)
CONFIDENCES = (0.95, 0.975)


@dataclass(frozen=True)
class Worst:
    """The worst number of queries at a margin, and the chance of a wrong "non-inferior" there; `alone` is what it is
    by Student's bound alone."""

    confidence: float
    margin: float
    queries: int
    wrong: float
    alone: float


@dataclass(frozen=True)
class Drawn:
    """Shares of the trials that are called non-inferior: of equal columns, and of ones that lose the margin."""

    columns: str
    prefers: str
    queries: int
    drawn: int
    margin: float
    equal: float
    anywhere: float
    most_at_stake: float
    least_at_stake: float


def worst(confidence: float, margin: float, most: int) -> Worst:
    """Over 10 to so many queries."""
    found = Worst(confidence, margin, 0, 0.0, 0.0)
    for queries in range(10, most + 1):
        wrong, alone = -1, -1
        for lost in range(queries):
            values = -(np.arange(queries) < lost).astype(np.float64)
            if not paired(values, confidence).is_above(-margin):
                break
            alone = lost
            wrong = lost if guarded(values, confidence)[0].is_above(-margin) else wrong
        chance = float(stats.binom.cdf(wrong, queries, margin))
        if chance > found.wrong:
            found = Worst(confidence, margin, queries, chance, float(stats.binom.cdf(alone, queries, margin)))
    return found


def drawn(kind: str, prefers: str, queries: int, some: int, margin: float, trials: int) -> Drawn:
    chance = np.random.default_rng(3)
    protocol = Protocol(queries=some, margin=margin, prefers="stakes" if prefers == "stakes" else "disagreement")
    said = dict.fromkeys(("equal", "anywhere", "most_at_stake", "least_at_stake"), 0)
    for _ in range(trials):
        a, b, equal = _columns(kind, queries, chance)
        sample = sample_of(protocol, (a, b))
        at_stake = {query: stakes(a[query], b[query], protocol) for query in a}
        for name, where in (("equal", None), *_places(sample, at_stake).items()):
            values = equal if where is None else _lost(where, at_stake, margin, chance)
            said[name] += _non_inferior(sample, values, margin)
    return Drawn(kind, prefers, queries, some, margin, **{name: count / trials for name, count in said.items()})


def _columns(kind: str, queries: int, chance: np.random.Generator) -> tuple[Rankings, Rankings, dict[str, float]]:
    """Rankings of two equally good columns, and their true differences."""
    pictures, protocol = 80, Protocol()
    columns: tuple[dict[str, list[str]], dict[str, list[str]]] = ({}, {})
    grades = {}
    for number in range(queries):
        query = f"q{number:04}"
        worth = chance.gamma(0.35, 1.6, pictures)
        noise = chance.uniform(*NOISE[kind]) * chance.choice([0.15, 0.5, 1.0, 1.0])
        for column in columns:
            seen = worth + chance.normal(0, noise, pictures)
            column[query] = [f"{key}" for key in np.argsort(-seen)[: protocol.k]]
        known = np.digitize(worth, [0.5, 1.2, 2.2])
        grades[query] = {key: int(known[int(key)]) for column in columns for key in column[query]}
    one, other = (scores(column, grades, protocol) for column in columns)
    return *columns, {query: other[query].of("nDCG") - one[query].of("nDCG") for query in one}


def _places(sample: Sample, at_stake: Mapping[str, float]) -> dict[str, list[str]]:
    def by_stakes(queries: Iterable[str]) -> list[str]:
        return sorted(queries, key=lambda query: (at_stake[query], query))  # many have all at stake, drawn or not

    ordered = by_stakes(query for query, value in at_stake.items() if value)
    strata = [by_stakes((*one.drawn, *one.left)) for one in sample.strata]
    peaks = [query for stratum in strata for query in stratum[-max(1, len(stratum) // 10) :]]
    return {"anywhere": ordered, "most_at_stake": peaks, "least_at_stake": ordered[: len(ordered) // 4]}


def _lost(
    where: list[str], at_stake: Mapping[str, float], margin: float, chance: np.random.Generator
) -> dict[str, float]:
    """Each of some queries loses all it can with one chance, so that the mean loss of all is the margin; as far as that
    is too little, all queries lose the rest."""
    share = margin * len(at_stake) / sum(at_stake[query] for query in where)
    rest = margin * (1 - 1 / share) if share > 1 else 0.0
    hit: npt.NDArray[np.bool_] = chance.random(len(where)) < share
    lost = {query: at_stake[query] * bool(one) for query, one in zip(where, hit, strict=True)}
    return {query: -lost.get(query, 0.0) - rest for query in at_stake}


def _non_inferior(sample: Sample, differences: Mapping[str, float], margin: float) -> bool:
    judged = {query: differences[query] for query in sample.queue}
    found = reweighted(sample, judged, 0.95, beyond=True)
    return found.is_above(-margin) and reweighted_guarded(sample, judged, 0.95)[0].is_above(-margin)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=300, help="of each row of the second table")
    parser.add_argument("--most", type=int, default=600, help="queries that the first table looks at")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    said = machine()
    whole = [worst(confidence, margin, given.most) for confidence in CONFIDENCES for margin in MARGINS]
    some = [
        drawn(kind, prefers, *setting, given.trials)
        for kind in NOISE
        for setting in SETTINGS
        for prefers in ("stakes", "disagreement")
    ]
    if given.json:
        print(json.dumps({"machine": said, "all": [*map(asdict, whole)], "drawn": [*map(asdict, some)]}, indent=2))
        return
    print(f"All judged; {said}\nconfidence  margin  queries  wrong  Student's bound alone")
    for one in whole:
        row = f"{one.confidence:>10.1%}  {one.margin:>6g}  {one.queries:>7}  {one.wrong:>5.1%}"
        print(f"{row}  {one.alone:.1%}")
    print(f"\nSome drawn, {given.trials} trials each; columns, preference, drawn of how many, margin")
    print(f"{'':44}{'equal':>7}{'wrong: anywhere':>17}{'most at stake':>15}{'least':>8}")
    for row_of in some:
        head = f"{row_of.columns:7} {row_of.prefers:13} {row_of.drawn:>4} of {row_of.queries:>5,}  {row_of.margin:g}"
        wrong = f"{row_of.anywhere:>17.1%}{row_of.most_at_stake:>15.1%}{row_of.least_at_stake:>8.1%}"
        print(f"{head:44}{row_of.equal:>7.1%}{wrong}")


if __name__ == "__main__":
    main()
