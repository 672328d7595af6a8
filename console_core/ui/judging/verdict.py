"""The verdict of an evaluation: what it says, what it rests on, and how the models are told."""

from collections.abc import Sequence

import streamlit as st

from console_core.judging import wording
from console_core.judging.comparisons import Comparison
from console_core.judging.judgements import Evaluation
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.slices import Slice
from console_core.ui import charts, frame, panels, session, words
from console_core.ui.address import SHOW, opening
from console_core.ui.judging.blind import LOOKED, blind
from console_core.ui.judging.losses import REVEALED, queries_with_losses
from console_core.ui.judging.naming import JUDGE
from console_core.ui.judging.told import columns, downloads
from console_core.ui.unrestored import say, strangers, unopened

_WHILE_BLIND = {"evaluation", "view", JUDGE}
_KEPT = "_verdict-kept"
_WORDS = {
    "non-inferior": words.Word("Non-inferior", "green", ":material/check_circle:", "No worse than the margin."),
    "inferior": words.Word("Inferior", "red", ":material/cancel:", "Worse by more than the margin."),
    "inconclusive": words.Word("Inconclusive", "orange", ":material/help:", "It is not decided."),
    "withheld": words.Word("Withheld", "gray", ":material/block:", "Nothing can be said yet."),
}


def verdict_view(evaluation: Evaluation) -> None:
    """Before the models are told who judged, and two buttons; afterwards everything."""
    say(strangers({*_WHILE_BLIND, SHOW, *(REVEALED if evaluation.revealed_at else ())}))
    if evaluation.revealed_at is None:
        blind(evaluation)
        found = st.session_state.get(LOOKED)
        if found is None or found.evaluation != evaluation.id:
            return
        if found.words != session.console().lab.judgements.counted(evaluation.id):
            st.caption("What was seen at your last look is not shown any more: more was judged since.")
            return
    else:
        found = _kept(evaluation)
    say(unopened([_others(one) for one in found.comparisons]))
    _warnings(found)
    if found.caution:
        st.warning(words.plain(found.caution), icon=":material/help:")
    _verdicts(found)
    if found.twins and evaluation.revealed_at is None:
        st.caption(words.plain(wording.uncompared(found.twins)))
    _rests_on(found)
    if evaluation.revealed_at is not None:
        columns(found)
        downloads(evaluation)
        with frame.guarded("The questions"):
            queries_with_losses(evaluation, found)
    with st.expander("What a verdict does not say", icon=":material/info:"):
        st.markdown("\n".join(f"- {words.plain(limit)}" for limit in wording.LIMITS))


def _kept(evaluation: Evaluation) -> EvaluationOutcome:
    """The outcome of a revealed evaluation, which never changes any more: computed once for this visitor."""
    kept: EvaluationOutcome | None = st.session_state.get(_KEPT)
    if kept is None or (kept.evaluation, kept.revealed_at) != (evaluation.id, evaluation.revealed_at):
        with st.spinner("Computing the verdict…"):
            kept = outcome_of(session.console().lab, evaluation)
        st.session_state[_KEPT] = kept
    return kept


def _warnings(found: EvaluationOutcome) -> None:
    if found.warnings:
        title = "Judging may not have been blind for everybody"
        if found.beside:
            title = "This is not the only evaluation of the same"
        if found.otherwise:
            title = "This version of the program computes another verdict than was told"
        if found.siblings or found.imported.early:
            title = "This protocol was locked when grades or a verdict were known"
        st.warning("\n\n".join(map(words.plain, found.warnings)), title=title, icon=":material/history:")


def _verdicts(found: EvaluationOutcome) -> None:
    labels = {column.letter: column.label for column in found.columns}
    for one in found.comparisons:
        said = wording.headline(one.verdict.outcome, labels[one.letter], labels["A"])
        with panels.card(said, aside=lambda one=one: panels.state_badge(_WORDS[one.verdict.outcome])):  # type: ignore[misc]
            _comparison(one, found)
    if found.ballots is not None:
        for pair in found.ballots.pairs:
            with panels.card(wording.preferred(pair.finding, labels[pair.x], labels[pair.y])):
                st.markdown(words.plain(pair.text))
                if pair.missing and found.revealed_at is not None:
                    st.caption(words.plain(wording.advice("withheld", revealed=True)))
        if (board := found.ballots.leaderboard) is not None:
            with panels.card("In one order", caption="Bradley and Terry's strengths; 1 is the mean of all."):
                _leaderboard(found)
                if board.reason:
                    st.caption(words.plain(board.reason))


def _comparison(one: Comparison, found: EvaluationOutcome) -> None:
    verdict, protocol = one.verdict, found.protocol
    if verdict.decision is None:
        for reason in verdict.reasons:
            st.markdown(f"- {words.plain(reason.text)}")
    else:
        st.markdown(words.plain(one.text))
        estimate = verdict.decision.estimate
        drawn = charts.interval(
            *(estimate.mean, estimate.lower, estimate.upper),
            unseen=(verdict.decision.lost, verdict.decision.won),
            margin=protocol.margin,
            said=words.plain(one.text),
        )
        panels.chart(drawn, key=f"interval-{one.letter}")
    if one.attributed is not None:
        st.markdown(f"**Whose it is.** {words.plain(one.attributed.text)}")
    if advice := found.advice(one):
        st.caption(words.plain(advice))
    rows = []
    for letter, column in (("A", verdict.a), (one.letter, verdict.b)):
        scores = column.scores
        rows.append(
            {
                "Column": letter,
                **{
                    wording.metric_at(name, protocol.k): wording.score(getattr(scores, field, None))
                    for name, field in (("nDCG", "ndcg"), ("P", "p"), ("RR", "rr"), ("Recall", "recall"))
                },
                f"Judged@{protocol.k}": wording.share(column.judged.at_k),
                "Judged of its own": wording.share(column.judged.own),
            }
        )
    st.dataframe(rows, hide_index=True, height="content", alt=f"Metrics of A and {one.letter}")
    repeated = f", {wording.count(verdict.repeated)} repeat another one" if verdict.repeated else ""
    unjudged = ""
    if wording.differ(verdict.worst, verdict.best):
        worst, best = wording.difference(verdict.worst), wording.difference(verdict.best)
        unjudged = f" If all that was not judged fell against {one.letter}: {worst}; for it: {best}."
    st.caption(
        words.plain(
            f"{wording.count(verdict.queries)} questions: {wording.count(verdict.identical)} answered alike are taken "
            f"for no difference{repeated}, {wording.count(verdict.drawn)} were given to judges, "
            f"{wording.count(verdict.barren)} of them have no relevant picture.{unjudged}"
            + (f" Left out, not answered by both: {wording.named(one.left_out)}." if one.left_out else "")
        )
    )
    if verdict.secondary or one.tags:
        key = f"verdict-{_others(one)}"
        with st.expander("Other metrics, and tags", key=key, on_change=opening(key, _others(one))):
            st.caption(wording.EXPLORATORY)
            _slices([*verdict.secondary, *one.tags], one.letter)


def _others(one: Comparison) -> str:
    """What the address says in `show` while a column's other metrics are open."""
    return f"others-{one.letter}"


def _slices(slices: Sequence[Slice], letter: str) -> None:
    rows = [
        {
            "Slice": one.name,
            "Questions": one.n,
            "Mean difference": wording.difference(one.mean),
            "p, corrected": wording.chance(one.adjusted),
            "Finding": wording.finding(one.finding, letter),
        }
        for one in slices
    ]
    st.dataframe(rows, hide_index=True, height="content", alt="Exploratory slices")


def _leaderboard(found: EvaluationOutcome) -> None:
    assert found.ballots is not None
    assert found.ballots.leaderboard is not None
    labels = {column.letter: column.label for column in found.columns}
    rows = [
        {
            "Rank": one.rank,
            "Column": labels.get(one.name, one.name),
            "Strength": wording.strength(one.strength),
            "Between": f"{wording.strength(one.lower)} and {wording.strength(one.upper)}",
            "Won": one.wins,
            "Lost": one.losses,
            "Ties": one.ties,
        }
        for one in found.ballots.leaderboard.standings
    ]
    st.dataframe(rows, hide_index=True, height="content", alt="The order of the columns")


def _rests_on(found: EvaluationOutcome) -> None:
    bound = "each bound" if len(found.comparisons) < 2 else "all comparisons together"
    facts: dict[str, object] = {
        "Question set": f"{found.answered.set_name} v{found.answered.set_version}, "
        f"{wording.count(found.answered.questions)} questions",
        "Judges": wording.judges(found.judges),
        **({"Of these count": wording.finished(found.counting)} if found.counting != found.judges else {}),
        "Looks": found.looked,
        "Locked": f"{wording.locked(found.way, found.protocol, bound)}, protocol {found.digest[:12]}",
        "Answers": f"{found.answered.id}, {'as they were kept' if found.answered.intact else 'changed since'}",
    }
    if found.way == "grades":
        facts |= {
            "Gain": wording.gain(found.gains),
            "Unjudged pictures": f"{wording.count(found.pictures.unjudged)} of {wording.count(found.pictures.all)}, "
            f"{wording.share(found.pictures.share)}",
            "Where the grades come from": found.imported.text,
            "Agreement of judges": _agreement(found),
        }
    with panels.card("What this rests on"):
        panels.details(facts, alt="What the verdict rests on")


def _agreement(found: EvaluationOutcome) -> str:
    told = found.agreement
    if told is None or told.alpha is None:
        return told.reason if told is not None else ""
    return f"{wording.strength(told.alpha)} (Krippendorff's alpha, {wording.count(told.shared)} pictures)"
