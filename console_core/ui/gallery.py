"""Pictures in columns with rank, percentile and the shift of rank between them; one browser element, signed thumbnails.

Hovering or focusing a picture marks the same picture in every column; a click returns its id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from console_core.querylab.shifts import Shift
from console_core.ui import words

_HERE = Path(__file__).parent
_element = st.components.v2.component(
    "embedding_console_gallery",
    html="<div class='gallery'></div>",
    css=(_HERE / "gallery.css").read_text("utf-8"),
    js=(_HERE / "gallery.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture. `id` is what a click returns and what is linked across columns; `src` comes from `thumb_url`.

    `rank` counts from 1; 0 shows none. `percentile`, 0 to 100, is among `sampled` pictures and compares across columns;
    scores do not, and a tile has none. `shift` is the move against the reference column; pictures of the reference that
    the other column lacks are "gone". `note` is a short line under the picture in grids without ranks.
    """

    id: str
    src: str
    alt: str
    rank: int = 0
    percentile: float | None = None
    shift: Shift | Literal["gone"] | None = None
    note: str = ""
    sampled: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a title (the model), a line under it (collection, time taken), its tiles in order.

    `empty` is shown where there are no tiles.
    """

    title: str
    tiles: Sequence[Tile]
    caption: str = ""
    empty: str = "No pictures."


def gallery(
    columns: Sequence[Column], *, key: str, picked: str = "", tile_width: int = 132, below: int = 0
) -> str | None:
    """Draw columns side by side; returns the id of the picture that was clicked in this run, else None.

    `picked` is the id to show as chosen. `tile_width` is the least width of a tile, in CSS pixels. With `below` it is
    for a room: tiles are as large as the window has room for, but for so many pixels at its lower edge; the first six
    of each column are shown, and further ones where they fill it better.
    """
    data: dict[str, Any] = {
        "columns": [{**_texts(column), "tiles": [_tile(tile) for tile in column.tiles]} for column in columns],
        "picked": picked,
        "tileWidth": tile_width,
        "below": below,
    }
    clicked = _element(key=key, data=data, on_picked_change=lambda: None).get("picked")
    return str(clicked) if clicked is not None else None


def grid(
    tiles: Sequence[Tile], *, key: str, picked: str = "", empty: str = "No pictures.", tile_width: int = 132
) -> str | None:
    """One column without a title, for pages of points; returns the id of the picture that was clicked, else None."""
    return gallery([Column("", tiles, empty=empty)], key=key, picked=picked, tile_width=tile_width)


def _texts(column: Column) -> Mapping[str, str]:
    return {"title": column.title, "caption": column.caption, "empty": column.empty}


def _tile(tile: Tile) -> dict[str, Any]:
    return {
        **{name: getattr(tile, name) for name in ("id", "src", "alt", "rank", "note")},
        "percentile": "" if tile.percentile is None else words.percentile(tile.percentile, tile.sampled),
        "shift": _shift(tile.shift),
    }


def _shift(shift: Shift | Literal["gone"] | None) -> dict[str, str] | None:
    if shift is None:
        return None
    kind, places = ("gone", 0) if shift == "gone" else (shift.kind, shift.places)
    text, meaning = words.shift(kind, places)
    return {"kind": kind, "text": text, "meaning": meaning}
