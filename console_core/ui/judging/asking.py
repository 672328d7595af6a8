"""Ask a query set of collections, as a run."""

from collections.abc import Sequence

import streamlit as st

from console_core.judging.asking import MOST_COLUMNS, MOST_DEPTH, USUAL_DEPTH
from console_core.judging.query_sets import QuerySet
from console_core.ui import session, words
from console_core.ui.permission import command_button


def ask_form(sets: Sequence[QuerySet], *, open_first: bool) -> None:
    """Which set, which columns, how many answers; and the button that starts."""
    with st.expander(
        "Ask a query set…", icon=":material/play_arrow:", expanded=open_first, key="ask-form", on_change="rerun"
    ) as box:
        if box.open:
            _form(sets)


def _form(sets: Sequence[QuerySet]) -> None:
    known = {one.name: one for one in sets}
    offered = _columns()
    if not offered:
        st.caption("No collection says which model made it: build one by a migration, or stamp one.")
        return
    left, right = st.columns([1, 2])
    name = left.selectbox("Query set", list(known), key="ask-set")
    columns = right.multiselect(
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
    size = known[name].size if name in known else 0
    right.caption(f"{words.count(size, 'question')} of {words.count(len(columns), 'column')}. It runs beside searches.")
    pressed = command_button(
        "Ask", "ask_query_set", key="ask-start", kind="primary", icon=":material/play_arrow:", disabled=not columns
    )
    if pressed:
        session.act(
            "ask_query_set",
            query_set=name,
            columns=tuple(columns),
            depth=int(depth),
            done=f"{name} is being asked.",
        )
        st.rerun()


def _columns() -> dict[str, str]:
    """What can be asked: what aliases serve first, then the newest other collections, each once."""
    infos = [info for info in session.console().store.collections() if info.stamp is not None]
    served = {alias: f"{alias} → {info.name}" for info in infos for alias in info.aliases[:1]}
    others = {info.name: f"{info.name} · {info.stamp.model}" for info in infos if info.stamp and not info.aliases}
    return {**served, **others}
