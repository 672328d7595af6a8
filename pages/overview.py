"""What is live, what is running, and what needs a person."""

import streamlit as st

from console_core.ui import navigation, panels, words
from console_core.ui.attention import attention
from console_core.ui.frame import page
from console_core.ui.keeping import Attention
from console_core.ui.live_table import live_table
from console_core.ui.run_rows import live_runs
from console_core.ui.session import console


def _actions() -> None:
    if st.button("New migration", icon=":material/add:", type="primary", shortcut="N"):
        navigation.go("migrations", view="new")


def _open(item: Attention) -> None:
    navigation.link(item.page, "Open", icon=":material/arrow_forward:", **item.parameters)


with page("Overview", lead="What is live, what is running, and what needs you.", actions=_actions):
    collections = console().store.collections()
    served = [info for info in collections if info.aliases]
    pictures = console().catalog.count()
    with st.grid(4, min_column_width=200):
        st.metric("Pictures in the catalog", words.number(pictures), border=True, height="stretch")
        st.metric("Collections", len(collections), border=True, height="stretch")
        st.metric("Points served", words.number(sum(info.points for info in served)), border=True, height="stretch")
        st.metric(
            "Models in use", len({info.stamp for info in collections if info.stamp}), border=True, height="stretch"
        )
    with panels.card("Live", caption="Which collection each alias answers from; a dash: no alias serves it."):
        live_table(collections)
    left, right = st.columns(2)
    with left, panels.card("Running now"):
        live_runs()
    with right, panels.card("Needs attention"):
        panels.findings(attention(console(), collections), all_clear="Nothing waits for you.", action=_open)
