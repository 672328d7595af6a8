"""All runs: those being worked on, live; those that wait for a person; and what has ended."""

from collections.abc import Sequence

import streamlit as st

from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui import frame, navigation, panels, session, words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.manners import default_manners
from console_core.ui.run_rows import TICK, run_row

MOST = 100
_UNSETTLED = ACTIVE | RESUMABLE


def run_board() -> None:
    """Draw the board. It looks into the ledger every 1.5 s, so that a run of anybody shows within two seconds."""
    ledger = session.console().ledger
    runs = ledger.runs(limit=MOST)
    if not runs:
        text = "A migration's build and verification, and every measurement of coverage, are runs."
        panels.empty_state("No runs yet", text, icon=":material/play_circle:", action=_begin)
    unsettled = ledger.runs(states=_UNSETTLED, limit=MOST)
    drawn = _standing(unsettled, runs[:1])

    def board() -> None:
        current = ledger.runs(states=_UNSETTLED, limit=MOST)
        if _standing(current, ledger.runs(limit=1)) != drawn:
            st.rerun()
        for title, states in (("Working", ACTIVE), ("Waiting for you", RESUMABLE)):
            chosen = [run for run in current if run.state in states]
            if chosen:
                with panels.card(f"{title} ({len(chosen)})"):
                    for run in chosen:
                        run_row(run)

    frame.live(board, every=TICK)
    ended = [run for run in runs if run.state not in _UNSETTLED]
    if ended:
        with panels.card("Ended", caption="Click a row to see its details."):
            _table(ended)
    default_manners()


def _standing(unsettled: Sequence[Run], newest: Sequence[Run]) -> list[tuple[str, str]]:
    return [(run.id, str(run.state)) for run in (*unsettled, *newest)]


def _begin() -> None:
    if st.button("New migration", icon=":material/add:", key="begin"):
        navigation.go("migrations", view="new")


def _table(runs: Sequence[Run]) -> None:
    labels = {word.label: word.colour for word in words.RUN_STATES.values()}
    place = clickable_table(
        [_row(run) for run in runs],
        key="ended-runs",
        alt="Runs that have ended",
        columns={
            "State": st.column_config.MultiselectColumn(options=list(labels), color=list(labels.values())),
            "Progress": st.column_config.ProgressColumn(format="%.1f%%", min_value=0, max_value=100),
            "Done": st.column_config.NumberColumn(format="localized"),
            "Failed": st.column_config.NumberColumn(format="localized"),
            "Ended": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
        },
    )
    if place is not None:
        st.query_params.from_dict({"run": runs[place].id})
        st.rerun()


def _row(run: Run) -> dict[str, object]:
    counts = run.counts
    began, ended = run.started_at, run.finished_at
    return {
        "Run": run.title,
        "Collection": run.target,
        "State": [words.run_state(run.state).label],
        "Progress": 100 * counts.settled / counts.selected if counts.selected else 100.0,
        "Done": counts.done,
        "Failed": counts.all_failed,
        "Start to end": words.duration((ended - began).total_seconds()) if began and ended else "–",
        "Ended": ended.astimezone(session.zone()) if ended else None,
        "By": run.created_by,
        "Id": run.id,
    }
