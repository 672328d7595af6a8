"""Which alias serves which collection, made by which model: the answer to "what is live?"."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from console_core.coverage.gaps import CoverageSnapshot
from console_core.ui import navigation, panels, session, words
from console_core.vectorstore.types import CollectionInfo

STATUS = {"green": "ready", "yellow": "optimizing", "grey": "waiting", "red": "failed"}
COLOURS = {"ready": "green", "optimizing": "orange", "waiting": "gray", "failed": "red"}


def live_table(collections: Sequence[CollectionInfo]) -> None:
    """One row for each alias, and one for each collection that is searched by its own name."""
    if not collections:
        panels.empty_state(
            "The store is empty", "Fill a collection with vectors, or prepare the demo: embedding-console demo."
        )
        return
    measured = {info.name: session.console().coverage.latest(info.name) for info in collections}
    rows = [_row(alias, info, measured[info.name]) for info in collections for alias in (info.aliases or ("",))]
    rows.sort(key=lambda row: (row["Alias"] == "–", row["Alias"], row["Collection"]))
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt="What each alias serves",
        column_config={
            "Points": st.column_config.NumberColumn(format="localized"),
            "Dimension": st.column_config.NumberColumn(format="%d"),
            "Coverage": st.column_config.TextColumn(
                alignment="right", help="The share of the catalog that has a current point, when it was last measured."
            ),
            "Status": st.column_config.MultiselectColumn(options=list(COLOURS), color=list(COLOURS.values())),
        },
    )
    navigation.link("collections", "All collections", icon=":material/arrow_forward:")


def _row(alias: str, info: CollectionInfo, measured: CoverageSnapshot | None) -> dict[str, object]:
    return {
        "Alias": alias or "–",
        "Collection": info.name,
        "Model": info.stamp.model if info.stamp else "unknown model",
        "Fingerprint": words.digest(info.stamp.fingerprint) if info.stamp else "–",
        "Dimension": info.dimension,
        "Points": info.points,
        "Coverage": words.percent(measured.report.coverage) if measured else "not measured",
        "Status": [STATUS.get(info.status, info.status)],
    }
