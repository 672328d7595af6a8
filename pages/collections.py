"""Every collection of the store, and everything about one of them."""

from contextlib import suppress

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.ui import navigation, panels, words
from console_core.ui.collections.detail import blocking, collection_detail, next_steps
from console_core.ui.collections.ingesting import ingest_card
from console_core.ui.collections.store import about
from console_core.ui.collections.table import collection_table
from console_core.ui.frame import page
from console_core.ui.session import console, parameter, set_parameters
from console_core.vectorstore.types import CollectionInfo


def _all(collections: list[CollectionInfo]) -> None:
    if not collections:
        panels.empty_state("The store is empty", "Ingest pictures, or prepare the demo.", icon=":material/database:")
        ingest_card()
        return
    with panels.card("All collections", caption="Click a row to open it."):
        if chosen := collection_table(collections):
            set_parameters(collection=chosen)
            st.rerun()
    ingest_card()
    if wrong := blocking(collections):
        with panels.card("What is wrong", key="wrong"):
            panels.findings(wrong)
    with panels.card("The store", key="store"):
        about(console().store.info(), console().store.size_on_disk())


def _one(name: str) -> None:
    if st.button("All collections", icon=":material/arrow_back:", type="tertiary", key="all-collections"):
        navigation.go("collections")
    try:
        info = console().store.describe(name)
    except CollectionNotFound:
        text = "It was deleted or renamed by something else. What the console keeps about it is not lost."
        panels.empty_state(f"There is no collection {name}", text, icon=":material/search_off:")
        return
    if info.name != name:
        set_parameters(collection=info.name)
        st.rerun()
    collection_detail(info)


def _actions() -> None:
    with suppress(CollectionNotFound):
        next_steps(console().store.describe(name))


if name := parameter("collection"):
    with page(words.plain(name), actions=_actions):
        _one(name)
else:
    with page("Collections", lead="What the vector store holds, and which model made it."):
        _all(console().store.collections())
