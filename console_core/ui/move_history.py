"""Every move of the aliases, and every share of their traffic, the newest first."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from console_core.rollout.records import Move, MoveKind
from console_core.rollout.share import Share
from console_core.ui import panels, session

SHARED, ENDED = "share", "share ended"


def move_history(moves: Sequence[Move], shares: Sequence[Share]) -> None:
    """Draw the table."""
    if not moves and not shares:
        panels.empty_state("No moves yet", "Introductions, shares, cut-overs and rollbacks are listed here for good.")
        return
    rows = sorted([*map(_move, moves), *map(_share, shares)], key=lambda row: row["When"], reverse=True)
    kinds = [*map(str, MoveKind), SHARED, ENDED]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt="Moves of aliases and shares of their traffic",
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
            "What": st.column_config.MultiselectColumn(
                options=kinds, color=["blue", "green", "orange", "violet", "gray"]
            ),
        },
    )


def _move(move: Move) -> dict[str, Any]:
    return {
        "When": move.at.astimezone(session.zone()),
        "Alias": move.alias,
        "What": [str(move.kind)],
        "Share": "everybody",
        "From": move.before or "–",
        "To": move.after,
        "Who": move.actor,
        "Migration": move.migration or "–",
    }


def _share(share: Share) -> dict[str, Any]:
    ends = not share.hundredths
    return {
        "When": share.at.astimezone(session.zone()),
        "Alias": share.alias,
        "What": [ENDED if ends else SHARED],
        "Share": f"{share.percent:g} %",
        "From": share.candidate if ends else share.serving,
        "To": share.serving if ends else share.candidate,
        "Who": share.actor,
        "Migration": "–",
    }
