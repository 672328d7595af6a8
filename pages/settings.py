"""Who you are, what the console runs on, and what changes its settings. Read only."""

import streamlit as st

from console_core import settings
from console_core.ui import panels, words
from console_core.ui.connections import facts, probes
from console_core.ui.connections.card import connection
from console_core.ui.connections.variables import variables
from console_core.ui.frame import page
from console_core.ui.session import console

with page("Settings", lead="Who you are, and what the console runs on."):
    workspace = console().settings.workspace
    st.caption(f"Workspace {words.plain(workspace)}")
    left, right = st.columns(2)
    with left:
        connection("You", facts.person)
    with right:
        connection("Device", facts.device, probes.device)
    with panels.card("Libraries", key="libraries"):
        st.markdown(" ".join(f":gray-badge[{name} {number}]" for name, number in facts.libraries().items()))
    with panels.card(
        "What changes this",
        caption=f"Environment variables win over {settings.FILE}. Stores, catalogs, images and models are edited under "
        "Connections; start the console again after any other change.",
        key="variables",
    ):
        variables()
