"""What there is to judge: query sets, what was answered to them, and evaluations; and how each begins."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import streamlit as st

from console_core.catalog.types import ImageRow
from console_core.errors import ConsoleError
from console_core.judging import wording
from console_core.judging.asking import KIND
from console_core.judging.judgements import Evaluation
from console_core.judging.query_lists import captioned
from console_core.judging.query_sets import QuerySet
from console_core.judging.snapshots import Snapshot
from console_core.querylab.rankings import Query
from console_core.runs.types import ACTIVE, RESUMABLE
from console_core.ui import panels, pictures, session, words
from console_core.ui.address import choice, kept
from console_core.ui.clickable_table import clickable_table
from console_core.ui.judging.asking import ask_form
from console_core.ui.judging.naming import JUDGE
from console_core.ui.judging.saving import new_set
from console_core.ui.live_run import live_run
from console_core.ui.unrestored import number, one_of, say, strangers

MOST = 50


def overview() -> None:
    """The three steps, each with what it has so far; the first without anything says what to do."""
    say(strangers({JUDGE}))
    lab = session.console().lab
    sets, answered, judged = lab.query_sets.all(), lab.snapshots.all(limit=MOST), lab.judgements.all(limit=MOST)
    _working()
    with panels.card(
        "1 Query sets", caption="What people search for. Each change is a new version.", key="judging-sets"
    ):
        _sets(sets)
        new_set(open_first=not sets)
    if not sets:
        return
    with panels.card(
        "2 Answers", caption="A query set is asked once, and its answers never change.", key="judging-answers"
    ):
        _answers(answered)
        ask_form(sets, open_first=not answered)
    if not answered:
        return
    with panels.card("3 Evaluations", caption="Blind judgements of answers, under a protocol that was locked first."):
        _evaluations(judged, {one.id: one for one in answered})


def _working() -> None:
    for run in session.console().ledger.runs(kinds=(KIND,), states=ACTIVE | RESUMABLE, limit=3):
        with panels.card(run.title):
            live_run(run)


def _sets(sets: Sequence[QuerySet]) -> None:
    if not sets:
        st.markdown("There is none yet. Begin with captions of your own pictures, or paste what people search for.")
        return
    rows = [
        {
            "Query set": one.name,
            "Version": one.version,
            "Questions": one.size,
            "From": one.origin or "typed",
            "Saved": session.when(one.made_at),
            "By": one.made_by,
        }
        for one in sets
    ]
    place = clickable_table(rows, key="query-sets", alt="Query sets")
    if place is not None:
        st.query_params.from_dict({"set": sets[place].name, **kept(JUDGE)})
        st.rerun()


def _answers(answered: Sequence[Snapshot]) -> None:
    if not answered:
        st.markdown("Nothing was asked yet. Choose the collections to compare, the reference first.")
        return
    rows = [
        {
            "Query set": f"{one.set_name} v{one.set_version}",
            "Columns": " · ".join(c.name for c in one.columns),
            "Models": " · ".join(dict.fromkeys(c.model for c in one.columns)),
            "Answers each": one.depth,
            "Asked": session.when(one.made_at),
            "By": one.made_by,
        }
        for one in answered
    ]
    place = clickable_table(rows, key="answer-snapshots", alt="Answers to query sets")
    st.caption("Click a row to see where its columns agree, and to judge them.")
    if place is not None:
        st.query_params.from_dict({"snapshot": answered[place].id, **kept(JUDGE)})
        st.rerun()


def _evaluations(judged: Sequence[Evaluation], answered: Mapping[str, Snapshot]) -> None:
    if not judged:
        st.markdown("There is none yet. Click answers above, and begin one there.")
        return
    rows = [
        {
            "Query set": f"{of.set_name} v{of.set_version}" if (of := answered.get(one.snapshot)) else "–",
            "By": "grades" if one.way == "grades" else "votes between lists",
            "Measure": wording.measured(one.way, one.protocol),
            "Margin": wording.margin(one.way, one.protocol),
            "Models": "revealed" if one.revealed_at else "hidden",
            "Begun": session.when(one.made_at),
            "Begun by": one.made_by,
        }
        for one in judged
    ]
    place = clickable_table(rows, key="evaluations", alt="Evaluations")
    if place is not None:
        chosen = judged[place]
        told = {"evaluation": chosen.id} | ({"view": "verdict"} if chosen.revealed_at else {})
        st.query_params.from_dict({**told, **kept(JUDGE)})
        st.rerun()


def _captioned(asked: Sequence[Query]) -> list[Query]:
    """Questions with what their pictures are called, as far as the catalog can be asked."""
    rows: Mapping[str, ImageRow] = {}
    with suppress(ConsoleError):
        rows = pictures.rows_by_key(one.like for one in asked if one.like)
    return [captioned(one, rows) for one in asked]


def set_view(name: str) -> None:
    """One query set: its versions and questions."""
    sets = session.console().lab.query_sets
    versions = sets.versions(name)
    newest = sets.get(name)
    numbers = [one.version for one in versions]
    version = chosen if (chosen := number("version", newest.version)) in numbers else newest.version
    say(
        [
            *strangers({"set", "version", JUDGE}),
            *one_of("version", [str(one) for one in numbers], f"the newest, {newest.version}, is shown"),
        ]
    )
    left, _ = st.columns([1, 3])
    if len(numbers) > 1:
        change = choice("set-version", "version", version, usual=newest.version)
        left.selectbox("Version", numbers, key="set-version", on_change=change)
    shown = sets.get(name, version)
    st.caption(
        words.plain(f"{shown.size:,} questions · {shown.origin or 'typed'} · {shown.made_by}, ")
        + session.when(shown.made_at)
    )
    asked = _captioned(sets.queries(shown))
    st.dataframe(
        [{"Question": one.label, "Tags": ", ".join(one.tags)} for one in asked],
        hide_index=True,
        height="content" if len(asked) < 20 else 560,
        alt=f"Questions of {name}",
    )
    new_set(name=name, queries=asked)
