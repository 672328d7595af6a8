"""What blind votes between whole lists come to. Nothing is said of a pair of columns before all of its queries were
voted on: their number was fixed in advance."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from console_core.judging import wording
from console_core.judging.desk import Desk
from console_core.judging.judgements import CountedVote
from console_core.judging.leaderboard import Leaderboard, leaderboard
from console_core.judging.metrics import top
from console_core.judging.votes import Preference, Vote, preference


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns by their letters. `asked` queries are voted on, those that the two answer apart among the drawn;
    `missing` have no vote yet. `preference` is None until none is missing, and where the answers were changed."""

    x: str
    y: str
    asked: int
    missing: int
    preference: Preference | None

    @property
    def finding(self) -> str:
        """As of the preference; "withheld" without one."""
        return self.preference.finding if self.preference else "withheld"

    @property
    def text(self) -> str:
        """What the votes say, in a sentence or two."""
        found = self.preference
        if found is None and self.missing:
            queries = "1 query" if self.missing == 1 else f"{self.missing:,} queries"
            return f"No verdict. {queries} without a vote between {self.x} and {self.y}. Vote on all that were drawn."
        if found is None:
            return "No verdict. The kept answers are not those that were sealed. Ask the query set again."
        counts = f"{self.x} on {found.a:,}, {self.y} on {found.b:,} queries, neither on {found.ties:,}"
        said = {"A": f"{self.x} is preferred to {self.y}", "B": f"{self.y} is preferred to {self.x}"}
        told = f"{said.get(found.finding, f'{self.x} and {self.y} are not told apart')}: {counts}"
        if found.share is None:
            return f"{told}."
        between = f"{wording.share(found.lower)} to {wording.share(found.upper)}"
        part = f"{self.y} has {wording.share(found.share)} of those with a winner"
        return f"{told}; {part} ({between}, p {wording.chance(found.p)})."


@dataclass(frozen=True, slots=True)
class Ballots:
    """Each pair of columns, and of three or more an order, once every pair was voted on."""

    pairs: tuple[Pair, ...]
    leaderboard: Leaderboard | None


def ballots(desk: Desk, counted: Sequence[CountedVote], letters: Sequence[str], *, intact: bool) -> Ballots:
    """What the votes that count come to, under the evaluation's protocol."""
    evaluation = desk.evaluation
    names = {str(place): letter for place, letter in zip(evaluation.columns, letters, strict=True)}
    votes = [_named(one.as_vote(), names) for one in counted]
    pairs = []
    for first, second in combinations(range(len(letters)), 2):
        x, y = letters[first], letters[second]
        apart = {query for query in desk.sample.queue if _differ(desk, first, second, query)}
        mine = [vote for vote in votes if {vote.x, vote.y} == {x, y} and vote.query in apart]
        missing = len(apart - {vote.query for vote in mine})
        whole = intact and not missing
        found = preference(mine, x, y, evaluation.protocol.confidence) if whole else None
        pairs.append(Pair(x, y, len(apart), missing, found))
    if len(letters) < 3 or any(pair.preference is None for pair in pairs):
        return Ballots(tuple(pairs), None)
    protocol = evaluation.protocol
    order = leaderboard(votes, list(letters), seed=protocol.seed, confidence=protocol.confidence)
    return Ballots(tuple(pairs), order)


def _differ(desk: Desk, first: int, second: int, query: str) -> bool:
    one, other = desk.columns[first].get(query), desk.columns[second].get(query)
    k = desk.evaluation.protocol.k
    return one is not None and other is not None and top(one, k) != top(other, k)


def _named(vote: Vote, names: dict[str, str]) -> Vote:
    return Vote(vote.query, vote.judge, names[vote.x], names[vote.y], names[vote.winner] if vote.winner else "")
