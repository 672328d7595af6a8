"""The form that locks a protocol and begins an evaluation."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from console_core.database import now
from console_core.errors import Refused
from console_core.judging import wording
from console_core.judging.estimate import needed
from console_core.judging.protocol import FEWEST, Protocol
from console_core.judging.snapshots import Snapshot
from console_core.judging.twins import twins
from console_core.judging.workload import workload
from console_core.querylab.rankings import Rankings
from console_core.ui import session, words
from console_core.ui.address import kept
from console_core.ui.judging.naming import JUDGE
from console_core.ui.permission import command_button

_GRADES, _YES_NO, _VOTES = "Grade pictures, 0 to 3", "Pictures, yes or no", "Vote between whole lists"
_GAINS = {"exponential": "2^grade − 1", "linear": "The grade itself"}
_WARNED = 5
"""Evaluations of the same that are named, the newest ones."""
_SEED, _MUCH = "begin-seed", "begin-much"
SPREAD = 0.2
"""Standard deviation of the difference per question that is taken before anything is known."""
_METRICS = {"nDCG": "nDCG", "P": "Precision", "RR": "Reciprocal rank", "Recall": "Recall"}


def begin_form(snapshot: Snapshot, rankings: Sequence[Rankings]) -> None:
    """What is decided before the first judgement. Nothing of it can be changed afterwards."""
    with st.expander("Judge these answers…", icon=":material/gavel:", key="begin-evaluation", on_change="rerun") as box:
        if not box.open:
            return
        st.caption(
            "Decided before anybody sees a result, so that no result can choose how it is measured. "
            "Judges do not see which model found what."
        )
        aside = twins(snapshot.columns)
        if aside:
            named = ", ".join(snapshot.columns[place].name for place in aside)
            st.caption(words.plain(f"Twins: {named}. {wording.TWINS} Votes between lists leave twins out."))
        left, middle, right = st.columns(3)
        way = left.radio("How", (_GRADES, _YES_NO, _VOTES), key="begin-way")
        gain = left.selectbox(
            "Gain of a grade",
            tuple(_GAINS),
            format_func=_GAINS.__getitem__,
            key="begin-gain",
            disabled=way != _GRADES,
            help="What a grade is worth in nDCG. Exponential makes a perfect picture worth more than two good ones.",
        )
        metric = middle.selectbox(
            "Metric",
            tuple(_METRICS),
            format_func=_METRICS.__getitem__,
            key="begin-metric",
            disabled=way == _VOTES,
        )
        most = snapshot.depth
        k = middle.number_input("Of the first", min_value=1, max_value=most, value=min(10, most), key="begin-k")
        margin = right.number_input(
            "Margin",
            min_value=0.01,
            max_value=0.5,
            value=0.05,
            step=0.01,
            key="begin-margin",
            disabled=way == _VOTES,
            help="The largest mean loss per question that you accept, in the metric's own unit, 0 to 1.",
        )
        queries = right.number_input(
            "Questions to judge",
            min_value=0,
            max_value=10_000,
            value=0,
            step=10,
            key="begin-queries",
            help=f"0: all that are not answered alike; else at least {FEWEST}, the more is at stake the likelier.",
        )
        st.caption(f"{_what_it_takes(float(margin), votes=way == _VOTES)} Here {len(rankings[0]):,} were answered.")
        told = {
            "metric": metric,
            "k": int(k),
            "margin": round(float(margin), 4),
            "queries": int(queries),
            "scale": "yes/no" if way == _YES_NO else "graded",
            "gain": gain,
        }
        _say_how_much(snapshot, told, rankings, votes=way == _VOTES)
        _warn(snapshot)
        pressed = command_button(
            "Lock this and judge", "begin_evaluation", key="begin-start", kind="primary", icon=":material/lock:"
        )
        if pressed:
            _begin(snapshot, told, votes=way == _VOTES)


def _what_it_takes(margin: float, *, votes: bool) -> str:
    """How many questions a verdict takes; of votes that they know no margin."""
    if votes:
        return (
            "A vote is on whole lists, by no metric and without a margin. It says which are preferred on these "
            "questions, and not that a model is no worse."
        )
    return (
        f"With a usual spread of {SPREAD:g} per question, {needed(SPREAD, margin, Protocol().confidence):,} questions "
        f"show with a chance of 80 % that an equally good model is not worse by more than {margin:g}, if none is left "
        "out."
    )


def _warn(snapshot: Snapshot) -> None:
    """That the same was judged before, which the verdict will say."""
    found = session.console().lab.siblings.of(snapshot, range(len(snapshot.columns)), before=now())
    if found:
        said = "\n".join(f"- {words.plain(one.before)}" for one in found[-_WARNED:])
        said += f"\n- And {len(found) - _WARNED:,} times before." if len(found) > _WARNED else ""
        text = f"{said}\n\nThe verdict will say so: a protocol that is chosen after a result can be chosen for it."
        st.warning(text, title="The same was judged before", icon=":material/history:")


def _places(snapshot: Snapshot, *, votes: bool) -> tuple[int, ...]:
    """The columns that are judged, by their places."""
    aside = twins(snapshot.columns) if votes else {}
    return tuple(place for place in range(len(snapshot.columns)) if place not in aside)


def _say_how_much(snapshot: Snapshot, told: Mapping[str, Any], rankings: Sequence[Rankings], *, votes: bool) -> None:
    """What each judge gets to do. Questions are drawn by the seed that the protocol will have."""
    seed = st.session_state.setdefault(_SEED, secrets.randbelow(2**31))
    try:
        protocol = Protocol(**told, seed=seed)
    except Refused:  # which is said when it is to be locked
        return
    drawn_by = (protocol.metric, protocol.gain, protocol.relevant, protocol.highest, seed) if protocol.queries else ()
    asked = snapshot.id, votes, protocol.k, protocol.queries, drawn_by
    if st.session_state.get(_MUCH, ((), ""))[0] != asked:  # thousands of questions take seconds
        columns = [rankings[place] for place in _places(snapshot, votes=votes)]
        with st.spinner("Counting what there is to judge…"):
            st.session_state[_MUCH] = asked, workload(protocol, columns, "votes" if votes else "grades").text
    st.markdown(f"**{st.session_state[_MUCH][1]}**")


def _begin(snapshot: Snapshot, told: Mapping[str, Any], *, votes: bool) -> None:
    try:
        protocol = Protocol(**told, seed=st.session_state.pop(_SEED))
    except Refused as error:
        session.flash(error.message, error.remedy, kind="error")
        st.rerun()
    made = session.act(
        "begin_evaluation",
        snapshot=snapshot.id,
        columns=_places(snapshot, votes=votes),
        protocol=protocol,
        way="votes" if votes else "grades",
    )
    if made is not None:
        st.query_params.from_dict({"evaluation": made.id, **kept(JUDGE)})
    st.rerun()
