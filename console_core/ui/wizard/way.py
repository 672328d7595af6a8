"""How the traffic of a collection that is searched by its own name shall move: through an alias, or in place."""

from collections.abc import Collection
from dataclasses import replace

import streamlit as st

from console_core.rollout.recreate import gap_estimate
from console_core.runs.wording import short_interval
from console_core.ui import session, words
from console_core.ui.wizard.draft import Draft
from console_core.ui.wizard.introduction import introduce

TITLE = "Recreate in place"


def choose_way(draft: Draft, collection: str, taken: Collection[str]) -> None:
    """The two ways side by side."""
    left, right = st.columns([3, 2])
    with left:
        introduce(draft, collection, taken)
    with right:
        _offer(draft, collection)


def _offer(draft: Draft, collection: str) -> None:
    name = words.plain(collection)
    gap = short_interval(*gap_estimate(session.console().store))
    with st.container(border=True, gap="small", height="stretch", key="in-place"):
        st.subheader("My application cannot search an alias", anchor=False)
        st.markdown(
            f"Then **{name}** is recreated in place: the new collection is built and verified beside it, and at the "
            "very end the name passes to it. The application is not touched at all."
        )
        st.markdown(
            f"- Before that, **{name}** must be backed up, and the backup proven by a restore.\n"
            f"- For {gap} the name leads nowhere: searches in that moment fail.\n"
            "- What it held stays as a second collection, and is the way back."
        )
        st.button(TITLE, key="choose-in-place", on_click=replace(draft, in_place=True).write)


def chosen_in_place(draft: Draft, collection: str) -> None:
    """One line that says what was chosen, and a way to change it."""
    with (
        st.container(border=True, key="in-place-chosen"),
        st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"),
    ):
        with st.container(width="stretch", gap=None):
            st.markdown(f":green[:material/check_circle:] {TITLE}: **{words.plain(collection)}** keeps its name")
            st.caption("It is built beside it; the name passes to it at the end, once a backup is proven.")
        st.button("Change", key="change-in-place", on_click=replace(draft, in_place=False).write)
