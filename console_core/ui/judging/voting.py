"""Vote between two whole lists, by keyboard, without knowing whose they are."""

import streamlit as st

from console_core.judging.desk import Duel
from console_core.judging.judgements import TIE, Evaluation
from console_core.ui import gallery, panels, pictures, session, words
from console_core.ui.judging.grading import all_judged, asked_picture, asked_sources, undo_button
from console_core.ui.judging.keys import guard_keys
from console_core.ui.judging.naming import judge_name
from console_core.ui.permission import denied


def voting(evaluation: Evaluation) -> None:
    """The next two lists of this judge, left and right by chance, and a key for each answer."""
    lab, judge = session.console().lab, judge_name()
    desk, mine = lab.desk(evaluation), lab.judgements.votes(evaluation.id, judge)
    done, duel = desk.voted(mine), desk.next_duel(mine, judge)
    st.progress(done.share, text=f"{done.judged:,} of {words.count(done.of, 'vote')} given")
    if duel is None:
        all_judged(evaluation, judge)
        return
    st.caption("Which list answers better")
    st.subheader(words.plain(duel.query.text or duel.query.label), anchor=False)
    if duel.query.like:
        asked_picture(duel.query.like)
    with st.container(horizontal=True, horizontal_alignment="center"):
        for label, key, winner in (("Left", "1", duel.left), ("Both alike", "2", TIE), ("Right", "3", duel.right)):
            st.button(
                label,
                key=f"vote-{key}",
                shortcut=key,
                width=180,
                disabled=bool(denied("vote")),
                help=denied("vote") or None,
                on_click=_give,
                args=(evaluation, duel, winner, judge),
            )
    rows = lab.snapshots.pictures(evaluation.snapshot, [key for some in duel.lists for key in some])
    drawn = [
        gallery.Column(
            title,
            [
                gallery.Tile(key, pictures.address(key, rows.get(key)), f"Picture {rank}", rank)
                for rank, key in enumerate(some, start=1)
            ],
        )
        for title, some in zip(("Left", "Right"), duel.lists, strict=True)
    ]
    with panels.card():
        gallery.gallery(drawn, key="duel", tile_width=120)
    undo_button(evaluation, judge, disabled=not mine)
    shown = [tile.src for column in drawn for tile in column.tiles]
    guard_keys(duel.query.id, [*shown, *asked_sources(duel.query)], buttons="vote")


def _give(evaluation: Evaluation, duel: Duel, winner: int, judge: str) -> None:
    """A key that was pressed again before the next lists were there is no vote on those that were judged."""
    lab = session.console().lab
    now = lab.desk(evaluation).next_duel(lab.judgements.votes(evaluation.id, judge), judge)
    if now == duel:
        session.act(
            "vote",
            evaluation=evaluation.id,
            query=duel.query.id,
            x=duel.left,
            y=duel.right,
            winner=winner,
            judge=judge,
            browser=session.browser(),
        )
