"""Every collection as a row; a click opens it."""

from collections.abc import Sequence

import streamlit as st

from console_core.ui import words
from console_core.ui.clickable_table import clickable_table
from console_core.ui.live_table import COLOURS, STATUS
from console_core.vectorstore.types import CollectionInfo

UNKNOWN = "unknown model"


def collection_table(collections: Sequence[CollectionInfo]) -> str | None:
    """Draw the table; the name of the collection whose row was clicked."""
    position = clickable_table(
        [_row(info) for info in collections],
        key="collection-table",
        alt="All collections",
        columns={
            "Points": st.column_config.NumberColumn(format="localized", help="Counted exactly."),
            "Dimension": st.column_config.NumberColumn(format="%d", help="Numbers in each vector."),
            "Status": st.column_config.MultiselectColumn(options=list(COLOURS), color=list(COLOURS.values())),
            "Served as": st.column_config.ListColumn(help="Aliases that applications search."),
            "Fingerprint": st.column_config.TextColumn(help="Of everything that makes two vectors comparable."),
        },
    )
    return None if position is None else collections[position].name


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
