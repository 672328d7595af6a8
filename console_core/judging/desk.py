"""A judge's desk: what is to be judged in an evaluation, in which order, and what a judge has before them now."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from console_core.judging.judgements import CountedVote, Evaluation
from console_core.judging.pool import pools
from console_core.judging.sampling import Sample, sample_of
from console_core.judging.votes import swapped
from console_core.querylab.rankings import Query, Ranking, Rankings


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
        """The next two lists for a judge who voted like this; None where all pairs of all queries have a vote."""
        voted = {(one.query, *sorted((one.x, one.y))) for one in mine}
        for query in self.sample.queue:
            for first, second in self._pairs(query):
                x, y = self.evaluation.columns[first], self.evaluation.columns[second]
                if (query, *sorted((x, y))) in voted:
                    continue
                sides = swapped(self.sample.queue, f"{judge}\0{x}\0{y}", self.evaluation.protocol.seed)
                if sides[query]:
                    first, second, x, y = second, first, y, x
                k = self.evaluation.protocol.k
                lists = self.columns[first][query][:k], self.columns[second][query][:k]
                return Duel(self.queries[query], x, y, lists)
        return None

    def voted(self, mine: Sequence[CountedVote]) -> Done:
        return Done(len(mine), sum(len(list(self._pairs(query))) for query in self.sample.queue))

    def _left(self, judged: Collection[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        for query in self.sample.queue:
            for key in self.pools.get(query, ()):
                if (query, key) not in judged:
                    yield query, key

    def _pairs(self, query: str) -> Iterator[tuple[int, int]]:
        """Pairs of columns that answer a query, and not alike."""
        k = self.evaluation.protocol.k
        for first, second in combinations(range(len(self.columns)), 2):
            one, other = self.columns[first].get(query), self.columns[second].get(query)
            if one is not None and other is not None and tuple(one[:k]) != tuple(other[:k]):
                yield first, second
