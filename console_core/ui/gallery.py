"""Pictures in columns with rank, score and the shift of rank between them; one browser element, signed thumbnails.

Hovering or focusing a picture marks the same picture in every column; a click returns its id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import streamlit as st

_HERE = Path(__file__).parent
_element = st.components.v2.component(
    "embedding_console_gallery",
    html="<div class='gallery'></div>",
    css=(_HERE / "gallery.css").read_text("utf-8"),
    js=(_HERE / "gallery.js").read_text("utf-8"),
)

ShiftKind = Literal["up", "down", "same", "new", "gone"]


@dataclass(frozen=True, slots=True)
class Shift:
    """How a picture moved against the other column: `places` up or down, or absent there altogether."""

    kind: ShiftKind
    places: int = 0

    @property
    def text(self) -> str:
        """▲ 3, ▼ 2, new, gone, or "=". Never told by colour alone."""
        signs = {"up": f"▲ {self.places}", "down": f"▼ {self.places}", "same": "="}
        return signs.get(self.kind, self.kind)

    @property
    def meaning(self) -> str:
        unit = "place" if self.places == 1 else "places"
        return {
            "up": f"{self.places} {unit} higher than in the other column",
            "down": f"{self.places} {unit} lower than in the other column",
            "same": "at the same place in both columns",
            "new": "not in the first column",
            "gone": "not in the other column",
        }[self.kind]


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture. `id` is what a click returns and what is linked across columns; `src` comes from `thumb_url`.

    `rank` counts from 1; 0 shows none. `score` is drawn as a number with three decimals. `note` is a short line
    under the picture in grids without ranks.
    """

    id: str
    src: str
    alt: str
    rank: int = 0
    score: float | None = None
    shift: Shift | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a title (the model), a line under it (collection, time taken), its tiles in order.

    `empty` is shown where there are no tiles.
    """

    title: str
    tiles: Sequence[Tile]
    caption: str = ""
    empty: str = "No pictures."


def shifts(before: Sequence[str], after: Sequence[str]) -> tuple[dict[str, Shift], dict[str, Shift]]:
    """The shifts to show in the first and in the second of two columns of ids, best first.

    The first column marks what is gone; the second what is new and how far the rest has moved.
    """
    places = {identifier: place for place, identifier in enumerate(before)}
    kept = set(after)
    first = {identifier: Shift("gone") for identifier in before if identifier not in kept}
    second = {}
    for place, identifier in enumerate(after):
        moved = places.get(identifier, place) - place
        if identifier not in places:
            second[identifier] = Shift("new")
        else:
            second[identifier] = Shift("up" if moved > 0 else "down" if moved < 0 else "same", abs(moved))
    return first, second


def gallery(columns: Sequence[Column], *, key: str, picked: str = "", tile_width: int = 132) -> str | None:
    """Draw columns side by side; returns the id of the picture that was clicked in this run, else None.

    `picked` is the id to show as chosen. `tile_width` is the least width of a tile, in CSS pixels.
    """
    data: dict[str, Any] = {
        "columns": [{**_texts(column), "tiles": [_tile(tile) for tile in column.tiles]} for column in columns],
        "picked": picked,
        "tileWidth": tile_width,
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
    shown = asdict(tile)
    shown["score"] = "" if tile.score is None else f"{tile.score:.3f}"
    shift = tile.shift
    shown["shift"] = {"kind": shift.kind, "text": shift.text, "meaning": shift.meaning} if shift else None
    return shown
