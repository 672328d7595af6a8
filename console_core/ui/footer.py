"""The foot of the menu: which store and workspace this is, and whether they answer."""

from importlib.metadata import PackageNotFoundError, version

import streamlit as st

from console_core.ui import words
from console_core.web import process


def footer() -> None:
    """Says what is known without asking the store, so that it costs nothing on every run."""
    opened, problem = process.opened(), process.problem()
    with st.container(key="footer", gap="xxsmall"):
        if opened is not None:
            store = opened.store.info()
            st.caption(f"{words.plain(store.kind)} :green-badge[connected]", help=words.plain(store.location))
            st.caption(words.plain(opened.settings.workspace.name), help=words.plain(opened.settings.workspace))
        elif problem is not None:
            st.caption(":red-badge[not connected]", help=words.plain(problem))
        else:
            st.caption(":gray-badge[opening]")
        st.caption(f"Embedding Console {console_version()}")


def console_version() -> str:
    """The installed version; "development" where the package is not installed."""
    try:
        return version("embedding-console")
    except PackageNotFoundError:
        return "development"
