"""What blind votes between whole lists come to. Nothing is said of a pair of columns before all of its queries were
voted on: their number was fixed in advance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from console_core.judging import wording
from console_core.judging.desk import Desk
from console_core.judging.judgements import CountedVote
from console_core.judging.leaderboard import Leaderboard, leaderboard
from console_core.judging.metrics import top
from console_core.judging.sampling import Sample
from console_core.judging.several import adjusted
from console_core.judging.votes import Preference, Vote, by_query, corrected, preference


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns by their letters. `both` are the drawn queries that both answered, `asked` those of them that are
    voted on, since they are answered apart; `missing` have no vote yet. `preference` is None until none is missing, and
    where the answers were changed. It is of the drawn queries; `weighed` is y's share of those with a winner among all
    `population` queries that both answered apart, each drawn one with what it stands for, and None where all were drawn
    or none has a winner. The finding is corrected for all `among` pairs."""

    x: str
    y: str
    both: int
    asked: int
    missing: int
    preference: Preference | None
    population: int
    weighed: float | None
    among: int = 1

    @property
    def finding(self) -> str:
        """As of the preference; "withheld" without one. Where there is nothing to vote on it is "alike", or
        "unanswered" if no drawn query was answered by both."""
        if self.preference is None:
            return "withheld"
        return self.preference.finding if self.asked else "alike" if self.both else "unanswered"

    @property
    def text(self) -> str:
        """What the votes say, in a sentence or two."""
        found = self.preference
        if found is None and self.missing:
            left = "1 question" if self.missing == 1 else f"{self.missing:,} questions"
            return f"No verdict. {left} without a vote between {self.x} and {self.y}. Vote on all that were drawn."
        if found is None:
            return "No verdict. The kept answers are not those that were sealed. Ask the query set again."
        if not self.asked:
            return f"{wording.preferred(self.finding, self.x, self.y)}. There is nothing to vote on."
        counts = f"{self.x} on {found.a:,}, {self.y} on {found.b:,} questions, neither on {found.ties:,}"
        said = {"A": f"{self.x} is preferred to {self.y}", "B": f"{self.y} is preferred to {self.x}"}
        told = f"{said.get(found.finding, f'{self.x} and {self.y} are not told apart')}: {counts}"
        if found.share is None:
            return f"{told}."
        between = f"{wording.share(found.lower)} to {wording.share(found.upper)}"
        part = f"{self.y} has {wording.share(found.share)} of those with a winner"
        chance = f"p {wording.chance(found.p)}"
        if self.among > 1:
            chance += f", {wording.chance(found.adjusted)} corrected for {self.among:,} pairs"
        return " ".join((f"{told}; {part} ({between}, {chance}).", *self._drawn))

    @property
    def _drawn(self) -> tuple[str, ...]:
        if self.weighed is None:
            return ()
        return (
            f"This is of the {self.asked:,} questions that were drawn, more of them where the columns disagree more; "
            f"with each weighed for what it stands for, {self.y} has about {wording.share(self.weighed)}.",
        )


@dataclass(frozen=True, slots=True)
class Ballots:
    """Each pair of columns, and of three or more an order, once every pair was voted on."""

    pairs: tuple[Pair, ...]
    leaderboard: Leaderboard | None


def ballots(desk: Desk, counted: Sequence[CountedVote], letters: Sequence[str], *, intact: bool) -> Ballots:
    """What the votes that count come to, under the evaluation's protocol. A vote counts for every two columns that show
    the lists which it was given on. The p of each pair is corrected by Holm."""
    protocol = desk.evaluation.protocol
    names = {str(place): letter for place, letter in zip(desk.evaluation.columns, letters, strict=True)}
    votes = [_named(each.as_vote(), names) for one in counted for each in desk.counted_for(one)]
    pairs = [
        _pair(desk, votes, (first, second), letters, intact=intact)
        for first, second in combinations(range(len(letters)), 2)
    ]
    chances = adjusted([pair.preference.p if pair.preference else 1.0 for pair in pairs])
    pairs = [_together(pair, p, len(pairs), protocol.confidence) for pair, p in zip(pairs, chances, strict=True)]
    if len(letters) < 3 or any(pair.preference is None for pair in pairs):
        return Ballots(tuple(pairs), None)
    weights = desk.sample.weights
    drawn = [vote for vote in votes if vote.query in weights]
    order = leaderboard(drawn, list(letters), seed=protocol.seed, weights=weights, confidence=protocol.confidence)
    return Ballots(tuple(pairs), order)


def _pair(desk: Desk, votes: Sequence[Vote], places: tuple[int, int], letters: Sequence[str], *, intact: bool) -> Pair:
    first, second = places
    x, y = letters[first], letters[second]
    sample = desk.sample.among({query for query in desk.queries if _differ(desk, first, second, query)})
    wanted = frozenset(sample.queue)
    mine = [vote for vote in votes if {vote.x, vote.y} == {x, y} and vote.query in wanted]
    missing = len(wanted.difference(vote.query for vote in mine))
    both = sum(query in desk.columns[first] and query in desk.columns[second] for query in desk.sample.queue)
    if missing or not intact:
        return Pair(x, y, both, len(sample.queue), missing, None, sample.population, None)
    found = preference(mine, x, y, desk.evaluation.protocol.confidence)
    weighed = None if sample.everything else _weighed(sample, by_query(mine), y)
    return Pair(x, y, both, len(sample.queue), 0, found, sample.population, weighed)


def _weighed(sample: Sample, winners: Mapping[tuple[str, str, str], str], y: str) -> float | None:
    """y's share of the queries with a winner, of all that the sample stands for (Hájek's ratio)."""
    weights = sample.weights
    whole = sum(weights[query] for (query, *_), winner in winners.items() if winner)
    if not whole:
        return None
    return sum(weights[query] for (query, *_), winner in winners.items() if winner == y) / whole


def _together(pair: Pair, p: float, among: int, confidence: float) -> Pair:
    if pair.preference is None:
        return replace(pair, among=among)
    return replace(pair, preference=corrected(pair.preference, p, confidence), among=among)


def _differ(desk: Desk, first: int, second: int, query: str) -> bool:
    one, other = desk.columns[first].get(query), desk.columns[second].get(query)
    k = desk.evaluation.protocol.k
    return one is not None and other is not None and top(one, k) != top(other, k)


def _named(vote: Vote, names: dict[str, str]) -> Vote:
    return Vote(vote.query, vote.judge, names[vote.x], names[vote.y], names[vote.winner] if vote.winner else "")
