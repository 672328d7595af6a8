"""A page of a collection's points, as pictures or as a table. Where the page is stands in the address."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from console_core.catalog.names import told
from console_core.catalog.types import ImageRow
from console_core.ui import gallery, panels, pictures, words
from console_core.ui.address import from_address, to_address
from console_core.ui.clickable_table import clickable_table
from console_core.ui.collections.concerns import strangers
from console_core.ui.collections.paging import Place
from console_core.ui.collections.point import point_drawer
from console_core.ui.session import console, set_parameters
from console_core.vectorstore.provenance import application_payload, picture_key, point_id
from console_core.vectorstore.types import CollectionInfo, Point

PAGE = 28
_VIEW, _FIND = "points-view", "points-find"
ABSENT = "not in the catalog"


@dataclass(frozen=True, slots=True)
class _Shown:
    """A point with the picture that the catalog has for it."""

    point: Point
    key: str
    row: ImageRow | None


def points_page(info: CollectionInfo) -> None:
    """The page of the address, the ways to the next and the previous one, and the point that was clicked."""
    with panels.card("Points", key="points"):
        if not info.points:
            panels.empty_state("No points yet", "What is written to this collection shows here.")
            return
        place = Place.read()
        points, following = console().store.page(info.name, after=place.after, limit=PAGE)
        view = _head(info)
        shown = _shown(points)
        if others := strangers(info, points):
            st.warning(
                f"{words.count(others, 'point')} of this page come from another model than the collection's. "
                "Measure its coverage: they count as stale.",
                icon=":material/warning:",
            )
        clicked = _table(shown) if view == "Table" else _gallery(shown)
        if clicked:
            set_parameters(point=clicked)
        place.turn(len(points), following, info.points, PAGE)
    point_drawer(info)


def _head(info: CollectionInfo) -> str:
    from_address(_VIEW, "view", "Pictures", allowed=("Pictures", "Table"))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        view = st.segmented_control(
            "View", ("Pictures", "Table"), key=_VIEW, required=True, label_visibility="collapsed"
        )
        wanted = st.text_input(
            "Find a point",
            key=_FIND,
            placeholder="Point id or catalog key",
            icon=":material/search:",
            label_visibility="collapsed",
            width=260,
        ).strip()
    to_address(_VIEW, "view")
    if wanted:
        _find(info, wanted)
    return view or "Pictures"


def _find(info: CollectionInfo, wanted: str) -> None:
    found = console().store.retrieve(info.name, [point_id(wanted)])
    if not found:
        st.caption(f":red[No point {words.plain(wanted)} in this collection.]")
    elif st.session_state.get("points-found") != wanted:
        st.session_state["points-found"] = wanted
        set_parameters(point=str(found[0].id))


def _shown(points: Sequence[Point]) -> list[_Shown]:
    keys = [picture_key(point.id, point.payload) for point in points]
    rows = pictures.rows_by_key(keys)
    return [_Shown(point, key, rows.get(key)) for point, key in zip(points, keys, strict=True)]


def _caption(shown: _Shown) -> str:
    return pictures.caption(shown.key, application_payload(shown.point.payload))


def _gallery(page: Sequence[_Shown]) -> str | None:
    tiles = [
        gallery.Tile(
            str(shown.point.id),
            pictures.address(shown.key, shown.row),
            _caption(shown),
            note=_caption(shown) if shown.row else f"{pictures.short(shown.key)} · {ABSENT}",
        )
        for shown in page
    ]
    return gallery.grid(tiles, key="points-gallery")


def _table(page: Sequence[_Shown]) -> str | None:
    rows = [
        {
            "Picture": pictures.address(shown.key, shown.row),
            "Point": str(shown.point.id),
            "Key": told(shown.key) + ("" if shown.row else f" ({ABSENT})"),
            **{name: _text(value) for name, value in pictures.shown(application_payload(shown.point.payload)).items()},
        }
        for shown in page
    ]
    position = clickable_table(
        rows,
        key="points-table",
        alt="A page of points",
        row_height=48,
        columns={"Picture": st.column_config.ImageColumn(width="small")},
    )
    return None if position is None else str(page[position].point.id)


def _text(value: object) -> str:
    return "" if value is None else str(value)
