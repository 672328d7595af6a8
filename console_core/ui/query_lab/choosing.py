"""Which columns are asked, in which way, and from which score on."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from console_core.querylab.column_text import read, written
from console_core.querylab.comparison import Column
from console_core.ui import words
from console_core.ui.address import many_from_address
from console_core.ui.query_lab import fields
from console_core.ui.session import console, flash
from console_core.ui.ways import MEANINGS, WAYS
from console_core.vectorstore.types import CollectionInfo
from console_core.vectorstore.ways import Search

PICTURES_ONLY = " · pictures only"
"""What is said of a collection whose model embeds no texts."""


def comparable(collections: Sequence[CollectionInfo]) -> list[CollectionInfo]:
    """The collections that can be asked: those that say which model made them."""
    return [info for info in collections if info.stamp is not None]


def those_of(names: Sequence[str], collections: Sequence[CollectionInfo]) -> list[CollectionInfo]:
    """The collections that columns of these names ask, in their order, each once; what does not exist is left out."""
    leads_to = {name: info for info in comparable(collections) for name in (info.name, *info.aliases)}
    return list({leads_to[name].name: leads_to[name] for name in names if name in leads_to}.values())


def columns_of(collections: Sequence[CollectionInfo]) -> tuple[Column, ...]:
    """The chosen columns, before their field is drawn."""
    many_from_address(fields.COLUMNS, "columns", _usual(comparable(collections)), most=fields.MOST_COLUMNS)
    return tuple(read(text) for text in st.session_state[fields.COLUMNS])


def choose(collections: Sequence[CollectionInfo]) -> tuple[Column, ...]:
    """The chosen columns; a name in the address that no longer exists stays, and its column says so."""
    names = _offered(collections)
    options = [*names, *(text for text in st.session_state[fields.COLUMNS] if text not in names)]
    st.multiselect(
        "Columns",
        options,
        key=fields.COLUMNS,
        max_selections=fields.MOST_COLUMNS,
        format_func=lambda text: names.get(text) or _said(read(text), names),
        placeholder="Choose collections to ask",
        label_visibility="collapsed",
        wrap=True,
        on_change=fields.write,
    )
    columns = tuple(read(text) for text in st.session_state[fields.COLUMNS])
    _ways(columns, collections)
    return columns


def way_and_threshold(column: Column) -> str:
    """What is unusual about how a column is asked, for people: "exact, from 0.31"; "" for nothing."""
    way = [] if column.way is Search.USUAL else [WAYS[column.way].lower()]
    return ", ".join([*way, *([] if column.threshold is None else [f"from {column.threshold:g}"])])


def _said(column: Column, names: dict[str, str]) -> str:
    return " · ".join(filter(None, (names.get(column.asked, column.asked), way_and_threshold(column))))


def _ways(columns: Sequence[Column], collections: Sequence[CollectionInfo]) -> None:
    """How each column is searched. The label never changes: the browser would take it for another one, and close it."""
    with st.popover("Ways", icon=":material/tune:", key="lab-ways", on_change="rerun", width="content") as box:
        if not box.open:
            return
        for place, column in enumerate(columns):
            st.markdown(f"**{place + 1}. {words.plain(column.asked)}**")
            _way(place, column, columns)
        st.caption(MEANINGS)


def _way(place: int, column: Column, columns: Sequence[Column]) -> None:
    way, threshold = f"lab-way-{place}", f"lab-threshold-{place}"
    st.session_state[way], st.session_state[threshold] = column.way, column.threshold

    def put() -> None:
        given = st.session_state[threshold]
        _put(place, replace(column, way=st.session_state[way], threshold=None if given is None else float(given)))

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Way", list(Search), key=way, format_func=WAYS.__getitem__, on_change=put, width=170)
        st.number_input(
            "Least score",
            value=None,
            key=threshold,
            step=0.01,
            format="%.4f",
            placeholder="none",
            on_change=put,
            width=130,
            help="In this column's own scores, as a picture's drawer says them: those of another model mean "
            "something else.",
        )
        free = next((one for one in Search if replace(column, way=one) not in columns), None)
        st.button(
            "Add again",
            icon=":material/add:",
            key=f"lab-again-{place}",
            disabled=free is None or len(columns) >= fields.MOST_COLUMNS,
            help="Ask the same collection a second time, in another way, beside this one.",
            on_click=_put,
            args=(len(columns), replace(column, way=free or column.way)),
        )


def _put(place: int, column: Column) -> None:
    """Have this column at a place, unless the very same one stands elsewhere."""
    chosen = list(st.session_state[fields.COLUMNS])
    text = written(column)
    if text in chosen and chosen.index(text) != place:
        flash("Another column asks the very same already.", "Choose another way or another least score.", kind="error")
    else:
        chosen[place : place + 1] = [text]
        st.session_state[fields.COLUMNS] = chosen
    fields.write()


def _offered(collections: Sequence[CollectionInfo]) -> dict[str, str]:
    """Columns that can be asked as usual, as text, aliases first, with what they are."""
    titles: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for info in collections:
        if info.stamp:
            only = "" if console().models.cards.embeds_text(info.stamp.model) else PICTURES_ONLY
            titles[written(Column(info.name))] = f"{info.name} · {info.stamp.model}{only}"
            aliases |= {written(Column(alias)): f"{alias} → {info.name}{only}" for alias in info.aliases}
    return {**dict(sorted(aliases.items())), **titles}


def _usual(comparable: Sequence[CollectionInfo]) -> list[str]:
    """The collection that an alias serves, and the newest other one: a migration's last target, else one by another
    model that is known here, else any.
    """
    models = {info.name: info.stamp.model for info in comparable if info.stamp}
    served = [info.name for info in comparable if info.aliases]
    first = next(iter(served or models), None)
    if first is None:
        return []
    targets = [migration.plan.target for migration in console().migrations.all(limit=20)]
    known = {card.key for card in console().models.cards.all()} - {models[first]}
    by_name = sorted(models, key=lambda name: models[name] not in known)
    others = [name for name in (*targets, *by_name) if name in models and name != first]
    return [written(Column(name)) for name in (first, *others[:1])]
