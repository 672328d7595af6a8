"""Which collection's failures are looked at: those that have any come first, with their number."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.ui.address import from_address, write_address
from console_core.vectorstore.types import CollectionInfo

COLLECTION, VIEW = "failures-collection", "failures-view"
FIELDS = {"collection": COLLECTION, "view": VIEW}
OPEN, QUARANTINE = "failed", "quarantine"


def chosen_collection(collections: Sequence[CollectionInfo], failed: Mapping[str, int]) -> CollectionInfo:
    """The collection of the address, else the one with most failures; drawn as a choice."""
    ranked = sorted(collections, key=lambda info: (-failed.get(info.name, 0), not info.aliases, info.name))
    by_name = {info.name: info for info in ranked}
    from_address(COLLECTION, "collection", next(iter(by_name)), allowed=by_name)
    if st.session_state[COLLECTION] not in by_name:
        st.session_state[COLLECTION] = next(iter(by_name))

    def said(name: str) -> str:
        served = f" · served as {', '.join(by_name[name].aliases)}" if by_name[name].aliases else ""
        return f"{name}{served}"  # without a number: Streamlit goes on showing the label of when it was chosen

    name = st.selectbox(
        "Collection",
        list(by_name),
        key=COLLECTION,
        format_func=said,
        on_change=write_address,
        args=(FIELDS,),
        kwargs={"kind": None, "after": None, "view": None},
    )
    return by_name[name]


def chosen_view(open_to: int, quarantined: int) -> str:
    """Those that a retry takes, or those in quarantine; drawn as a choice where there are any of the latter."""
    numbers = {OPEN: open_to, QUARANTINE: quarantined}
    from_address(VIEW, "view", OPEN if open_to else QUARANTINE, allowed=numbers)
    if not quarantined:
        return OPEN
    labels = {OPEN: "To be mended", QUARANTINE: "In quarantine"}
    view = st.segmented_control(
        "Which",
        list(numbers),
        key=VIEW,
        required=True,
        format_func=lambda name: f"{labels[name]} · {numbers[name]:,}",
        on_change=write_address,
        args=(FIELDS,),
        kwargs={"kind": None, "after": None},
        label_visibility="collapsed",
    )
    return str(view)
