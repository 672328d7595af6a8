"""Three or more columns in one order, from blind votes between two at a time: Bradley and Terry (1952). Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from console_core.judging.votes import Vote, by_query

RESAMPLES = 500
Floats = npt.NDArray[np.float64]
_Duels = Sequence[tuple[str, str, str]]
"""Two columns and the one that won, "" for a tie: each kind once."""
_UNBOUNDED = 0.05
"""The share of resamples without finite strengths above which there is no interval."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One column: its strength as evalica scales it (the geometric mean of all is 1), and its rank from 1.

    A column of strength s wins over one of strength t with chance s / (s + t). `lower` and `upper` are the bounds of
    its strength when queries are drawn anew, None where too many such draws have no finite strengths.
    """

    name: str
    rank: int
    strength: float
    lower: float | None
    upper: float | None
    wins: int
    losses: int
    ties: int


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The columns, strongest first, from the votes on so many queries; or none, and `reason` says why in a sentence."""

    standings: tuple[Standing, ...]
    queries: int
    reason: str = ""


def leaderboard(
    votes: Iterable[Vote],
    columns: Sequence[str],
    *,
    seed: int,
    weights: Mapping[str, float] | None = None,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
) -> Leaderboard:
    """The order of the columns. Each query and pair counts once, or what its query weighs, a tie as half a win for each
    side. `weights` are of all queries with a vote; only their proportions matter.

    Bounds are percentiles of a bootstrap that draws whole queries, since votes on one query hang together, and of those
    with the same weight as many each time, as they were drawn. The same votes, columns and seed give the same bounds.
    """
    found = sorted((query, x, y, won) for (query, x, y), won in by_query(votes).items() if {x, y} <= set(columns))
    asked = sorted({query for query, *_ in found})
    place_of = {query: place for place, query in enumerate(asked)}
    duels = sorted({(x, y, won) for _, x, y, won in found})
    kind_of = {duel: kind for kind, duel in enumerate(duels)}
    owner = np.array([place_of[query] for query, *_ in found], dtype=np.int64)
    kinds = np.array([kind_of[x, y, won] for _, x, y, won in found], dtype=np.int64)
    worth = np.array([1.0 if weights is None else weights[query] for query in asked])

    def counted(times: Floats) -> Floats:
        """How often each kind of duel happened, where each query is there so many times."""
        parts = (times * worth / worth.mean())[owner]
        return np.bincount(kinds, parts, minlength=len(duels)).astype(np.float64)

    once = counted(np.ones(len(asked))) if asked else np.zeros(0)
    if not _linked(duels, columns, once):
        text = (
            "The votes give no finite strengths: a column, or a group of them, won or lost every vote against the "
            "others, or met none of them. More votes are needed."
        )
        return Leaderboard((), len(asked), text)
    strengths = _strengths(duels, columns, once)
    alike = [np.flatnonzero(worth == value) for value in np.unique(worth)]
    chance = np.random.default_rng(seed)
    draws = []
    for _ in range(resamples):
        drawn = np.concatenate([chance.choice(some, len(some)) for some in alike])
        times = counted(np.bincount(drawn, minlength=len(asked)).astype(np.float64))
        if _linked(duels, columns, times):
            draws.append(_strengths(duels, columns, times))
    bounded = len(draws) >= max(1, (1 - _UNBOUNDED) * resamples)
    tail = (1 - confidence) / 2
    bounds = np.quantile(draws, (tail, 1 - tail), axis=0) if bounded else None
    order = sorted(range(len(columns)), key=lambda place: (-strengths[place], columns[place]))
    return Leaderboard(
        tuple(
            Standing(
                name=columns[place],
                rank=rank,
                strength=float(strengths[place]),
                lower=None if bounds is None else float(bounds[0][place]),
                upper=None if bounds is None else float(bounds[1][place]),
                wins=sum(won == columns[place] for *_, won in found),
                losses=sum(won not in ("", columns[place]) and columns[place] in (x, y) for _, x, y, won in found),
                ties=sum(won == "" and columns[place] in (x, y) for _, x, y, won in found),
            )
            for rank, place in enumerate(order, start=1)
        ),
        len(asked),
    )


def _strengths(duels: _Duels, columns: Sequence[str], times: Floats) -> Floats:
    import evalica
    import pandas as pd

    outcomes = {"x": evalica.Winner.X, "y": evalica.Winner.Y, "": evalica.Winner.Draw}
    found = evalica.bradley_terry(
        [x for x, _, _ in duels],
        [y for _, y, _ in duels],
        [outcomes["x" if won == x else "y" if won else ""] for x, _, won in duels],
        index=pd.Index(list(columns)),
        weights=times.tolist(),
        tolerance=1e-9,
        limit=10_000,
    )
    return np.array([found.scores[name] for name in columns], dtype=np.float64)


def _linked(duels: _Duels, columns: Sequence[str], times: Floats) -> bool:
    """Whether strengths exist: from each column one gets to each other by wins or ties (Ford 1957)."""
    place = {name: number for number, name in enumerate(columns)}
    reach = np.eye(len(columns), dtype=bool)
    for (x, y, won), often in zip(duels, times, strict=True):
        if often:
            reach[place[x], place[y]] |= won != y
            reach[place[y], place[x]] |= won != x
    for _ in columns:
        reach = reach @ reach
    return bool(reach.all())
