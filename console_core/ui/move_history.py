"""Every move of the aliases, the newest first."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from console_core.rollout.records import Move, MoveKind
from console_core.ui import panels, session


def move_history(moves: Sequence[Move]) -> None:
    """Draw the table."""
    if not moves:
        panels.empty_state("No moves yet", "Introductions, cut-overs and rollbacks are listed here for good.")
        return
    rows = [
        {
            "When": move.at.astimezone(session.zone()),
            "Alias": move.alias,
            "What": [str(move.kind)],
            "From": move.before or "–",
            "To": move.after,
            "Who": move.actor,
            "Migration": move.migration or "–",
        }
        for move in moves
    ]
    kinds = [str(kind) for kind in MoveKind]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt="Moves of aliases",
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "What": st.column_config.MultiselectColumn(options=kinds, color=["blue", "green", "orange"]),
        },
    )
