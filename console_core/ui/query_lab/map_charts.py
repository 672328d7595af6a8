"""Both maps side by side, what they say and do not say, and the pictures that are selected."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.querylab.projection import NEIGHBOURS, has_umap
from console_core.ui import charts, gallery, panels, words
from console_core.ui.frame import live
from console_core.ui.open_picture import open_picture
from console_core.ui.query_lab.map_choice import (
    COLOUR,
    SIDES,
    Rows,
    Shown,
    cannot_select,
    choose,
    chosen,
    marked,
    take,
    write,
)
from console_core.ui.unrestored import say

NOT_COMPARABLE = (
    "Near pictures are alike to that model. Distances across the maps are not comparable: each is one model's own "
    "space, flattened. The second map is turned to lie over the first; nothing else in it changes."
)
_TILES = 24
"""Selected pictures that are shown."""
_CONFIG = {
    "displayModeBar": True,
    "displaylogo": False,
    "scrollZoom": False,
    "modeBarButtons": [["lasso2d", "select2d"]],
}


def both_maps(shown: Shown) -> None:
    """Draw them. A selection draws this part alone again."""

    def maps_and_selection() -> None:
        rows = chosen(shown)
        with panels.card("Two maps of the same pictures", caption=_made_how(shown), key="maps"):
            _colour(shown)
            groups = _groups(shown)
            for place, column in enumerate(st.columns(2)):
                with column:
                    _map(shown, place, groups)
            st.caption(NOT_COMPARABLE)
            _selected(shown, rows)

    live(maps_and_selection, every=None)


def _made_how(shown: Shown) -> str:
    """Method, seed, explained variance, and of how many pictures."""
    maps = shown.drawn.maps
    number, of = len(maps.keys), shown.drawn.sampled
    said = [f"{maps.method}, seed {maps.seed}"]
    if maps.explained is not None:
        one, other = (f"{share:.0%}" for share in maps.explained)
        said.append(f"shows {one} of the variance of {shown.titles[0]} and {other} of that of {shown.titles[1]}")
    kept = "all" if number == of else f"{number:,}"
    said.append(f"{kept} of the {of:,} pictures of the fixed sample are in both collections")
    if not has_umap():
        said.append('UMAP can be chosen after pip install "embedding-console[umap]"')
    return words.plain(" · ".join(said))


def _colour(shown: Shown) -> None:
    st.selectbox(
        "Colour",
        ["", *shown.fields],
        key=COLOUR,
        format_func=lambda field: field or "How much a picture's neighbourhood changed",
        help=f"A picture's neighbourhood are its {NEIGHBOURS} nearest in the sample. Its change is one minus the "
        "Jaccard index of both models': 0 % where they are the same, 100 % where none is.",
        on_change=write,
        width=340,
    )


def _groups(shown: Shown) -> Mapping[str, Sequence[int]]:
    """The rows by value of the chosen field, the most frequent first and the rest as one; none where change colours."""
    field = st.session_state[COLOUR]
    if not field:
        return {}
    ranked = sorted(shown.drawn.by_value(field), key=lambda group: (-group.size, group.name))
    own, rest = ranked[: charts.MOST_GROUPS], ranked[charts.MOST_GROUPS :]
    found: dict[str, Sequence[int]] = {group.name: group.members for group in own}
    if rest:
        found[charts.REST] = [row for group in rest for row in group.members]
    return found


def _map(shown: Shown, place: int, groups: Mapping[str, Sequence[int]]) -> None:
    maps, side = shown.drawn.maps, SIDES[place]
    mark, title, key = marked(side), shown.titles[place], f"map-{side}"
    by = f"by {st.session_state[COLOUR]}" if groups else "by how much each neighbourhood changed"
    alt = f"Map of {words.count(len(maps.keys), 'picture')} as {title} orders them, coloured {by}; "
    chart = charts.picture_map(
        (maps.first, maps.second)[place],
        groups,
        maps.change,
        names=[shown.name(row) for row in range(len(maps.keys))],
        marked=mark.rows,
        marking=mark.number,
        alt=alt + (f"{len(mark.rows):,} are marked." if mark.rows else "none is marked."),
    )
    st.markdown(f"**{words.plain(title)}**")
    st.plotly_chart(
        chart.figure,
        key=key,
        config=_CONFIG,
        alt=chart.alt,
        selection_mode=("points", "box", "lasso"),
        on_select=lambda: take(shown, side, key),
    )


def _selected(shown: Shown, rows: Rows) -> None:
    if cannot_select(rows):
        say(["It selects among other pictures than these, or is not whole: none is selected."])
    if not rows:
        st.caption("Draw a lasso or a box around pictures in one map: the same ones are marked in the other.")
        return
    mean = float(shown.drawn.maps.change[list(rows)].mean())
    some = f", the {_TILES} most changed shown" if len(rows) > _TILES else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{words.count(len(rows), 'picture')} selected**{some} :gray[· mean change {mean:.0%}]")
        st.button(
            "Clear selection",
            icon=":material/close:",
            type="tertiary",
            key="map-clear",
            on_click=choose,
            args=(shown, None),
        )
    tiles = shown.tiles(shown.drawn.most_changed(rows)[:_TILES])
    picked = gallery.grid(tiles, key="map-selected", tile_width=88)
    if picked is not None:
        open_picture(picked)
        st.rerun()
