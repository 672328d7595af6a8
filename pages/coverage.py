"""Which pictures a collection has, which it lacks, and why."""

from functools import partial

import streamlit as st

from console_core.coverage.gaps import CoverageSnapshot
from console_core.ui import panels
from console_core.ui.coverage.behind import behind_the_bars
from console_core.ui.coverage.collections import all_collections, chosen_collection, newest, over_time
from console_core.ui.coverage.column import embedding_column
from console_core.ui.coverage.filling import filling
from console_core.ui.coverage.glance import by_facet, figures, total_bar
from console_core.ui.coverage.measuring import measure_button, measuring
from console_core.ui.frame import guarded, page
from console_core.ui.session import console, when
from console_core.vectorstore.types import CollectionInfo


def _measured(info: CollectionInfo, snapshot: CoverageSnapshot | None) -> None:
    if snapshot is None:
        panels.empty_state(
            f"{info.name} was never measured",
            "A measurement compares the catalog with the collection, picture by picture. It changes nothing.",
            icon=":material/grid_on:",
            action=partial(measure_button, info, key="first-measurement"),
        )
        return
    figures(report := snapshot.report)
    with panels.card("All pictures", aside=filling(info, report)):
        total_bar(report)
    embedding_column(info, report)
    with panels.card("By group", caption="Click a bar to see its pictures."):
        facet = by_facet(report)
    with panels.card("Pictures"):
        behind_the_bars(snapshot, info, facet)


with page("Coverage", lead="Which pictures have a point of the collection's model, and which have none yet."):
    collections = console().store.collections()
    if not collections:
        panels.empty_state("The store is empty", "There is nothing to measure before a collection exists.")
        st.stop()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width=460):
            chosen = chosen_collection(collections)
        measured = newest(collections)
        if (latest := measured.get(chosen.name)) is not None:
            measure_button(chosen)
    if latest is not None:
        st.caption(f"Measured {when(latest.report.measured_at)}.")
    measuring(chosen)
    with guarded("Coverage of this collection"):
        _measured(chosen, latest)
    if measured:
        left, right = st.columns(2)
        with left, panels.card("All collections", caption="The newest measurement of each. Click one to open it."):
            all_collections(collections, measured)
        with right, panels.card("Over time"):
            over_time(measured)
