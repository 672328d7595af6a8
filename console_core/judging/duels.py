"""Which two lists of which query a judge votes on, and in which order: one that says nothing of the columns. Pure.

Two duels of one query have a list in common. In a fixed order of columns the first two would always share that of the
first column, the reference; so the order of a query's duels is drawn for each query and judge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from itertools import combinations

import numpy as np

from console_core.judging.metrics import top
from console_core.judging.votes import salt
from console_core.querylab.rankings import Rankings


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two different lists of a query, each by the first column that has it, counted from 0."""

    query: str
    first: int
    second: int


def lists_of(columns: Sequence[Rankings], query: str, k: int) -> dict[int, int]:
    """For each column that answers a query the first of those whose first k are the same: which list it shows."""
    known: dict[tuple[str, ...], int] = {}
    answered = ((place, column[query]) for place, column in enumerate(columns) if query in column)
    return {place: known.setdefault(top(ranking, k), place) for place, ranking in answered}


def pairings(query: str, lists: Mapping[int, int]) -> list[Pairing]:
    """What is voted on of a query: each two of its different lists once, however many columns show them."""
    return [Pairing(query, first, second) for first, second in combinations(sorted(set(lists.values())), 2)]


def shuffled(of: Sequence[Sequence[Pairing]], judge: str, seed: int) -> tuple[Pairing, ...]:
    """The pairings of several queries in the order in which a judge votes on them; the same for a judge and seed.

    The queries, and the pairings of each, are in random order. The next is of the query with most left, of those that
    was not the last: so one query comes twice in a row only where no order could avoid it. The order of the sample's
    queue is not kept: of votes nothing is said before every drawn query has one, so stopping early gains nothing, and
    judges who share the work begin with different queries.
    """
    chance = np.random.default_rng([seed, salt(f"{judge}\0order")])
    parts = sorted((part for part in of if part), key=lambda part: part[0].query)
    left = [[part[place] for place in chance.permutation(len(part))] for part in parts]
    heap = [(-len(left[place]), turn, place) for turn, place in enumerate(chance.permutation(len(left)).tolist())]
    heapify(heap)
    found: list[Pairing] = []
    held: tuple[int, int, int] | None = None
    while heap or held:
        if not heap:
            found.extend(left[held[2]] if held else ())
            break
        count, turn, place = heapreplace(heap, held) if held else heappop(heap)
        found.append(left[place].pop())
        held = (count + 1, turn, place) if left[place] else None
    return tuple(found)
