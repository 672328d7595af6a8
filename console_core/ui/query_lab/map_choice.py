"""What is chosen on the maps: fields of the address, and the pictures that a lasso, a box or a group selected."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from console_core.querylab.in_both import TwoMaps
from console_core.ui import gallery, pictures

COLOUR, GROUPS, METHOD, PICTURE = "map-colour", "map-groups", "map-method", "map-picture"
FIELDS = {"columns": "map-columns", "method": METHOD, "colour": COLOUR, "groups": GROUPS}
"""What of the maps the address has. An empty colour is the change, and empty groups are those of alike pictures."""
Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")
_CHOSEN, _MARKS, _SHOWN = "map-chosen", "map-marks", "map-shown"

Rows = tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Rows that a map marks, and the number of this marking: the same rows again must undo what was chosen there."""

    rows: Rows
    number: int


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The maps on the page: what they were made of, what the models are called, and the payload fields to choose."""

    identity: str
    drawn: TwoMaps
    titles: tuple[str, str]
    fields: tuple[str, ...]

    def name(self, row: int) -> str:
        """What a picture shows, as its payload says; safe in HTML."""
        return escape(pictures.caption(self.drawn.maps.keys[row], self.drawn.payloads[row]))

    def tiles(self, rows: Sequence[int]) -> list[gallery.Tile]:
        """The pictures of some rows, with their change."""
        maps = self.drawn.maps
        keys = [maps.keys[row] for row in rows]
        known = pictures.rows_by_key(keys)
        return [
            gallery.Tile(
                key,
                pictures.address(key, known.get(key)),
                pictures.caption(key, self.drawn.payloads[row]),
                note=f"{maps.change[row]:.0%} changed",
            )
            for key, row in zip(keys, rows, strict=True)
        ]


def choose(rows: Rows, by: Side | None = None) -> None:
    """Select these rows; None selects nothing. The map in which they were chosen shows that itself already, and would
    lose it if it were drawn anew: so only the other one is marked."""
    st.session_state[_CHOSEN] = rows
    marks: dict[Side, Mark] = dict(st.session_state.get(_MARKS, {}))
    marks |= {side: Mark(rows, marks[side].number + 1 if side in marks else 0) for side in SIDES if side != by}
    st.session_state[_MARKS] = marks


def take(side: Side, chart: str) -> None:
    """Select what was chosen in the chart of a side. For `on_select`."""
    points = st.session_state[chart]["selection"]["points"]
    rows = {_row(point["customdata"]) for point in points}
    choose(tuple(sorted(rows)) or None, side)


def chosen(shown: Shown) -> Rows:
    """The selected rows. Other pictures were not chosen; where maps of the same ones are drawn in another way, both
    are marked."""
    drawn = shown.identity, st.session_state[COLOUR], shown.drawn.maps.method
    before = st.session_state.get(_SHOWN)
    if before != drawn:
        st.session_state[_SHOWN] = drawn
        choose(st.session_state.get(_CHOSEN) if before is not None and before[0] == shown.identity else None)
    rows: Rows = st.session_state[_CHOSEN]
    return rows


def marked(side: Side) -> Mark:
    """What the chart of a side is to mark."""
    mark: Mark = st.session_state[_MARKS][side]
    return mark


def _row(told: object) -> int:
    return int(told[0] if isinstance(told, list) else str(told))
