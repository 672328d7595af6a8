"""The browser's own full screen, for a show: a button and the key F. It ends when the show does."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_element = st.components.v2.component(
    "embedding_console_full_screen",
    html="<button type='button'><span></span><kbd>F</kbd></button>",
    css=(_HERE / "full_screen.css").read_text("utf-8"),
    js=(_HERE / "full_screen.js").read_text("utf-8"),
)


def full_screen_button() -> None:
    """The button. Where the browser allows no page to fill the screen it says which key does."""
    _element(key="stage-full-screen", width="content")
