"""Is B no worse than A? Decided per query, in pairs, under a protocol that was locked before the first judgment. Pure.

The rule: B is non-inferior where the lower one-sided bound of mean(B − A) is above −margin, inferior where the upper
bound is below it, and otherwise nothing is decided. The bound is Student's. A sign-flip test has to agree with it, and
so has the bound with one more query that lost (or won) everything, since few queries show nothing of rare whole losses.
"No significant difference" is never taken for "no worse".

How many queries there are is fixed in advance. Whoever looks at a verdict, judges more and looks again has more
chances to be wrong than the confidence says; how often it was looked at is for whoever shows it to record.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from console_core.judging.decision import Decision, Outcome, decision
from console_core.judging.estimate import RESAMPLES, More, more
from console_core.judging.guards import Reason, reasons
from console_core.judging.holes import Judged, bounds, judged_of, stakes
from console_core.judging.metrics import Scores, scores, weighted
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import Sample, disagreement, sample_of, single
from console_core.judging.slices import Slice, by_metric
from console_core.querylab.rankings import Grades, Rankings

_MANY = 0.2
"""The share of questions without a relevant picture from which they are spoken of."""
FIXED = "The number of questions was fixed in advance; the confidence holds for one look at the verdict."


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its mean scores over the queries that judges were given, each weighed as it was drawn, and how much
    of it was judged. Queries that all columns answer alike are not in the means."""

    scores: Scores | None
    judged: Judged


@dataclass(frozen=True, slots=True)
class Verdict:
    """B against A, with every number that it rests on.

    `reasons` say why it is withheld, and are empty otherwise; then `decision` and `differences` are None and empty, so
    that a mean that says nothing is not shown. `worst` and `best` are the mean difference if all that was not judged in
    the drawn queries fell against B, or for it; what is shown of a withheld verdict has None in their place. `queries`
    were answered by both; `identical` of them have the same first k in both columns and count as no difference, judged
    or not, and `repeated` have the very same answers in both as another one, which counts for them too. `drawn`
    were given to judges, and `barren` of these were graded and have no relevant picture, so that they count as no
    difference either; `elsewhere` is the mean difference of the other drawn ones. `unanswered` are left out of all of
    it, since A or B could not answer them. `further` is what an inconclusive one lacks. `secondary` metrics are
    exploratory. `sample` has each query's chance. `names` are what sentences call A and B, where more than two columns
    were judged together. It is one `among` so many comparisons, decided together: then the bounds of its estimate are
    surer than the protocol's.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    protocol: Protocol
    a: Column
    b: Column
    queries: int
    unanswered: tuple[str, ...]
    identical: int
    repeated: int
    drawn: int
    barren: int
    elsewhere: float | None
    decision: Decision | None
    differences: Mapping[str, float]
    worst: float | None
    best: float | None
    further: More | None
    secondary: tuple[Slice, ...]
    sample: Sample
    names: tuple[str, str] = ("A", "B")
    among: int = 1
    fixed: str = FIXED

    @property
    def text(self) -> str:
        """The verdict in one sentence or two."""
        if self.decision is None:
            return " ".join(("No verdict.", *(reason.text for reason in self.reasons)))
        found = self.decision.estimate
        a, b = self.names
        said = {"non-inferior": f"{b} is non-inferior", "inferior": f"{b} is inferior"}.get(
            self.outcome, f"Nothing is decided of {b}"
        )
        between = f"its {self.protocol.measure} less {a}'s is between {found.lower:+.3f} and {found.upper:+.3f}"
        sure = f"{found.n:,} questions, each bound {100 * found.confidence:.4g}% sure"
        accepted = f"a loss of up to {self.protocol.margin:g} is accepted"
        return " ".join(
            (
                f"{said}: {between} ({sure}), and {accepted}.",
                *self._diluted,
                *self._left_out,
                *self._together,
                *self._unseen,
                *self._further,
            )
        )

    @property
    def _unseen(self) -> tuple[str, ...]:
        """What keeps bounds that would do from deciding, if it is what so few questions cannot show."""
        if self.decision is None or self.outcome != "inconclusive":
            return ()
        found, limit = self.decision.estimate, -self.protocol.margin
        if found.is_above(limit) and self.decision.lost <= limit:
            return (f"If one more question lost all it can, the lower bound would be {self.decision.lost:+.3f}.",)
        if found.is_below(limit) and self.decision.won >= limit:
            return (f"If one more question won all it can, the upper bound would be {self.decision.won:+.3f}.",)
        return ()

    @property
    def _together(self) -> tuple[str, ...]:
        if self.among == 1:
            return ()
        wrong = f"{100 * (1 - self.protocol.confidence):.4g}%"
        return (
            f"It is one of {self.among:,} comparisons: the chance that any of them is wrongly called non-inferior is "
            f"at most {wrong} (Holm's correction).",
        )

    @property
    def _diluted(self) -> tuple[str, ...]:
        """That questions without a relevant picture make a mean difference small, where they are many."""
        if self.elsewhere is None or self.barren < _MANY * self.drawn:
            return ()
        nothing = (
            f"{self.barren:,} of {self.drawn:,} judged questions have no relevant picture and count as no difference"
        )
        return (f"{nothing}; over the others it is {self.elsewhere:+.3f} on average.",)

    @property
    def _left_out(self) -> tuple[str, ...]:
        if not self.unanswered:
            return ()
        left = "1 question is" if len(self.unanswered) == 1 else f"{len(self.unanswered):,} questions are"
        return (f"{left} left out, which {self.names[0]} or {self.names[1]} could not answer.",)

    @property
    def _further(self) -> tuple[str, ...]:
        if self.further is None:
            return ()
        if self.further.hopeless:
            proof = f"more questions are not expected to show that {self.names[1]} is no worse"
            return (f"If the difference is as observed, {proof}.",)
        equal = f"about {self.further.if_equal:,} more questions are needed if the two are truly equal"
        return (f"{equal.capitalize()}, about {self.further.as_observed:,} if the difference is as observed.",)


def decide(
    protocol: Protocol,
    locked: str | None,
    a: Rankings,
    b: Rankings,
    grades: Grades,
    sample: Sample | None = None,
    *,
    asked: Collection[str] = (),
    names: tuple[str, str] = ("A", "B"),
    resamples: int = RESAMPLES,
) -> Verdict:
    """The verdict on two columns' rankings of the same queries.

    `locked` is the digest that was recorded before the first judgment, None if none was. `sample` are the queries that
    were drawn from all columns that are judged together, as `sample_of` does; None where there are only these two. Of
    them count those that both A and B answered, and every one of these has to be judged. `asked` are the queries of the
    set, for those that no column answered, and `names` what sentences call A and B.

    Raises:
        ValueError: a grade is not on the protocol's scale.
    """
    common = sorted(a.keys() & b.keys())
    unpaired = a.keys() ^ b.keys()
    answered = a.keys() | b.keys()
    known = answered.union(asked)
    counted = single((a, b), common, protocol.k) if protocol.repeats == "once" else common
    sample = (sample or sample_of(protocol, (a, b))).among(frozenset(counted))
    a, b = ({query: column[query] for query in common} for column in (a, b))
    apart = disagreement((a, b), protocol.k)
    drawn = [query for query in sample.queue if apart[query]]
    barren = {query for query in drawn if grades.get(query) and max(grades[query].values()) < protocol.relevant}
    weights = sample.weights
    judged = judged_of(a, b, grades, drawn, protocol.k), judged_of(b, a, grades, drawn, protocol.k)
    scored = [scores({query: column[query] for query in drawn}, grades, protocol) for column in (a, b)]
    columns = [Column(weighted(values, weights), share) for values, share in zip(scored, judged, strict=True)]
    at_stake = sum(weights[query] * stakes(a[query], b[query], protocol) for query in drawn)
    limits = {query: bounds(a[query], b[query], grades.get(query, {}), protocol) for query in drawn}
    untouched = sum(not grades.get(query) for query in drawn)
    given = [grades.get(query, {}) for query in drawn]
    why = reasons(
        *(protocol, locked, unpaired, untouched, sample.size),
        *judged,
        names,
        answered=len(answered),
        thin=sample.thin,
        given=given if at_stake > protocol.margin else (),
    )
    differences: dict[str, float] = {}
    decided = None
    if not why:
        differences = dict.fromkeys(sample.queue, 0.0)
        for query in drawn:
            differences[query] = scored[1][query].of(protocol.metric) - scored[0][query].of(protocol.metric)
        decided = decision(protocol, sample, differences, resamples=resamples)
    outcome: Outcome = decided.outcome if decided else "withheld"
    return Verdict(
        outcome=outcome,
        reasons=why,
        protocol=protocol,
        a=columns[0],
        b=columns[1],
        queries=len(common),
        unanswered=tuple(sorted(known.difference(common))),
        identical=sum(value == 0 for value in apart.values()),
        repeated=len(common) - sample.population,
        drawn=len(drawn),
        barren=len(barren),
        elsewhere=_mean([query for query in drawn if query not in barren], differences, weights),
        decision=decided,
        differences=differences,
        worst=sum(weights[query] * low for query, (low, _) in limits.items()),
        best=sum(weights[query] * high for query, (_, high) in limits.items()),
        further=_further(decided, protocol) if decided else None,
        secondary=(
            tuple(by_metric(sample, scored[0], scored[1], protocol.metric, protocol.confidence)) if decided else ()
        ),
        sample=sample,
        names=names,
    )


def decided_with(found: Verdict, confidence: float, *, resamples: int = RESAMPLES) -> Verdict:
    """The same with bounds of another confidence than the protocol's; a withheld one as it is."""
    if found.decision is None:
        return found
    protocol = replace(found.protocol, confidence=confidence)
    check = found.decision.check
    decided = decision(protocol, found.sample, found.differences, check=check, resamples=resamples)
    return replace(found, outcome=decided.outcome, decision=decided, further=_further(decided, protocol))


def withhold(found: Verdict, reason: Reason) -> Verdict:
    """The same without what it decided, for one more reason."""
    reasons = (*found.reasons, reason)
    nothing: dict[str, float] = {}
    told = replace(found, outcome="withheld", reasons=reasons, decision=None, further=None, secondary=())
    return replace(told, differences=nothing, elsewhere=None)


def _mean(queries: Sequence[str], differences: Mapping[str, float], weights: Mapping[str, float]) -> float | None:
    whole = sum(weights[query] for query in queries)
    if not whole or not differences:
        return None
    return sum(weights[query] * differences[query] for query in queries) / whole


def _further(decided: Decision, protocol: Protocol) -> More | None:
    if decided.outcome != "inconclusive":
        return None
    return more(decided.estimate, protocol.margin, decided.reach)
