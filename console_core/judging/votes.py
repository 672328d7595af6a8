"""Blind votes between two whole lists: which stands on which side, and what the votes say. Pure.

Quicker than grading, and less sensitive for each query. Votes of several judges on one query are not independent, so
each query counts once. The test is the exact binomial on queries with a winner, the interval Wilson's (1927); ties are
counted, and are no evidence for either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class Vote:
    """What a judge said of one query: the name of the column whose list is better, or "" for a tie.

    `x` and `y` are the two columns in whatever order; a winner is one of them.
    """

    query: str
    judge: str
    x: str
    y: str
    winner: str

    def __post_init__(self) -> None:
        if self.x == self.y or self.winner not in ("", self.x, self.y):
            raise ValueError(f"{self.winner!r} cannot win between {self.x!r} and {self.y!r}.")


@dataclass(frozen=True, slots=True)
class Preference:
    """How many queries preferred A, B or neither, and how sure that is.

    `share` is B's of the queries with a winner, `lower` to `upper` its two-sided interval, `p` the exact two-sided p of
    "both are preferred as often". Without any winner the share is None and nothing is known: 0 to 1, p 1. `adjusted`
    is p corrected for how many pairs of columns were voted on, and decides the finding; the interval is of this pair by
    itself.
    """

    a: int
    b: int
    ties: int
    share: float | None
    lower: float
    upper: float
    p: float
    adjusted: float
    finding: Literal["A", "B", "not told apart"]

    @property
    def queries(self) -> int:
        """How many queries were voted on."""
        return self.a + self.b + self.ties


def salt(text: str) -> int:
    """A number that is the same for the same text, to seed chance with."""
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8])


def swapped(queries: Sequence[str], judge: str, seed: int) -> dict[str, bool]:
    """For each query whether this judge sees the second column on the left: for half of them, give or take one.

    The same queries, judge and seed give the same sides, in whatever order the queries come.
    """
    ordered = sorted(set(queries))
    chance = np.random.default_rng([seed, salt(judge)])
    half = (len(ordered) + int(chance.integers(2))) // 2
    sides = chance.permutation(np.arange(len(ordered)) < half)
    return {query: bool(side) for query, side in zip(ordered, sides, strict=True)}


def by_query(votes: Iterable[Vote]) -> dict[tuple[str, str, str], str]:
    """The winner of each query and pair of columns, "" for a tie: what more judges said than said the other.

    A pair is named in alphabetical order. Of two votes of one judge on the same the later counts.
    """
    said: dict[tuple[str, str, str], dict[str, str]] = {}
    for vote in votes:
        pair = (vote.query, *sorted((vote.x, vote.y)))
        said.setdefault((pair[0], pair[1], pair[2]), {})[vote.judge] = vote.winner
    found = {}
    for (query, x, y), winners in said.items():
        lead = sum(winner == x for winner in winners.values()) - sum(winner == y for winner in winners.values())
        found[query, x, y] = x if lead > 0 else y if lead < 0 else ""
    return found


def preference(votes: Iterable[Vote], a: str, b: str, confidence: float = 0.95) -> Preference:
    """What the votes between two columns say; votes on other pairs are not looked at."""
    from scipy import stats

    winners = [winner for (_, *pair), winner in by_query(votes).items() if pair == sorted((a, b))]
    for_a, for_b = winners.count(a), winners.count(b)
    ties = len(winners) - for_a - for_b
    if for_a + for_b == 0:
        return Preference(0, 0, ties, None, 0.0, 1.0, 1.0, 1.0, "not told apart")
    test = stats.binomtest(for_b, for_a + for_b)
    interval = test.proportion_ci(confidence, method="wilson")
    p = float(test.pvalue)
    share = for_b / (for_a + for_b)
    found = Preference(for_a, for_b, ties, share, float(interval.low), float(interval.high), p, p, "not told apart")
    return corrected(found, p, confidence)


def corrected(found: Preference, adjusted: float, confidence: float = 0.95) -> Preference:
    """The same with what a corrected p says."""
    finding: Literal["A", "B", "not told apart"] = "not told apart"
    if adjusted <= 1 - confidence:
        finding = "B" if found.b > found.a else "A"
    return replace(found, adjusted=adjusted, finding=finding)
