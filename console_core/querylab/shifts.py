"""How one ranking differs from another: rank shifts, overlap, Jaccard, rank-biased overlap. Pure, and label-free.

These measure change, never quality: a better model differs from the old one as much as a worse one may.
A ranking is a sequence of picture keys, best first; a key that comes twice counts at its first place.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

PERSISTENCE = 0.9
"""The usual p of rank-biased overlap: the first ten ranks then carry 86 % of the weight."""
PERSISTENCES = (0.8, 0.9, 0.95)
"""Those that are offered: of readers who look at 5, 10 or 20 ranks on average."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Where a hit came from: `places` is how many ranks it moved up or down; 0 for "same" and "new"."""

    kind: Literal["same", "up", "down", "new"]
    places: int = 0


@dataclass(frozen=True, slots=True)
class Shifts:
    """The shift of each hit of a ranking, in its order, and the keys of the reference that it no longer has."""

    hits: tuple[Shift, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two rankings are at depth `k`, each from 0 (nothing in common) to 1 (the same)."""

    k: int
    overlap: float
    jaccard: float
    rbo: float
    p: float


def shifts(reference: Sequence[str], ranking: Sequence[str]) -> Shifts:
    """The rank shift of every key of a ranking against a reference ranking."""
    before = _places(reference)
    present = set(ranking)
    return Shifts(
        hits=tuple(_shift(before.get(key), place) for place, key in enumerate(ranking)),
        gone=tuple(key for key in before if key not in present),
    )


def agreement(reference: Sequence[str], ranking: Sequence[str], *, k: int, p: float = PERSISTENCE) -> Agreement:
    """Overlap@k, Jaccard@k and rank-biased overlap of the first k of two rankings."""
    return Agreement(
        k=k,
        overlap=overlap_at(reference, ranking, k),
        jaccard=jaccard_at(reference, ranking, k),
        rbo=rank_biased_overlap(reference[:k], ranking[:k], p=p),
        p=p,
    )


def overlap_at(a: Sequence[str], b: Sequence[str], k: int) -> float:
    """The share of the first k places that two rankings fill with the same pictures, in whatever order.

    Where both rankings are shorter than k, the longer one's length takes the place of k. Two empty ones agree: 1.
    """
    first, second = set(a[:k]), set(b[:k])
    places = max(len(first), len(second))
    return len(first & second) / places if places else 1.0


def jaccard_at(a: Sequence[str], b: Sequence[str], k: int) -> float:
    """Pictures that both rankings have among their first k, over pictures that either has. Two empty ones: 1."""
    first, second = set(a[:k]), set(b[:k])
    return len(first & second) / len(first | second) if first | second else 1.0


def rank_biased_overlap(a: Sequence[str], b: Sequence[str], *, p: float = PERSISTENCE) -> float:
    """Rank-biased overlap (Webber, Moffat and Zobel 2010, equation 4) of what is there, with 0 < p < 1.

    The agreement at every depth, weighted by p to the depth before it, over the sum of the weights; nothing is assumed
    of what lies beyond the longer list. It is what ir_measures computes, for its Compat, and OpenSearch shows. At a
    depth that the shorter list does not reach it has no more in common. Two empty rankings agree (1), an empty and a
    full one do not (0).

    Raises:
        ValueError: p is not between 0 and 1; with p = 1 the measure is average overlap and weighs no rank more.
    """
    if not 0 < p < 1:
        raise ValueError(f"p must lie between 0 and 1, not {p}.")
    short, long = sorted((list(_places(a)), list(_places(b))), key=len)
    if not long:
        return 1.0
    weights = [p**depth for depth in range(len(long))]
    agreed = sum(
        weight * common / depth
        for depth, (weight, common) in enumerate(zip(weights, _common(short, long), strict=True), start=1)
    )
    return min(1.0, agreed / sum(weights))


def weight_of_first(k: int, p: float = PERSISTENCE) -> float:
    """The share of its whole weight that rank-biased overlap of endless rankings gives to their first k ranks, with
    k of at least 1 and 0 < p < 1 (Webber, Moffat and Zobel 2010, equation 21).

    A reader who goes on to the next rank with probability p looks at 1/(1 - p) ranks on average.
    """
    beyond = math.log(1 / (1 - p)) - math.fsum(p**rank / rank for rank in range(1, k))
    return 1 - p ** (k - 1) + (1 - p) / p * k * beyond


def persistence_meaning(k: int, p: float = PERSISTENCE) -> str:
    """What p says, as a sentence for people."""
    first = "first carries" if k == 1 else f"first {k:,} carry"
    return (
        f"RBO with p = {p:g} is of somebody who looks at {1 / (1 - p):.3g} places on average: in endless lists the "
        f"{first} {weight_of_first(k, p):.0%} of the weight. Nothing is assumed of what comes after them."
    )


def _places(ranking: Sequence[str]) -> dict[str, int]:
    """Each key's first place, counted from 0, in the order of the ranking."""
    places: dict[str, int] = {}
    for place, key in enumerate(ranking):
        places.setdefault(key, place)
    return places


def _shift(before: int | None, place: int) -> Shift:
    if before is None:
        return Shift("new")
    if before == place:
        return Shift("same")
    return Shift("up" if place < before else "down", abs(before - place))


def _common(short: Sequence[str], long: Sequence[str]) -> list[int]:
    """How many keys the two have in common at each depth of the longer one."""
    in_short: set[str] = set()
    in_long: set[str] = set()
    counts: list[int] = []
    common = 0
    for depth, key in enumerate(long):
        if depth < len(short):
            in_short.add(short[depth])
            common += short[depth] in in_long
        in_long.add(key)
        common += key in in_short
        counts.append(common)
    return counts
