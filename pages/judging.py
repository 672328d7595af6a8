"""Judging: query sets, their answers, blind judgements, and the verdict."""

import streamlit as st

from console_core.ui import words
from console_core.ui.address import kept
from console_core.ui.frame import guarded, page
from console_core.ui.judging.agreement import agreement_view
from console_core.ui.judging.curtain import is_hidden, may_see
from console_core.ui.judging.grading import grading
from console_core.ui.judging.lookup import evaluation_of
from console_core.ui.judging.naming import JUDGE, asks_who_it_is, say_what_is_left_out, who_judges
from console_core.ui.judging.overview import overview, set_view
from console_core.ui.judging.presenting import presentation
from console_core.ui.judging.verdict import verdict_view
from console_core.ui.judging.voting import voting
from console_core.ui.session import console, parameter

LEAD = (
    "From “it looks better” to a verdict: the same questions to several models, judged without knowing which is which."
)


def _back() -> None:
    if st.button("All of judging", icon=":material/arrow_back:", key="all-judging"):
        st.query_params.from_dict(kept(JUDGE))
        st.rerun()


if chosen := parameter("evaluation"):
    evaluation = evaluation_of(chosen, _back)
    if parameter("view") == "verdict" or evaluation.revealed_at is not None:
        with page("Verdict", lead="What judges said, what it decides, and what it rests on.", actions=_back):
            verdict_view(evaluation)
    else:
        with page("Judge", lead="Judge what you see. Which model found it is told at the end.", actions=_back):
            say_what_is_left_out()
            if not asks_who_it_is(evaluation):
                (grading if evaluation.way == "grades" else voting)(evaluation)
            who_judges(evaluation)
elif (chosen := parameter("snapshot")) and parameter("view") == "present":
    with guarded("The presentation"):
        snapshot = console().lab.snapshots.get(chosen)
        if is_hidden(snapshot):
            with page("Presentation", lead="Chosen questions, one at a time, for a room.", actions=_back):
                may_see(snapshot)
        else:
            presentation(snapshot)
elif chosen:
    with page("Answers", lead="Where the columns agree, and where they do not.", actions=_back):
        agreement_view(console().lab.snapshots.get(chosen))
elif chosen := parameter("set"):
    with page(words.plain(f"Query set {chosen}"), actions=_back):
        set_view(chosen)
else:
    with page("Judging", lead=LEAD):
        overview()
