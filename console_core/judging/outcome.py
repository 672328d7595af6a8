"""Everything that is shown of an evaluation: by the screen, the command line and the report, from one computation.

It needs the ledger alone: the store and the models may be gone. Columns are named A, B, C…, the reference is A. Which
collection and model each is, and what single queries say, is in it only once the models were told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from console_core.judging import wording
from console_core.judging.ballots import Ballots, ballots
from console_core.judging.comparisons import Comparison, comparisons, with_attribution
from console_core.judging.documents import document
from console_core.judging.imported import Imported, imported
from console_core.judging.judgements import CountedVote, Evaluation, Judgement, Way, by_judge, combined
from console_core.judging.judges import JudgesAgreement, counting, judges_agreement
from console_core.judging.looks import Look, early
from console_core.judging.named_columns import NamedColumn, caution, letters, named
from console_core.judging.protocol import Protocol
from console_core.judging.query_rows import QueryRow, query_rows
from console_core.judging.records import LabRecords
from console_core.judging.siblings import Sibling
from console_core.judging.snapshots import Snapshot
from console_core.judging.told import Figures, ToldVerdict
from console_core.judging.twins import twins
from console_core.judging.versions import versions
from console_core.vectorstore.ways import Search


@dataclass(frozen=True, slots=True)
class Answered:
    """The snapshot that was judged. `intact`: its answers are still those that it was sealed with."""

    id: str
    set_name: str
    set_version: int
    questions: int
    depth: int
    digest: str
    intact: bool
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of queries that were given to judges, and how many of them nobody graded."""

    all: int
    unjudged: int

    @property
    def share(self) -> float:
        """Of those that nobody graded."""
        return self.unjudged / self.all if self.all else 0.0


@dataclass(frozen=True, slots=True)
class EvaluationOutcome:
    """What became of an evaluation. Where pictures were graded there is a comparison for each column but the reference
    and `twins` others, which are judged and not compared; where lists were voted on there are `ballots`. `judges` have
    how many grades or votes each gave, and `counting` how many of these count: the grades of questions that the judge
    finished, and all votes. `words` were ever added by judges, those that they took back too. `caution` is a sentence
    where a verdict may be about an encoder that is fed wrongly, and "" else. `siblings` judged the same before this
    protocol was locked, `beside` did so later, until its models were told, and `told` is what it said then."""

    evaluation: str
    way: Way
    protocol: Protocol
    digest: str
    gains: Mapping[int, int]
    made_by: str
    made_at: datetime
    revealed_at: datetime | None
    revealed_by: str
    answered: Answered
    columns: tuple[NamedColumn, ...]
    twins: int
    caution: str
    comparisons: tuple[Comparison, ...]
    ballots: Ballots | None
    judges: Mapping[str, int]
    imported: Imported
    siblings: tuple[Sibling, ...]
    beside: tuple[Sibling, ...]
    counting: Mapping[str, int]
    agreement: JudgesAgreement | None
    pictures: Pictures
    words: int
    looks: tuple[Look, ...]
    early_looks: int
    openings: tuple[Look, ...]
    queries: tuple[QueryRow, ...]
    versions: Mapping[str, str]
    told: ToldVerdict | None = None

    @property
    def summary(self) -> str:
        """What each look is recorded with."""
        if self.ballots is not None:
            return ", ".join(f"{one.x}:{one.y} {one.finding}" for one in self.ballots.pairs)
        return ", ".join(one.verdict.outcome for one in self.comparisons)

    @property
    def decides(self) -> bool | None:
        """True where no column is worse than the reference, False where one is, None where that is not known.

        Votes are taken for it as far as they go: True where each column is preferred to the reference.
        """
        if self.ballots is not None:
            found = [one.finding for one in self.ballots.pairs if one.x == "A"]
            good, bad = [each == "B" for each in found], [each == "A" for each in found]
        else:
            outcomes = [one.verdict.outcome for one in self.comparisons]
            good, bad = [each == "non-inferior" for each in outcomes], [each == "inferior" for each in outcomes]
        return False if any(bad) else True if good and all(good) else None

    @property
    def withheld(self) -> bool:
        """Whether a column, or a pair, has no verdict."""
        if self.ballots is not None:
            return any(one.preference is None for one in self.ballots.pairs)
        return any(one.verdict.decision is None for one in self.comparisons)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What it says of each comparison, or of each pair of columns."""
        found = self.ballots.pairs if self.ballots is not None else self.comparisons
        return tuple(one.text for one in found)

    @property
    def figures(self) -> Figures:
        """The same in numbers: what was found, and what decides it, rounded to what any machine computes alike."""
        if self.ballots is not None:
            given = [(pair.x + pair.y, pair.finding, pair.preference) for pair in self.ballots.pairs]
            return [[pair, said, *((one.a, one.b, one.ties) if one else ())] for pair, said, one in given]
        found = [(one.letter, one.verdict.outcome, one.verdict.decision) for one in self.comparisons]
        return [
            [letter, said, *(round(value, 9) for value in (one.estimate.mean, one.lost, one.won))]
            if one
            else [letter, said]
            for letter, said, one in found
        ]

    @property
    def otherwise(self) -> str:
        """What it said when the models were told, where that is not what is computed now; "" where it is."""
        if self.told is None or [*map(list, self.told.figures)] == [*map(list, self.figures)]:
            return ""
        return wording.otherwise(self.told.sentences, self.told.versions, self.told.at)

    @property
    def looked(self) -> str:
        """How often the verdict was looked at, in a sentence or two."""
        return wording.looked(len(self.looks), self.early_looks)

    @property
    def opened(self) -> str:
        """Who saw what each column answered while judging was blind; "" where nobody did."""
        return wording.opened([one.by for one in self.openings])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What nobody who reads the verdict may miss: that its protocol could have been chosen after a result, or that
        it could have been chosen among several; or that it was another when the models were told."""
        said = (
            self.otherwise,
            *(one.text for one in self.siblings),
            self.imported.warning,
            *(one.text for one in self.beside),
            self.opened,
        )
        return tuple(filter(None, said))

    def advice(self, one: Comparison) -> str:
        """What to do about one of the comparisons; "" where there is nothing to do."""
        told = self.revealed_at is not None
        exact = any(column.letter == one.letter and column.way == Search.EXACT for column in self.columns)
        apart = not told or exact or one.attributed is not None
        return wording.advice(one.verdict.outcome, revealed=told, intact=self.answered.intact, apart=apart)

    def to_json(self) -> dict[str, object]:
        """All of it as one JSON document. Tuples are lists, times are in ISO 8601, and what is not finite is null."""
        found: dict[str, object] = document(self)
        return found


def outcome_of(lab: LabRecords, evaluation: Evaluation) -> EvaluationOutcome:
    """What became of an evaluation by now. The same ledger gives the same outcome, bit for bit, in any thread.

    Raises:
        NotFound: its snapshot or its query set is not there.
    """
    snapshot = lab.snapshots.get(evaluation.snapshot)
    desk, intact = lab.desk(evaluation), lab.readings.is_intact(snapshot, afresh=True)
    given = lab.judgements.of(evaluation.id)
    votes = lab.judgements.votes(evaluation.id)
    words, seen = lab.judgements.counted(evaluation.id), lab.looks.of(evaluation.id)
    counted = counting(given, desk.pools)
    grades, touched = combined(counted), {(one.query, one.key) for one in given}
    graded, told = evaluation.way == "grades", evaluation.revealed_at is not None
    asked = [snapshot.columns[place] for place in evaluation.columns]
    twin_of = twins(asked)
    compared = comparisons(evaluation, desk, grades, intact, twin_of) if graded else {}
    if told:
        ways = [one.way for one in asked]
        compared = {place: with_attribution(one, place, desk, grades, ways, twin_of) for place, one in compared.items()}
    columns = named(evaluation, asked, twin_of)
    verdicts = {place: one.verdict for place, one in compared.items()}
    siblings, beside = lab.siblings.around(evaluation, snapshot, given)
    keys = [(query, key) for query, pool in desk.pools.items() for key in pool] if graded else []
    return EvaluationOutcome(
        evaluation=evaluation.id,
        way=evaluation.way,
        protocol=evaluation.protocol,
        digest=evaluation.digest,
        gains=evaluation.protocol.gains,
        made_by=evaluation.made_by,
        made_at=evaluation.made_at,
        revealed_at=evaluation.revealed_at,
        revealed_by=evaluation.revealed_by,
        answered=_answered(snapshot, len(desk.queries), intact),
        columns=columns,
        twins=len(twin_of),
        caution=caution(asked, columns),
        comparisons=tuple(compared.values()),
        ballots=None if graded else ballots(desk, votes, letters(evaluation), intact=intact),
        judges=_judges(given, votes),
        imported=imported(given, evaluation.made_at),
        siblings=siblings,
        beside=beside,
        counting=_judges(counted, votes),
        agreement=judges_agreement(by_judge(given), evaluation.protocol.scale) if graded else None,
        pictures=Pictures(len(keys), sum(key not in touched for key in keys)),
        words=words,
        looks=seen,
        early_looks=early(seen, words),
        openings=lab.looks.openings(evaluation.id),
        queries=query_rows(desk, grades, verdicts) if graded and told else (),
        versions=versions(),
        told=lab.told.of(evaluation.id) if told else None,
    )


def _answered(snapshot: Snapshot, questions: int, intact: bool) -> Answered:
    return Answered(
        *(snapshot.id, snapshot.set_name, snapshot.set_version, questions, snapshot.depth, snapshot.digest, intact),
        *(snapshot.made_by, snapshot.made_at),
    )


def _judges(given: Sequence[Judgement], votes: Sequence[CountedVote]) -> dict[str, int]:
    """How many grades and votes each judge gave."""
    found: dict[str, int] = {}
    for judge in (*(one.judge for one in given), *(one.judge for one in votes)):
        found[judge] = found.get(judge, 0) + 1
    return dict(sorted(found.items()))
