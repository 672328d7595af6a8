"""The columns of an evaluation, each against the reference, decided together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from console_core.judging.attribution import Attributed, attributed, pairs
from console_core.judging.desk import Desk
from console_core.judging.guards import NOT_INTACT
from console_core.judging.judgements import Evaluation
from console_core.judging.named_columns import letters
from console_core.judging.several import together
from console_core.judging.slices import Slice, by_tag
from console_core.judging.verdict import Verdict, decide, withhold
from console_core.querylab.rankings import Grades, Query
from console_core.vectorstore.ways import Search


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column against the reference. Its metrics, `worst` and `best` are None where it is withheld. `tags` are
    slices, exploratory and corrected for how many there are. `left_out` are questions that one of the two could not
    answer, by label. `attributed` says whose doing it is, once the models were told and where both have a twin; None
    else, and where the verdict is withheld."""

    letter: str
    verdict: Verdict
    tags: tuple[Slice, ...]
    left_out: tuple[str, ...]
    attributed: Attributed | None = None

    @property
    def text(self) -> str:
        return self.verdict.text


def comparisons(
    evaluation: Evaluation, desk: Desk, grades: Grades, intact: bool, twin_of: Mapping[int, int]
) -> dict[int, Comparison]:
    """The comparison of each column by its place. Twins are among the columns that questions were drawn by, and in no
    comparison: see `twins`."""
    protocol, reference, found = evaluation.protocol, desk.columns[0], {}
    for place, letter in list(enumerate(letters(evaluation)))[1:]:
        if place in twin_of:
            continue
        names, column = ("A", letter), desk.columns[place]
        asked = desk.queries.keys()
        verdict = decide(protocol, evaluation.digest, reference, column, grades, desk.sample, asked=asked, names=names)
        found[place] = verdict if intact else withhold(verdict, NOT_INTACT)
    verdicts = together(list(found.values()))
    return {place: _comparison(verdict, desk) for place, verdict in zip(found, verdicts, strict=True)}


def with_attribution(
    one: Comparison, place: int, desk: Desk, grades: Grades, ways: Sequence[Search], twin_of: Mapping[int, int]
) -> Comparison:
    """The same with whose doing it is, where the reference and the column both have a twin."""
    reference, column = (pairs(desk.columns, ways, twin_of, each) for each in (0, place))
    if reference is None or column is None or one.verdict.decision is None:
        return one
    names = one.verdict.names
    found = attributed(desk.evaluation.protocol, desk.sample, reference, column, grades, names=names)
    return replace(one, attributed=found)


def _comparison(verdict: Verdict, desk: Desk) -> Comparison:
    if verdict.decision is None:  # a mean over what was judged of one column only looks like a result
        a, b = replace(verdict.a, scores=None), replace(verdict.b, scores=None)
        verdict = replace(verdict, a=a, b=b, worst=None, best=None)
    left_out = tuple(desk.queries[query].label for query in verdict.unanswered)
    return Comparison(verdict.names[1], verdict, _tags(verdict, list(desk.queries.values())), left_out)


def _tags(verdict: Verdict, asked: Sequence[Query]) -> tuple[Slice, ...]:
    if verdict.decision is None:
        return ()
    return tuple(by_tag(verdict.sample, verdict.differences, asked, verdict.protocol.confidence))
