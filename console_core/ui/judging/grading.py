"""Grade pictures one by one, by keyboard, without knowing who found them."""

from html import escape

import streamlit as st

from console_core.judging.judgements import Evaluation
from console_core.querylab.rankings import Query
from console_core.ui import panels, session, words
from console_core.ui.judging.keys import guard_keys
from console_core.ui.judging.naming import judge_name
from console_core.ui.permission import denied
from console_core.web.pictures import thumb_url

_GRADES = {0: "Wrong", 1: "Barely", 2: "Good", 3: "Perfect"}
_YES_NO = {0: "No", 1: "Yes"}


def grading(evaluation: Evaluation) -> None:
    """The next picture of this judge, large, and a button with a key for each grade."""
    lab, judge = session.console().lab, judge_name()
    desk, mine = lab.desk(evaluation), lab.graded.of(evaluation.id, judge)
    done, task = desk.graded(mine), desk.next_task(mine)
    if not done.of:
        text = "That counts as no difference, and needs no judge. The verdict is there already."
        panels.empty_state("All columns answer every question alike", text, icon=":material/task_alt:")
        return
    st.progress(done.share, text=f"{done.judged:,} of {words.count(done.of, 'picture')} judged")
    if task is None:
        all_judged(evaluation, judge)
        return
    grades = _GRADES if evaluation.protocol.highest == 3 else _YES_NO
    row = lab.snapshots.pictures(evaluation.snapshot, [task.key, task.following])
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    source = thumb_url(task.key, row[task.key].revision if task.key in row else "", "large")
    with left:
        st.html(
            f'<img src="{escape(source)}" alt="The picture to judge" style="display:block;width:100%;'
            'height:min(62vh,560px);object-fit:contain;border-radius:6px">'
        )
        if task.following in row:  # so that it is there when its turn comes
            ahead = _source(task.following, row[task.following].revision)
            st.html(f'<img src="{ahead}" alt="" width="1" height="1" style="opacity:0;position:absolute">')
    with right:
        st.caption("How well does the picture answer")
        st.subheader(words.plain(task.query.text or task.query.label), anchor=False)
        if task.query.like:
            asked_picture(task.query.like)
        for grade, label in sorted(grades.items(), reverse=True):
            st.button(
                label,
                key=f"grade-{grade}",
                shortcut=str(grade),
                width="stretch",
                on_click=_give,
                args=(evaluation, task.query.id, task.key, grade, judge),
                disabled=bool(denied("judge")),
                help=denied("judge") or None,
            )
        st.caption(f"Picture {task.number} of {task.of} for this question")
        undo_button(evaluation, judge, disabled=not mine)
        guard_keys(task.query.id, [source, *asked_sources(task.query)], buttons="grade")


def _give(evaluation: Evaluation, query: str, key: str, grade: int, judge: str) -> None:
    """A key that was pressed again before the next picture was there is no word on the one that was judged."""
    lab = session.console().lab
    now = lab.desk(evaluation).next_task(lab.graded.of(evaluation.id, judge))
    if now is not None and (now.query.id, now.key) == (query, key):
        session.act(
            "judge",
            evaluation=evaluation.id,
            query=query,
            key=key,
            grade=grade,
            judge=judge,
            browser=session.browser(),
        )


def undo_button(evaluation: Evaluation, judge: str, *, disabled: bool) -> None:
    """Takes back the judge's newest grade or vote."""
    st.button(
        "Take back the last one",
        key="undo",
        shortcut="U",
        icon=":material/undo:",
        type="tertiary",
        disabled=disabled or bool(denied("undo_judgement")),
        on_click=session.act,
        args=("undo_judgement",),
        kwargs={"evaluation": evaluation.id, "judge": judge, "browser": session.browser()},
    )


def asked_picture(key: str, *, edge: int = 240) -> None:
    """The picture that a question asks with, whole, within a square of so many CSS pixels."""
    st.html(
        f'<img src="{_source(key, "")}" alt="The picture that is asked for" '
        f'style="display:block;width:{edge}px;max-width:100%;height:{edge}px;object-fit:contain;border-radius:6px">',
        width="content",
    )


def asked_sources(query: Query) -> list[str]:
    """The address of the picture that a question asks with, if it does."""
    return [thumb_url(query.like, "", "large")] if query.like else []


def _source(key: str, revision: str, size: str = "large") -> str:
    return escape(thumb_url(key, revision, size), quote=True)  # type: ignore[arg-type]


def all_judged(evaluation: Evaluation, judge: str) -> None:
    """What a judge is told at the end; the way to the verdict stands below."""
    panels.empty_state(
        "All is judged",
        f"Nothing is left for {judge}. The models stay hidden until an operator ends the judging.",
        icon=":material/task_alt:",
    )
    undo_button(evaluation, judge, disabled=False)
