"""The picture that a page shows large, in the address: it can be sent so, and the browser's back button closes it."""

from collections.abc import Callable

import streamlit as st

from console_core.catalog.types import ImageRow
from console_core.ui import pictures
from console_core.ui.session import parameter, set_parameters

OPEN = "open"
"""The parameter that has the picture's key."""


def opened() -> str:
    """The key of the picture that is shown large; "" for none."""
    return parameter(OPEN)


def open_picture(key: str | None) -> None:
    """Show this picture large; None changes nothing, which is what a gallery says where nothing was clicked. Where
    `drawer` was called before, the page must run again."""
    if key is not None:
        set_parameters(**{OPEN: key})


def close() -> None:
    """Show none large."""
    set_parameters(**{OPEN: None})


def drawer(title: Callable[[str], str], more: Callable[[str, ImageRow | None], None]) -> None:
    """Show the picture that the address names, in a drawer at the right; `more` adds to it."""
    if key := opened():
        pictures.show_large(key, title, _or_nothing(more), close)


def _or_nothing(more: Callable[[str, ImageRow | None], None]) -> Callable[[str, ImageRow | None], None]:
    def body(key: str, row: ImageRow | None) -> None:
        if row is None:
            st.warning("The catalog has no picture of this key.", icon=":material/link_off:")
        more(key, row)

    return body
