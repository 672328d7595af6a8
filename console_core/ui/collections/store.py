"""The store behind the collections: what it is, and what it cannot do."""

from collections.abc import Sequence

import streamlit as st

from console_core.ui import panels, words
from console_core.vectorstore.types import StoreInfo


def about(store: StoreInfo, size: int | None) -> None:
    """`size` is in bytes on this machine's disk, None where it cannot be known."""
    left, right = st.columns(2)
    with left:
        facts: dict[str, object] = {"Kind": store.kind, "Version": store.version, "Location": store.location}
        if size is not None:
            facts["Size on disk"] = words.size(size)
        panels.details(facts, alt="The store")
    with right:
        if store.limits:
            limits(store.limits)
        else:
            st.caption("No limits are known.")


def limits(sentences: Sequence[str]) -> None:
    """What a store cannot do, said calmly."""
    st.caption("\n".join(["What this store cannot do", *(f"- {words.plain(one)}" for one in sentences)]))
