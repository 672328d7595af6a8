"""Pictures of the catalog as tiles, and the drawer that shows one of them large."""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import PurePath
from typing import Any

import streamlit as st

from console_core.catalog.intake import path_in, told_of
from console_core.catalog.names import told
from console_core.catalog.types import ImageRow, JsonValue
from console_core.catalog.web_addresses import is_address
from console_core.ui import panels, words
from console_core.ui.session import console
from console_core.web.pictures import Size, thumb_url

TELLING = ("caption", "title", "description", "alt", "label", "name")
"""Payload fields that say what a picture shows, the most telling first."""


def rows_by_key(keys: Iterable[str]) -> dict[str, ImageRow]:
    """The catalog's rows of these keys, in one call; keys that it does not have are left out."""
    wanted = list(dict.fromkeys(keys))
    return {row.key: row for row in console().rows(wanted)} if wanted else {}


def caption(key: str, payload: Mapping[str, JsonValue]) -> str:
    """What a picture shows, as its payload says; else which one it is."""
    for name in TELLING:
        if isinstance(said := payload.get(name), str) and said.strip():
            return said.strip()
    return named(key)


def named(key: str) -> str:
    """Which picture it is: the file's name of one that was ingested, else the key."""
    return short(key) if path_in(key) else f"Picture {short(key)}"


def short(key: str) -> str:
    """The same, where no more is said than which one it is."""
    path = path_in(key)
    return told_of(path)["filename"] if path else told(key)


def shown(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload as people are shown it: of addresses nothing that may be a key to them."""
    return {name: told(v) if isinstance(v, str) and is_address(v) else v for name, v in payload.items()}


def file_name(row: ImageRow | None) -> str:
    """The last part of the path that is tried first; "" where the catalog has none."""
    return PurePath(told(row.candidates[0]).removesuffix("?…")).name if row is not None and row.candidates else ""


def address(key: str, row: ImageRow | None, size: Size = "small") -> str:
    """The thumbnail's address; of a picture that the catalog does not have it shows a grey tile."""
    return thumb_url(key, row.revision if row is not None else "", size)


def drawer(state: str, title: Callable[[str], str], more: Callable[[str, ImageRow | None], None]) -> None:
    """Show the picture whose key is kept in the session under `state`, in a drawer at the right; `more` adds to it.

    Without one nothing is drawn. Closing the drawer forgets the key.
    """
    key: str | None = st.session_state.get(state)
    if key is None:
        return

    def forget() -> None:
        st.session_state.pop(state, None)

    show_large(key, title, more, forget)


def show_large(
    key: str,
    title: Callable[[str], str],
    more: Callable[[str, ImageRow | None], None],
    closed: Callable[[], None],
) -> None:
    """Show a picture in a drawer at the right; `more` adds to it, and `closed` is called once somebody closes it."""

    def body() -> None:
        row = rows_by_key([key]).get(key)
        revision = row.revision if row is not None else ""
        said = escape(caption(key, row.payload if row is not None else {}), quote=True)
        st.html(
            f'<img src="{escape(thumb_url(key, revision, "large"), quote=True)}" alt="{said}" '
            'style="display:block;width:100%;max-height:420px;object-fit:contain;border-radius:6px">'
        )
        more(key, row)
        if row is not None:
            panels.details({"Picture": told(key), **shown(row.payload)}, alt="What the catalog says of it")
            st.caption("Paths, in the order in which they are tried")
            for path in row.candidates:
                st.code(told(path), language=None)

    st.dialog(words.plain(title(key)), position="right", on_dismiss=closed)(body)()
