"""The map of the query lab: what two models make of the same pictures, side by side. All choices are in the address."""

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from urllib.parse import parse_qs, urlencode

import streamlit as st

from console_core.errors import ConsoleError, Refused
from console_core.querylab.calibration import Sample
from console_core.querylab.column_text import read
from console_core.querylab.in_both import TwoMaps, in_both, two_maps
from console_core.querylab.projection import FEWEST, Method, has_umap
from console_core.querylab.samples import FRESH
from console_core.runs.types import ACTIVE
from console_core.ui import navigation, panels, pictures, words
from console_core.ui.address import from_address, many_from_address
from console_core.ui.frame import live
from console_core.ui.open_picture import OPEN, drawer
from console_core.ui.permission import command_button
from console_core.ui.query_lab.map_charts import both_maps
from console_core.ui.query_lab.map_choice import COLOUR, FIELDS, GROUPS, METHOD, METHODS, SELECTED, Shown, write
from console_core.ui.query_lab.map_groups import most_changed_groups
from console_core.ui.run_rows import TICK, run_row
from console_core.ui.session import act, console, parameter
from console_core.ui.unrestored import one_of, say, strangers
from console_core.vectorstore.types import CollectionInfo

VIEW = "map"
"""What the address says in `view`."""
LEAD = "The same pictures as two models order them. Choose some in one map, and see where the other has them."
_COLUMNS = FIELDS["columns"]


_LAB = "lab"
"""The parameter that has what was asked before: the Query lab's own address, for the way back."""


def to_map() -> None:
    """The way to the map, with the collections of the first two columns of the address; and the way back in it."""
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    named = [read(text).asked for text in asked.get("columns", ())]
    columns = list(dict.fromkeys(named))[:2]
    told = {"columns": columns} | ({_LAB: urlencode(asked, doseq=True)} if asked.keys() - {"columns"} else {})
    navigation.link("query_lab", "Map", icon=":material/scatter_plot:", view=VIEW, **told)


def from_map() -> None:
    """The way back to asking: to what was asked before, where somebody came from there."""
    asked = parse_qs(parameter(_LAB)) or {"columns": st.query_params.get_all("columns")}
    asked.pop("view", None)
    navigation.link("query_lab", "Ask", icon=":material/manage_search:", **asked)


def map_view() -> None:
    """All of it, or what stands in its way."""
    chosen = _columns(console().store.collections())
    say(_left_out())
    if len(chosen) < 2:
        panels.empty_state("A map needs two collections", "Choose two above.", icon=":material/scatter_plot:")
        return
    found = [info for info in map(_described, chosen) if info is not None]
    if len(found) < 2:
        return
    first, second = found
    if first.name == second.name:
        panels.empty_state(
            "Both columns are the same collection", f"{chosen[0]} and {chosen[1]} lead to {first.name}. Choose another."
        )
        return
    sample = console().samples.of(first)
    if sample is None:
        _no_sample(first)
        return
    method = _method()
    told = _identity(first, second, sample)
    try:
        drawn = _maps(told, method, first, second, sample)
    except Refused as error:
        enough = "They must have pictures of the same catalog keys." if str(FEWEST) in error.remedy else ""
        panels.empty_state(error.message, f"{error.remedy} {enough}".strip(), icon=":material/scatter_plot:")
        return
    shown = Shown(told, drawn, (_title(first), _title(second)), _offered(drawn))
    both_maps(shown)
    most_changed_groups(shown)
    drawer(pictures.named, lambda key, _row: _more(shown, key))


def _columns(collections: Sequence[CollectionInfo]) -> tuple[str, ...]:
    titles = {info.name: f"{info.name} · {info.stamp.model if info.stamp else 'unknown model'}" for info in collections}
    titles |= {alias: f"{alias} → {info.name}" for info in collections for alias in info.aliases}
    many_from_address(_COLUMNS, "columns", _usual(collections), most=2)
    options = [*titles, *(name for name in st.session_state[_COLUMNS] if name not in titles)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.multiselect(
            "Collections",
            options,
            key=_COLUMNS,
            max_selections=2,
            format_func=lambda name: titles.get(name, name),
            placeholder="Choose two collections",
            label_visibility="collapsed",
            on_change=write,
            kwargs={SELECTED: None},
        )
    return tuple(st.session_state[_COLUMNS])


def _left_out() -> Iterator[str]:
    """What of the address can be shown in no map of any pictures."""
    yield from strangers({*FIELDS, "view", SELECTED, OPEN, _LAB})
    named = list(dict.fromkeys(filter(None, st.query_params.get_all("columns"))))
    if len(named) > 2:
        yield f"Two collections stand side by side, and it names {len(named)}. Left out: {', '.join(named[2:])}."
    yield from one_of("method", METHODS, f"it is {METHODS[0]}")


def _usual(collections: Sequence[CollectionInfo]) -> list[str]:
    """What an alias serves, and the largest collection of another model."""
    stamped = sorted(
        (info for info in collections if info.stamp and info.points),
        key=lambda info: (not info.aliases, -info.points, info.name),
    )
    if not stamped:
        return []
    others = [info.name for info in stamped[1:] if info.stamp != stamped[0].stamp]
    return [stamped[0].name, *others[:1]]


def _described(name: str) -> CollectionInfo | None:
    """What a column is; one that cannot be asked says why, and leaves the choice of another one."""
    try:
        return console().store.describe(name)
    except ConsoleError as error:
        st.error(words.plain(error.remedy), title=words.plain(f"{name}: {error.message}"), icon=":material/error:")
        return None


def _no_sample(info: CollectionInfo) -> None:
    """That the sample must be drawn first, and the button that has it drawn; or the run that does."""
    found = next(iter(console().ledger.runs(kinds=("sample",), target=info.name, states=ACTIVE, limit=1)), None)
    if found is None:
        text = f"It is drawn once from all {info.points:,} points of {info.name}, and kept. Nothing else is changed."
        panels.empty_state("No sample was drawn yet", text, icon=":material/casino:", action=lambda: _draw(info))
        return
    began = found

    def drawing() -> None:
        run = console().ledger.get(began.id)
        if run.state not in ACTIVE:
            st.rerun()
        run_row(run)

    with st.container(border=True):
        live(drawing, every=TICK)


def _draw(info: CollectionInfo) -> None:
    if command_button("Draw the sample", "draw_sample", key="map-draw", kind="primary", icon=":material/casino:"):
        act("draw_sample", collection=info.name, done=f"The sample of {info.name} is being drawn.")
        st.rerun()


def _method() -> Method:
    """How the maps are made; without UMAP installed there is no choice, and it is said how to have it."""
    from_address(METHOD, "method", METHODS[0], allowed=METHODS)
    if not has_umap() and st.session_state[METHOD] == "PCA":
        return "PCA"
    st.segmented_control(
        "Method",
        METHODS,
        key=METHOD,
        required=True,
        label_visibility="collapsed",
        on_change=write,
    )
    return "UMAP" if st.session_state[METHOD] == "UMAP" else "PCA"


def _offered(drawn: TwoMaps) -> tuple[str, ...]:
    """The fields that can be coloured and grouped by; a choice that is not among them is given up, and that is said."""
    fields = tuple(drawn.fields())
    say(
        [
            *one_of("colour", fields, "colours tell the change"),
            *one_of("groups", fields, "groups are of alike pictures"),
        ]
    )
    for key, name in ((COLOUR, "colour"), (GROUPS, "groups")):
        from_address(key, name, "", allowed=("", *fields))
        if st.session_state[key] not in ("", *fields):
            st.session_state[key] = ""
    return fields


def _identity(first: CollectionInfo, second: CollectionInfo, sample: Sample) -> str:
    """Of what the maps are made: both collections as they are, and the sample with its vectors."""
    said = [(info.name, info.points, info.stamp.fingerprint if info.stamp else "") for info in (first, second)]
    told = blake2b(repr((console().settings.workspace, said, sample.ids)).encode(), digest_size=16)
    told.update(sample.vectors.tobytes())
    return told.hexdigest()


@st.cache_resource(max_entries=8, ttl=FRESH, show_spinner="Drawing both maps…")
def _maps(identity: str, method: Method, _first: CollectionInfo, _second: CollectionInfo, _sample: Sample) -> TwoMaps:
    return two_maps(in_both(console().store, _sample, _first, _second), method)


def _title(info: CollectionInfo) -> str:
    model = info.stamp.model if info.stamp else ""
    return model or info.name


def _more(shown: Shown, key: str) -> None:
    if key in shown.drawn.maps.keys:
        change = shown.drawn.maps.change[shown.drawn.maps.keys.index(key)]
        st.markdown(f"Its neighbourhood in the sample changed by **{change:.0%}**.")
    if st.button("Find similar", icon=":material/image_search:", type="primary", key="map-similar"):
        navigation.go("query_lab", like=key, columns=st.query_params.get_all("columns"))
