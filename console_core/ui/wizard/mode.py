"""How pictures are decoded and resized: three ways, each with one line that says what it means."""

from dataclasses import replace

import streamlit as st

from console_core.embedding.preprocessing import Mode
from console_core.migration.findings import Request
from console_core.ui.wizard.draft import Draft

_KEY = "wizard-mode"
_USUAL = Request("", "").mode


def choose_mode(draft: Draft) -> None:
    """Draw the choice; the preflight below compares what is chosen with exact mode."""
    st.session_state[_KEY] = draft.mode

    def choose() -> None:
        replace(draft, mode=Mode(st.session_state[_KEY])).write()

    st.radio(
        "How pictures are decoded and resized",
        list(Mode),
        key=_KEY,
        format_func=_title,
        captions=[mode.meaning for mode in Mode],
        on_change=choose,
        help="Vectors of all three may meet in one search. The preflight compares what you choose with exact mode, "
        "on pictures of your own.",
    )


def _title(mode: Mode) -> str:
    return f"{mode.capitalize()} (usual)" if mode is _USUAL else mode.capitalize()
