"""Ask a query set of collections, as a run."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.judging.asking import MOST_COLUMNS, MOST_DEPTH, USUAL_DEPTH
from console_core.judging.query_sets import QuerySet
from console_core.querylab.column_text import written
from console_core.querylab.comparison import Column
from console_core.ui import session, words
from console_core.ui.judging.encoders import encoders_allow
from console_core.ui.permission import command_button
from console_core.ui.ways import MEANINGS, WAYS
from console_core.vectorstore.types import CollectionInfo
from console_core.vectorstore.ways import Search


def ask_form(sets: Sequence[QuerySet], *, open_first: bool) -> None:
    """Which set, which columns, how many answers; and the button that starts."""
    with st.expander(
        "Ask a query set…", icon=":material/play_arrow:", expanded=open_first, key="ask-form", on_change="rerun"
    ) as box:
        if box.open:
            _form(sets)


def _form(sets: Sequence[QuerySet]) -> None:
    known = {one.name: one for one in sets}
    infos = [info for info in session.console().store.collections() if info.stamp is not None]
    offered = _offered(infos)
    if not offered:
        st.caption("No collection says which model made it: build one by a migration, or stamp one.")
        return
    left, right = st.columns([1, 2])
    newest = max(sets, key=lambda one: one.made_at).name if sets else None
    name = left.selectbox("Query set", list(known), index=list(known).index(newest) if newest else None, key="ask-set")
    chosen = right.multiselect(
        "Columns, the reference first",
        list(offered),
        default=list(offered)[:2],
        max_selections=MOST_COLUMNS,
        format_func=lambda one: offered[one],
        key="ask-columns",
    )
    depth = left.number_input(
        "Answers to each question", min_value=1, max_value=MOST_DEPTH, value=USUAL_DEPTH, key="ask-depth"
    )
    with right:
        columns = _in_ways(chosen)
        size = known[name].size if name in known else 0
        told = f"{words.count(size, 'question')} to {words.count(len(columns), 'column')}: {', '.join(columns)}. "
        st.caption(words.plain(told) + "It runs beside searches.")
    leads_to = {title: info.name for info in infos for title in (info.name, *info.aliases)}
    called: dict[str, str] = {}
    for one in chosen:
        called.setdefault(leads_to.get(one, one), one)
    allowed = encoders_allow(called)
    few = len(columns) <= MOST_COLUMNS
    if not few:
        st.caption(f":red[{words.count(len(columns), 'column')} are too many: {MOST_COLUMNS} at most.]")
    pressed = command_button(
        "Ask",
        "ask_query_set",
        key="ask-start",
        kind="primary",
        icon=":material/play_arrow:",
        disabled=not (columns and few and allowed.may_ask),
    )
    if pressed:
        session.act(
            "ask_query_set",
            query_set=name,
            columns=tuple(columns),
            depth=int(depth),
            unchecked=allowed.unchecked,
            done=f"{name} is being asked.",
        )
        st.rerun()


def _in_ways(chosen: Sequence[str]) -> list[str]:
    """The columns as text, those as usual first: each chosen collection in each way that is wanted of it."""
    compares_all = session.console().store.info().indexed_up_to == 0
    with st.container(horizontal=True, vertical_alignment="center"):
        exactly = st.checkbox(
            "Also search exactly, to tell model and index apart",
            key="ask-exactly",
            disabled=compares_all,
            help="This store compares every vector in each search, so there is nothing that an index could lose."
            if compares_all
            else "Each collection is asked a second time with every vector compared. Judges then see what only that "
            "finds too, and the verdict says how much of a loss is the index's.",
        )
        with st.popover("Ways", icon=":material/tune:", key="ask-ways", width="content"):
            wanted = {one: _ways_of(one) for one in chosen}
            st.caption(MEANINGS)
    if exactly:
        wanted = {one: [*ways, *([] if Search.EXACT in ways else [Search.EXACT])] for one, ways in wanted.items()}
    return _ordered(wanted)


def _ways_of(name: str) -> list[Search]:
    found = st.pills(
        words.plain(name),
        list(Search),
        selection_mode="multi",
        default=[Search.USUAL],
        format_func=WAYS.__getitem__,
        key=f"ask-ways-{name}",
    )
    return [way for way in Search if way in found] or [Search.USUAL]


def _ordered(wanted: Mapping[str, Sequence[Search]]) -> list[str]:
    turns = max(map(len, wanted.values()), default=0)
    return [
        written(Column(one, ways[turn])) for turn in range(turns) for one, ways in wanted.items() if turn < len(ways)
    ]


def _offered(infos: Sequence[CollectionInfo]) -> dict[str, str]:
    """What can be asked: what aliases serve first, then the newest other collections, each once."""
    served = {alias: f"{alias} → {info.name}" for info in infos for alias in info.aliases[:1]}
    others = {info.name: f"{info.name} · {info.stamp.model}" for info in infos if info.stamp and not info.aliases}
    return {**served, **others}
