"""An evaluation that is still judged: how far its judges are, a look at its verdict, grades of a file, its end."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from console_core.judging import wording
from console_core.judging.desk import Done
from console_core.judging.judgements import Evaluation
from console_core.judging.looks import early
from console_core.judging.outcome import outcome_of
from console_core.ui import confirm, navigation, panels, session, words
from console_core.ui.address import kept
from console_core.ui.judging.importing import grades_from_file
from console_core.ui.judging.naming import JUDGE, judge_name
from console_core.ui.permission import command_button, denied

LOOKED = "verdict-looked-at"


def blind(evaluation: Evaluation) -> None:
    """Who judged how much, and what can be done. Whoever judges here and is not done is not led to the end."""
    lab, graded = session.console().lab, evaluation.way == "grades"
    judges = sorted({one.judge for one in (lab.judgements.of if graded else lab.judgements.votes)(evaluation.id)})
    done = {judge: _done(evaluation, judge) for judge in judges}
    here = lab.judge_browsers.names(evaluation.id, session.browser()) | {judge_name()}
    left = sum(max(0, far.of - far.judged) for judge, far in done.items() if judge in here)
    with panels.card("Still judged blindly", caption="Models are told when an operator ends the judging."):
        for judge, far in done.items():
            st.progress(min(far.share, 1.0), text=words.plain(f"{judge}: {far.judged:,} of {far.of:,}"))
        if not judges:
            st.markdown("Nobody has judged yet.")
        if seen := lab.looks.of(evaluation.id):
            st.caption(words.plain(wording.looked(len(seen), early(seen, lab.judgements.counted(evaluation.id)))))
        with st.container(horizontal=True):
            judging = {"evaluation": evaluation.id, **kept(JUDGE)}
            navigation.link("judging", "Go on judging", icon=":material/gavel:", **judging)
            looked = command_button(
                "Look at the verdict",
                "look_at_verdict",
                key="verdict-look",
                icon=":material/visibility:",
                help="Each look before the end is counted and told: looking again until it fits would be luck.",
            )
            unjudged = _unjudged(evaluation)
            ends = not denied("reveal") and not (left or unjudged) and _end_button("primary")
    if graded:
        grades_from_file(evaluation)
    if (left or unjudged) and not denied("reveal"):
        with st.expander(
            "End the judging early", icon=":material/lock_open:", key="end-early", on_change="rerun"
        ) as box:
            if box.open:
                mine = words.count(left, "picture" if graded else "vote")
                yours = f"You have {mine} left to {'grade' if graded else 'give'} here. " if left else ""
                st.caption(f"{yours or unjudged}What is not judged by then never is.")
                ends = _end_button("secondary")
    if looked:
        st.session_state[LOOKED] = session.act("look_at_verdict", evaluation=evaluation.id)
        st.rerun()
    if ends:
        _ask(evaluation, [judge for judge, far in done.items() if far.judged < far.of])
        st.rerun()


def _end_button(kind: Literal["primary", "secondary"]) -> bool:
    return command_button("Reveal the models…", "reveal", key="verdict-reveal", kind=kind, icon=":material/lock_open:")


def _ask(evaluation: Evaluation, unfinished: Sequence[str]) -> None:
    """Once more, in plain words: what ends with it."""
    midway = f"{', '.join(unfinished)} {'is' if len(unfinished) == 1 else 'are'} not done. " if unfinished else ""
    with st.spinner("Computing the verdict…"):
        withheld = outcome_of(session.console().lab, evaluation).withheld
    none = "**There is no verdict, and after this there never will be one:** “Look at the verdict” says why. "
    said = (
        f"{_unjudged(evaluation)}{words.plain(midway)}{none if withheld else ''}"
        "Judging ends for everybody and for good: no grade is given, taken back or imported any more, and nobody can "
        "hide the models again."
    )
    confirm.ask(
        confirm.Question(
            "Reveal the models without a verdict?" if withheld else "Reveal the models?",
            said,
            "Reveal them",
            lambda: session.act("reveal", evaluation=evaluation.id, done="The models are told."),
            icon=":material/lock_open:",
        )
    )


def _done(evaluation: Evaluation, judge: str) -> Done:
    lab = session.console().lab
    desk = lab.desk(evaluation)
    if evaluation.way == "grades":
        return desk.graded(lab.graded.of(evaluation.id, judge))
    return desk.voted(lab.judgements.votes(evaluation.id, judge))


def _unjudged(evaluation: Evaluation) -> str:
    """How much nobody judged yet, as a sentence; "" where nothing is left."""
    lab = session.console().lab
    desk = lab.desk(evaluation)
    if evaluation.way == "grades":
        graded = {(one.query, one.key) for one in lab.judgements.of(evaluation.id)}
        left = sum((query, key) not in graded for query, pool in desk.pools.items() for key in pool)
        return f"**{words.count(left, 'picture')} nobody has graded.** " if left else ""
    done = desk.voted(lab.judgements.votes(evaluation.id))
    left = done.of - done.judged
    return f"**{words.count(left, 'pair')} of lists nobody has voted on.** " if left else ""
