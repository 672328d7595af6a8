"""The words of a question: what to look for, what to turn away from, and how much words count beside a picture."""

import streamlit as st

from console_core.querylab.question import LONGEST, MOST_TERMS
from console_core.ui.address import from_address, many_from_address
from console_core.ui.query_lab import fields

WEIGHTS = tuple(str(share) for share in range(0, 101, 5))


def words_field() -> str:
    """The search field; what it says, without spaces around it."""
    from_address(fields.QUERY, "q", "")
    st.text_input(
        "Search",
        key=fields.QUERY,
        type="search",
        icon=":material/search:",
        placeholder="Describe a picture, then press Enter",
        label_visibility="collapsed",
        max_chars=LONGEST,
        on_change=fields.write,
    )
    return str(st.session_state[fields.QUERY]).strip()


def without_field() -> tuple[str, ...]:
    """The texts to turn away from."""
    many_from_address(fields.WITHOUT, "not", [], most=MOST_TERMS)
    st.multiselect(
        "Not",
        list(st.session_state[fields.WITHOUT]),
        key=fields.WITHOUT,
        accept_new_options=True,
        max_selections=MOST_TERMS,
        placeholder="But not…",
        label_visibility="collapsed",
        width=240,
        help="Pictures like these words come later: each column's vector of them is taken away from the question's, "
        "with half its weight. Nothing is shut out.",
        on_change=fields.write,
    )
    return tuple(text.strip() for text in st.session_state[fields.WITHOUT] if text.strip())


def weight() -> int:
    """How much words count beside the picture, in percent."""
    from_address(fields.WEIGHT, "weight", str(fields.EVEN), allowed=WEIGHTS)
    st.session_state[fields.WEIGHT] = int(st.session_state[fields.WEIGHT])
    st.slider(
        "Share of the words",
        0,
        100,
        step=5,
        format="%d %%",
        key=fields.WEIGHT,
        width=220,
        help="The rest is the picture's. At 0 % only the picture counts, at 100 % only the words.",
        on_change=fields.write,
    )
    return int(st.session_state[fields.WEIGHT])
