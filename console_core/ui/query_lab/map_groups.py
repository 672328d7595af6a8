"""The groups of pictures whose neighbourhoods changed most between two models, as contact sheets."""

from functools import partial

import streamlit as st

from console_core.querylab.in_both import FEWEST_OF_A_GROUP, worth_showing
from console_core.querylab.projection import Group
from console_core.ui import gallery, panels, words
from console_core.ui.open_picture import open_picture
from console_core.ui.query_lab.map_choice import GROUPS, Shown, choose, write

_SHEETS = 6
"""Groups that are shown."""
_TILES = 8
"""Pictures on a contact sheet."""


def most_changed_groups(shown: Shown) -> None:
    """Draw them."""
    text = "Mean change is over a group's pictures. It tells where two models differ, not which of them is right."
    with panels.card("Most changed groups", caption=text, key="map-groups-card"):
        field = _field(shown)
        groups = shown.drawn.by_value(field) if field else list(shown.drawn.alike)
        worth = worth_showing(groups)
        if not worth:
            st.caption(f"No group has {FEWEST_OF_A_GROUP} pictures or more.")
        columns = st.columns(2) if worth else []
        for place, group in enumerate(worth[:_SHEETS]):
            with columns[place % 2]:
                _sheet(shown, group, place, field)
        said = [f"{words.count(len(worth) - _SHEETS, 'group')} changed less"] if len(worth) > _SHEETS else []
        small = len(groups) - len(worth)
        said += [f"{words.count(small, 'group')} of fewer than {FEWEST_OF_A_GROUP} pictures left out"] if small else []
        if said:
            st.caption(" · ".join(said))


def _field(shown: Shown) -> str:
    chosen = st.selectbox(
        "Group by",
        ["", *shown.fields],
        key=GROUPS,
        format_func=lambda field: field or f"Likeness to {shown.titles[0]}",
        on_change=write,
        width=340,
    )
    return str(chosen or "")


def _sheet(shown: Shown, group: Group, place: int, field: str) -> None:
    name = f"{field}: {group.name}" if field else f"Group {place + 1}"
    leads = "most changed" if field else "most typical"
    with st.container(border=True, gap="small", key=f"map-group-{place}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            size = words.count(group.size, "picture")
            st.markdown(f"**{words.plain(name)}** :gray[{size} · mean change {group.change:.0%}]", width="stretch")
            st.button(
                "Show on the maps",
                icon=":material/scatter_plot:",
                type="tertiary",
                key=f"map-show-{place}",
                on_click=partial(choose, shown, tuple(sorted(group.members))),
            )
        picked = gallery.grid(shown.tiles(group.members[:_TILES]), key=f"map-sheet-{place}", tile_width=88)
        if group.size > _TILES:
            st.caption(f"The {_TILES} {leads} of them.")
    open_picture(picked)
