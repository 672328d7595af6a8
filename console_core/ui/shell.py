"""The script that Streamlit runs for every visitor: the menu, the footer, and the page that was asked for.

It does not lie beside `pages/`, because Streamlit would then serve those files without running this one.
"""

from pathlib import Path

import streamlit as st

from console_core.ui import footer, navigation

ICON = str(Path(__file__).with_name("icon.png"))
st.set_page_config(page_icon=ICON, layout="wide", menu_items={})
st.logo(ICON, size="large")
current = st.navigation(navigation.sections(), expanded=True)
st.set_page_config(page_title=f"{current.title} · Embedding Console")
navigation.arrive(current)
with st.sidebar:
    footer.footer()
current.run()
