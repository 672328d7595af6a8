"""What the console is connected to, whether it answers, and what changes it. Read only."""

import streamlit as st

from console_core import settings
from console_core.ui import panels, words
from console_core.ui.connections import facts, probes
from console_core.ui.connections.card import connection, what_it_cannot_do
from console_core.ui.connections.variables import variables
from console_core.ui.frame import page
from console_core.ui.session import console

with page("Settings", lead="What the console is connected to. It is changed in console.toml or the environment."):
    workspace = console().settings.workspace
    st.caption(f"Workspace {words.plain(workspace)}")
    left, right = st.columns(2)
    with left:
        connection("Vector store", facts.store, probes.store, more=what_it_cannot_do)
    with right:
        connection("Catalog", facts.catalog, probes.catalog)
    left, right = st.columns(2)
    with left:
        connection("Images", facts.images, probes.images)
    with right:
        connection("Ledger", facts.ledger, probes.ledger)
    left, right = st.columns(2)
    with left:
        connection("You", facts.person)
    with right:
        connection("Device", facts.device, probes.device)
    with panels.card("Libraries", key="libraries"):
        st.markdown(" ".join(f":gray-badge[{name} {number}]" for name, number in facts.libraries().items()))
    with panels.card(
        "What changes this",
        caption=f"Environment variables win over {settings.FILE}; start the console again after a change.",
        key="variables",
    ):
        variables()
