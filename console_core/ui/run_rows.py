"""A run as a row: what it is, where it stands, and what can be asked of it. Used wherever runs are shown."""

from functools import partial

import streamlit as st

from console_core.runs.control import verbs
from console_core.runs.types import ACTIVE, Run, Verb
from console_core.ui import confirm, navigation, panels, session, words
from console_core.ui.frame import live
from console_core.ui.glance import glance
from console_core.ui.permission import command_button

TICK = 1.5
"""Seconds between two looks at runs that are being worked on."""
IDLE_TICK = 5.0
"""Seconds between two looks where nothing is being done: someone else may start something."""
_LEFT = {
    "reembed": "Points that it has written stay in the collection.",
    "ingest": "Points that it has written stay in the collection.",
    "generate": "Points and rows of the column that it has written stay.",
    "verify": "It has written nothing.",
    "coverage": "It has written nothing.",
    "duplicates": "What it has found so far stays listed.",
    "sample": "The sample stays as it was.",
    "losses": "It has written nothing.",
    "encoder_check": "It has written nothing.",
    "backup": "What it has written stays on the Backups page, unfinished, and can be deleted there.",
    "prove": "The scratch collection that it has filled is deleted; the backup stays as it is.",
    "restore": "The collection that it has filled so far is deleted; the backup stays as it is.",
    "recreate": "The name leads to what it led to before. The copy of that which was begun is deleted.",
    "retire": "The collection stays as it is.",
    "snapshot": "The server may finish the snapshot all the same.",
    "recover": "The server may finish the recovery all the same.",
}


def live_runs(*, empty: str = "Nothing is running.") -> None:
    """The active runs, refreshed by themselves; the whole page runs again when a run starts or ends."""
    active = session.console().ledger.runs(states=ACTIVE)
    seen = {run.id for run in active}

    def board() -> None:
        runs = session.console().ledger.runs(states=ACTIVE)
        if {run.id for run in runs} != seen:
            st.rerun()
        if not runs:
            st.caption(empty)
        for run in runs:
            run_row(run)

    live(board, every=TICK if active else IDLE_TICK)


def run_row(run: Run, *, controls: bool = True) -> None:
    """Title, state, progress and, with `controls`, what the run can be asked for."""
    seen = glance(run)
    with st.container(gap="small", key=f"run-{run.id}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="stretch"):
                navigation.link("runs", run.title, run=run.id)
                panels.state_badge(words.run_state(run.state))
                if seen.stalled:
                    st.badge("Stalled", icon=":material/hourglass_disabled:", color="red")
            if controls:
                run_controls(run)
        panels.progress(run.counts, fraction=seen.fraction, sentence=seen.sentence)
        if run.remedy:
            st.caption(words.plain(run.remedy))


def run_controls(run: Run) -> None:
    """Pause, resume and cancel, as far as the run's state allows them."""
    offered = verbs(run.state)
    if Verb.PAUSE in offered:
        _button("Pause", ":material/pause:", "pause", run, f"{run.title} pauses after its batch.")
    if Verb.RESUME in offered:
        _button("Resume", ":material/play_arrow:", "resume", run, f"{run.title} continues.")
    cancel_button(run)


def cancel_button(run: Run) -> None:
    """Cancel, where the run's state allows it; asks first."""
    if Verb.CANCEL in verbs(run.state) and command_button(
        "Cancel", "cancel", icon=":material/stop:", key=f"cancel-{run.id}"
    ):
        cancel = partial(session.act, "cancel", run=run.id, done=f"{run.title} is cancelled.")
        text = f"It cannot be resumed after that. {_LEFT.get(run.kind, _LEFT['reembed'])}"
        title = f"Cancel {words.plain(run.title)}?"
        confirm.ask(confirm.Question(title, text, "Cancel run", cancel, icon=":material/stop:", keep="Keep it"))
        st.rerun()


def _button(label: str, icon: str, command: str, run: Run, done: str) -> None:
    if command_button(label, command, icon=icon, key=f"{command}-{run.id}"):
        session.act(command, run=run.id, done=done)
        st.rerun()
