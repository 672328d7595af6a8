"""The foot of the menu: which store and workspace this is, and whether they answer."""

from importlib.metadata import PackageNotFoundError, version

import streamlit as st

from console_core.ui import session, words
from console_core.web import process

ANSWERED = {True: " :green-badge[connected]", False: " :red-badge[not reachable]", None: ""}
"""What is said of a store by whether it answered when it was last asked."""


def footer() -> None:
    """Says what is known without asking the store, so that it costs nothing on every run. Breaks no page."""
    with st.container(key="footer", gap="xxsmall"):
        try:
            _store_and_workspace()
        except Exception as error:
            st.caption(f":gray-badge[unknown (incident {session.incident('the foot of the menu', error)})]")
        st.caption(f"Embedding Console {console_version()}")


def _store_and_workspace() -> None:
    opened, problem = process.opened(), process.problem()
    if opened is not None:
        store = opened.store.info()
        st.caption(f"{words.plain(store.kind)}{ANSWERED[store.answered]}", help=words.plain(store.location))
        st.caption(words.plain(opened.settings.workspace.name), help=words.plain(opened.settings.workspace))
    elif problem is not None:
        st.caption(":red-badge[not connected]", help=words.plain(problem))
    else:
        st.caption(":gray-badge[opening]")


def console_version() -> str:
    """The installed version; "development" where the package is not installed."""
    try:
        return version("embedding-console")
    except PackageNotFoundError:
        return "development"
