"""A judge's desk: what is to be judged in an evaluation, in which order, and what a judge has before them now."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product

from console_core.judging.duels import Pairing, lists_of, pairings, shuffled
from console_core.judging.judgements import CountedVote, Evaluation
from console_core.judging.metrics import top
from console_core.judging.pool import pools
from console_core.judging.sampling import Sample, sample_of
from console_core.judging.votes import swapped
from console_core.querylab.rankings import Query, Ranking, Rankings

_JUDGES = 8
"""Whose order of duels is kept in memory; of ten thousand queries it takes some tenths of a second to make."""


@dataclass(frozen=True, slots=True)
class Task:
    """The next picture of a judge: `number` of `of` in its query's pool; `following` comes after it."""

    query: Query
    key: str
    number: int
    of: int
    following: str = ""


@dataclass(frozen=True, slots=True)
class Duel:
    """The next two lists of a judge, as they lie before them; `left` and `right` are places of columns."""

    query: Query
    left: int
    right: int
    lists: tuple[Ranking, Ranking]


@dataclass(frozen=True, slots=True)
class Done:
    """How far a judge is."""

    judged: int
    of: int

    @property
    def share(self) -> float:
        return self.judged / self.of if self.of else 1.0


class Desk:
    """An evaluation with the answers that are judged in it, which never change: it can be kept and shared.
    `size` is how many questions and places in rankings it has."""

    def __init__(self, evaluation: Evaluation, queries: Sequence[Query], columns: Sequence[Rankings]) -> None:
        """`columns` are the rankings of the evaluation's own columns, in its order."""
        self.evaluation = evaluation
        self.columns = tuple(columns)
        self.queries = {query.id: query for query in queries}
        self._order = lru_cache(maxsize=_JUDGES)(self._order_of)
        self.size = len(self.queries) + sum(len(ranking) for column in self.columns for ranking in column.values())

    @cached_property
    def sample(self) -> Sample:
        """Which queries are judged: not those that all columns answer alike, and no more than the protocol says."""
        return sample_of(self.evaluation.protocol, self.columns)

    @cached_property
    def pools(self) -> Mapping[str, tuple[str, ...]]:
        """For each query of the queue the pictures to grade, in the order in which all judges are shown them."""
        protocol = self.evaluation.protocol
        return pools(self.columns, self.sample.queue, k=protocol.k, seed=protocol.seed)

    def has(self, query: str, key: str) -> bool:
        """Whether a picture is graded for a query."""
        return key in self.pools.get(query, ())

    def next_task(self, judged: Collection[tuple[str, str]]) -> Task | None:
        """The next picture for a judge who graded these, by query and key; None where all is judged."""
        left = self._left(judged)
        found = next(left, None)
        if found is None:
            return None
        query, key = found
        pool = self.pools[query]
        return Task(self.queries[query], key, pool.index(key) + 1, len(pool), next(left, ("", ""))[1])

    def graded(self, judged: Collection[tuple[str, str]]) -> Done:
        """How far a judge is who graded these, by query and key; what is not judged here does not count."""
        of = sum(map(len, self.pools.values()))
        return Done(sum((query, key) in judged for query, pool in self.pools.items() for key in pool), of)

    def next_duel(self, mine: Sequence[CountedVote], judge: str) -> Duel | None:
        """The next two lists for a judge who voted like this; None where all different lists of all queries have a
        vote. `duels.shuffled` says in which order they come."""
        voted = set(map(self._pairing, mine))
        left = (one for one in self._order(judge) if one not in voted)
        found = next(left, None)
        if found is None:
            return None
        protocol, query, places = self.evaluation.protocol, found.query, (found.first, found.second)
        x, y = (self.evaluation.columns[place] for place in places)
        if swapped(self.sample.queue, f"{judge}\0{x}\0{y}", protocol.seed)[query]:
            x, y, places = y, x, places[::-1]
        one, other = (top(self.columns[place][query], protocol.k) for place in places)
        return Duel(self.queries[query], x, y, (one, other))

    def voted(self, given: Sequence[CountedVote]) -> Done:
        """How far it is with these votes. What several columns answer alike is voted on once."""
        pairings = {one for some in self._pairings for one in some}
        return Done(len(pairings.intersection(map(self._pairing, given))), len(pairings))

    def counted_for(self, vote: CountedVote) -> list[CountedVote]:
        """A vote for each two columns whose lists are those that it was given on."""
        columns, lists = self.evaluation.columns, self._lists.get(vote.query, {})
        x, y = (lists.get(columns.index(column)) for column in (vote.x, vote.y))
        if x is None or y is None or x == y:
            return []
        mine, theirs = ([columns[place] for place, shown in lists.items() if shown == wanted] for wanted in (x, y))
        return [
            replace(vote, x=one, y=other, winner={vote.x: one, vote.y: other}.get(vote.winner, vote.winner))
            for one, other in product(mine, theirs)
        ]

    @cached_property
    def _lists(self) -> Mapping[str, Mapping[int, int]]:
        """`duels.lists_of` each query."""
        return {query: lists_of(self.columns, query, self.evaluation.protocol.k) for query in self.queries}

    @cached_property
    def _pairings(self) -> Sequence[Sequence[Pairing]]:
        """What is voted on of each query of the queue."""
        return [pairings(query, self._lists[query]) for query in self.sample.queue]

    def _pairing(self, vote: CountedVote) -> Pairing:
        """Which two lists a vote is on."""
        lists = self._lists.get(vote.query, {})
        places = (self.evaluation.columns.index(column) for column in (vote.x, vote.y))
        return Pairing(vote.query, *sorted(lists.get(place, place) for place in places))

    def _order_of(self, judge: str) -> Sequence[Pairing]:
        return shuffled(self._pairings, judge, self.evaluation.protocol.seed)

    def _left(self, judged: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for query in self.sample.queue:
            for key in self.pools.get(query, ()):
                if (query, key) not in judged:
                    yield query, key
