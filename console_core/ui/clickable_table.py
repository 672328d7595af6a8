"""A table whose rows can be clicked anywhere, to open what they stand for."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st


def clickable_table(
    rows: Sequence[Mapping[str, object]],
    *,
    key: str,
    alt: str,
    columns: Mapping[str, Any] | None = None,
    row_height: int | None = None,
) -> int | None:
    """Draw the rows; the position of the row that was clicked in this run, as given, however the reader sorted them.

    The click is forgotten with the next run, so that a second click on the same row is one too.
    """
    turn = st.session_state.setdefault(f"{key}-turn", 0)
    event = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        row_height=row_height,
        key=f"{key}-{turn}",
        on_select="rerun",
        selection_mode="single-cell",
        alt=alt,
        column_config=dict(columns or {}),
    )
    cells = event["selection"]["cells"]
    if not cells or not 0 <= cells[0][0] < len(rows):
        return None
    st.session_state[f"{key}-turn"] = turn + 1
    return int(cells[0][0])
