"""Every collection of the store, what is wrong with any of them, and the store itself."""

from collections.abc import Sequence

import streamlit as st

from console_core.ui import panels
from console_core.ui.collections.detail import blocking
from console_core.ui.collections.ingesting import ingest_card
from console_core.ui.collections.store import about
from console_core.ui.collections.table import collection_table
from console_core.ui.session import console, set_parameters
from console_core.vectorstore.types import CollectionInfo


def listing(collections: Sequence[CollectionInfo]) -> None:
    """Draw them; a click on a row opens that collection."""
    if not collections:
        text = "Ingest pictures, or prepare the demo: embedding-console demo."
        panels.empty_state("The store is empty", text, icon=":material/database:")
        ingest_card()
        return
    store = console().store
    with panels.card("All collections", caption="Click a row to open it."):
        if chosen := collection_table(collections):
            set_parameters(collection=chosen)
            st.rerun()
    ingest_card()
    if wrong := blocking(collections):
        with panels.card("What is wrong", key="wrong"):
            panels.findings(wrong)
    with panels.card("The store", key="store"):
        about(store.info(), store.size_on_disk())
