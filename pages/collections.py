"""Every collection of the store, everything about one of them, and the making of a new one."""

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from console_core.errors import CollectionNotFound
from console_core.ui import navigation, panels, words
from console_core.ui.collections import duplicates
from console_core.ui.collections.detail import collection_detail, next_steps
from console_core.ui.collections.listing import listing
from console_core.ui.collections.making import VIEW, new_button, new_collection
from console_core.ui.frame import page
from console_core.ui.session import console, parameter, set_parameters
from console_core.vectorstore.types import CollectionInfo


def _back() -> None:
    if st.button("All collections", icon=":material/arrow_back:", type="tertiary", key="all-collections"):
        navigation.go("collections")


def _one(name: str, shows: Callable[[CollectionInfo], None]) -> None:
    _back()
    try:
        info = console().store.describe(name)
    except CollectionNotFound:
        text = "It was deleted or renamed by something else. What the console keeps about it is not lost."
        panels.empty_state(f"There is no collection {name}", text, icon=":material/search_off:")
        return
    if info.name != name:
        set_parameters(collection=info.name)
        st.rerun()
    shows(info)


def _actions() -> None:
    with suppress(CollectionNotFound):
        next_steps(console().store.describe(name))


def _to_it() -> None:
    navigation.link("collections", "The collection", collection=name)


if (name := parameter("collection")) and parameter("show") == duplicates.SHOW:
    with page(f"Duplicates in {words.plain(name)}", lead="Pictures that it has more than once.", actions=_to_it):
        _one(name, duplicates.duplicates)
elif name:
    with page(words.plain(name), actions=_actions):
        _one(name, collection_detail)
elif parameter("view") == VIEW:
    with page("New collection", lead="Empty, for a migration to fill. Nothing is written before you make it."):
        _back()
        new_collection()
else:
    with page("Collections", lead="What the vector store holds, and which model made it.", actions=new_button):
        listing(console().store.collections())
