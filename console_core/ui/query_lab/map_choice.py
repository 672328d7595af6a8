"""What is chosen on the maps: fields of the address, and the pictures that a lasso, a box or a group selected."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from console_core.querylab.in_both import TwoMaps
from console_core.querylab.projection import Method
from console_core.querylab.row_text import read, written
from console_core.ui import gallery, pictures
from console_core.ui.address import write_address
from console_core.ui.session import parameter, set_parameters

COLOUR, GROUPS, METHOD = "map-colour", "map-groups", "map-method"
SELECTED = "selected"
"""The parameter of the address that has the selected pictures."""
FIELDS = {"columns": "map-columns", "method": METHOD, "colour": COLOUR, "groups": GROUPS}
"""What of the maps the address has. An empty colour is the change, and empty groups are those of alike pictures."""
METHODS: tuple[Method, ...] = ("PCA", "UMAP")
Side = Literal["first", "second"]
SIDES: tuple[Side, Side] = ("first", "second")
_CHOSEN, _MARKS, _SHOWN, _TOLD = "map-chosen", "map-marks", "map-shown", "map-told"

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


def write(**others: str | None) -> None:
    """Write what the fields say into the address. `others` are further parameters; None removes one. For callbacks."""
    write_address(FIELDS, usual={"method": METHODS[0]}, **others)


def choose(shown: Shown, rows: Rows, by: Side | None = None) -> None:
    """Select these rows, in the address too; None selects nothing. The map in which they were chosen shows that itself
    already, and would lose it if it were drawn anew: so only the other one is marked."""
    text = written(rows or (), shown.drawn.maps.keys)
    st.session_state[_TOLD] = text
    set_parameters(**{SELECTED: text})
    _mark(rows, by)


def _mark(rows: Rows, by: Side | None = None) -> None:
    st.session_state[_CHOSEN] = rows
    marks: dict[Side, Mark] = dict(st.session_state.get(_MARKS, {}))
    marks |= {side: Mark(rows, marks[side].number + 1 if side in marks else 0) for side in SIDES if side != by}
    st.session_state[_MARKS] = marks


def take(shown: Shown, side: Side, chart: str) -> None:
    """Select what was chosen in the chart of a side. For `on_select`."""
    points = st.session_state[chart]["selection"]["points"]
    rows = {_row(point["customdata"]) for point in points}
    choose(shown, tuple(sorted(rows)) or None, side)


def chosen(shown: Shown) -> Rows:
    """The selected rows. Where the address was changed by something else than these maps, or they are drawn in another
    way, both are marked; where it selects among other pictures, none is."""
    drawn, told = (shown.identity, st.session_state[COLOUR], shown.drawn.maps.method), parameter(SELECTED)
    if (st.session_state.get(_SHOWN), st.session_state.get(_TOLD)) != (drawn, told):
        st.session_state[_SHOWN], st.session_state[_TOLD] = drawn, told
        _mark(read(told, shown.drawn.maps.keys))
    rows: Rows = st.session_state[_CHOSEN]
    return rows


def cannot_select(rows: Rows) -> bool:
    """Whether the address selects pictures, and these rows, which are selected, are none."""
    return rows is None and bool(parameter(SELECTED))


def marked(side: Side) -> Mark:
    """What the chart of a side is to mark."""
    mark: Mark = st.session_state[_MARKS][side]
    return mark


def _row(told: object) -> int:
    return int(told[0] if isinstance(told, list) else str(told))
