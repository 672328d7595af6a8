"""Which picture the answers are like."""

from html import escape

import streamlit as st

from console_core.ui import pictures, words
from console_core.ui.address import write_address
from console_core.ui.query_lab.question import FIELDS


def like_banner(key: str) -> None:
    """The picture whose neighbours are shown, small, and the way back to words."""
    row = pictures.rows_by_key([key]).get(key)
    said = pictures.caption(key, row.payload if row is not None else {})
    source = escape(pictures.address(key, row), quote=True)
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<img src="{source}" alt="{escape(said, quote=True)}" width="56" height="56" '
            'style="object-fit:cover;border-radius:6px;display:block">',
            width="content",
        )
        st.markdown(f"Pictures like **{words.plain(said)}**  \n:gray[By each collection's own vector of it.]")
        st.space("stretch")
        st.button(
            "Clear",
            icon=":material/close:",
            key="lab-clear",
            on_click=write_address,
            args=(FIELDS,),
            kwargs={"like": None},
        )
