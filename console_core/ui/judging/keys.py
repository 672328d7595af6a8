"""Keys and clicks of a judge: each counts once, and only for pictures that were on the screen.

Streamlit's own shortcuts press their button again while a key is held, and the next press is taken for whatever the
server has drawn by then, which nobody may have seen. So an element in the page lets a press through only where its
pictures were there, loaded, for a moment, one for each drawing, and no press of a key that was not released.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_RUNS = "judging-runs"
_element = st.components.v2.component(
    "embedding_console_judging_keys",
    html="<div class='keys' hidden></div>",
    js=Path(__file__).with_name("keys.js").read_text("utf-8"),
)


def guard_keys(question: str, sources: Sequence[str], *, buttons: str) -> None:
    """Guards the buttons whose keys are `buttons`-0 to `buttons`-9, and their number keys, while this is judged: a
    question by its id, and the addresses of the pictures that are to be seen first."""
    st.session_state[_RUNS] = runs = st.session_state.get(_RUNS, 0) + 1
    _element(
        key="judging-keys",
        data={"question": question, "sources": list(dict.fromkeys(sources)), "buttons": buttons, "run": runs},
    )
