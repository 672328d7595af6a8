"""Which picture the answers are like."""

from base64 import b64encode
from html import escape
from io import BytesIO

import streamlit as st
from PIL import Image

from console_core.querylab.asked_pictures import DAYS
from console_core.ui import pictures, words
from console_core.ui.frame import guarded
from console_core.ui.query_lab import fields, parts
from console_core.ui.query_lab.picture import KEPT

_SMALL = 112


def picture_banner(like: str, picture: Image.Image | None, text: str) -> int:
    """The picture that is asked with, small, and the way back to words alone; how much the words beside it count, in
    percent, where there are any. Draws nothing where there is no picture."""
    if not like and picture is None:
        return fields.EVEN
    said, source, how, more = pictures.caption(like, {}), "", "By each collection's own vector of it.", None
    if picture is not None:
        said, source, how, more = (
            "the one you gave",
            _inline(picture),
            f"Embedded by each model, and kept for {DAYS} days.",
            KEPT,
        )
    else:
        with guarded("The picture"):
            row = pictures.rows_by_key([like]).get(like)
            said = pictures.caption(like, row.payload if row is not None else {})
            source = pictures.address(like, row)
    both = f" and the words **{words.plain(text)}**" if text else ""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.html(
            f'<img src="{escape(source, quote=True)}" alt="{escape(said, quote=True)}" width="56" height="56" '
            'style="object-fit:cover;border-radius:6px;display:block">',
            width="content",
        )
        st.markdown(f"Pictures like **{words.plain(said)}**{both}  \n:gray[{how}]", width="stretch", help=more)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            weight = parts.weight() if text else fields.EVEN
            st.button("Clear", icon=":material/close:", key="lab-clear", on_click=fields.without_picture)
    return weight


def _inline(picture: Image.Image) -> str:
    """A small copy as a data address: a picture that was given is no picture of the catalog, and has no thumbnail."""
    small = picture.copy()
    small.thumbnail((_SMALL, _SMALL))
    stream = BytesIO()
    small.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(stream.getvalue()).decode()}"
