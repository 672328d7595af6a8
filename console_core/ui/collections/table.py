"""Every collection as a row; a click opens it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from console_core.ui import words
from console_core.ui.live_table import COLOURS, STATUS
from console_core.vectorstore.types import CollectionInfo

UNKNOWN = "unknown model"


def collection_table(collections: Sequence[CollectionInfo]) -> str | None:
    """Draw the table; the name of the collection whose row was clicked."""
    event = st.dataframe(
        pd.DataFrame([_row(info) for info in collections]),
        hide_index=True,
        key="collection-table",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        alt="All collections",
        column_config={
            "Points": st.column_config.NumberColumn(format="localized", help="Counted exactly."),
            "Dimension": st.column_config.NumberColumn(format="%d", help="Numbers in each vector."),
            "Status": st.column_config.MultiselectColumn(options=list(COLOURS), color=list(COLOURS.values())),
            "Served as": st.column_config.ListColumn(help="Aliases that applications search."),
            "Fingerprint": st.column_config.TextColumn(help="Of everything that makes two vectors comparable."),
        },
    )
    chosen = event["selection"]
    positions = [*chosen["rows"], *(row for row, _ in chosen["cells"])]
    return collections[positions[0]].name if positions and positions[0] < len(collections) else None


def model_of(info: CollectionInfo) -> str:
    """The key of the model that made a collection, or that none is recorded."""
    return info.stamp.model if info.stamp and info.stamp.model else UNKNOWN


def _row(info: CollectionInfo) -> dict[str, object]:
    return {
        "Collection": info.name,
        "Served as": list(info.aliases),
        "Model": model_of(info),
        "Fingerprint": words.digest(info.stamp.fingerprint) if info.stamp else "–",
        "Points": info.points,
        "Dimension": info.dimension,
        "Distance": info.distance,
        "Status": [STATUS.get(info.status, info.status)],
    }
