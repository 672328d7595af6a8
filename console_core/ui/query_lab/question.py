"""What is asked: a text or a picture, in which columns, among which points, and how many answers. All of it is in the
address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from console_core.ui.address import from_address, many_from_address, write_address
from console_core.ui.payload_filter import chips, chosen, filter_button
from console_core.ui.query_lab.examples import examples
from console_core.ui.session import console, parameter
from console_core.vectorstore.types import CollectionInfo

MOST_COLUMNS = 4
LIMITS = ("12", "24", "48")
_QUERY, _COLUMNS, _LIMIT, _EXAMPLE = "lab-query", "lab-columns", "lab-limit", "lab-example"
PICTURES_ONLY = " · pictures only"
"""What is said of a collection whose model embeds no texts."""
FIELDS = {"q": _QUERY, "columns": _COLUMNS, "limit": _LIMIT}
"""What of a question the address has, beside the picture that is asked about and the filter."""


@dataclass(frozen=True, slots=True)
class Question:
    """`like` is the key of a picture whose neighbours are asked for; then there is no text. `only` is the filter, the
    same in each column: values as they are written, by payload field.

    `is_example` where nobody asked anything yet: then an example is answered, or nothing where there is none.
    """

    text: str
    like: str
    columns: tuple[str, ...]
    limit: int
    is_example: bool = False
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def comparable(collections: Sequence[CollectionInfo]) -> list[CollectionInfo]:
    """The collections that can be asked: those that say which model made them."""
    return [info for info in collections if info.stamp is not None]


def those_of(names: Sequence[str], collections: Sequence[CollectionInfo]) -> list[CollectionInfo]:
    """The collections that columns of these names ask, in their order, each once; what does not exist is left out."""
    leads_to = {name: info for info in comparable(collections) for name in (info.name, *info.aliases)}
    return list({leads_to[name].name: leads_to[name] for name in names if name in leads_to}.values())


def asked(collections: Sequence[CollectionInfo]) -> Question:
    """Draw the fields, and read them."""
    from_address(_QUERY, "q", "")
    st.text_input(
        "Search",
        key=_QUERY,
        type="search",
        icon=":material/search:",
        placeholder="Describe a picture, then press Enter",
        label_visibility="collapsed",
        on_change=write_address,
        args=(FIELDS,),
        kwargs={"like": None},
    )
    text, like = st.session_state[_QUERY].strip(), parameter("like")
    is_example = not text and not like
    many_from_address(_COLUMNS, "columns", _usual(comparable(collections)), most=MOST_COLUMNS)
    first = next((info.name for info in those_of(st.session_state[_COLUMNS], collections)), "")
    suggested = examples(first)
    if is_example and suggested:
        text = suggested[0]
    if suggested:
        st.session_state[_EXAMPLE] = text if text in suggested and not like else None
        st.pills("Examples", suggested, key=_EXAMPLE, label_visibility="collapsed", on_change=_take_example)
    with st.container(horizontal=True, vertical_alignment="center"):
        columns = _columns(collections)
        filter_button([info.name for info in those_of(columns, collections)])
        limit = _limit()
    chips()
    return Question("" if like else text, like, columns, limit, is_example, chosen())


def ask_like(key: str) -> None:
    """Ask for the neighbours of a picture next. For `on_click`."""
    st.session_state[_QUERY] = ""
    write_address(FIELDS, like=key)


def _take_example() -> None:
    chosen = st.session_state[_EXAMPLE]
    if chosen is not None:
        st.session_state[_QUERY] = chosen
    write_address(FIELDS, like=None)


def _limit() -> int:
    from_address(_LIMIT, "limit", LIMITS[0], allowed=LIMITS)
    limit = st.segmented_control(
        "Answers",
        LIMITS,
        key=_LIMIT,
        required=True,
        label_visibility="collapsed",
        format_func=lambda number: f"{number} answers" if number == LIMITS[0] else number,
        on_change=write_address,
        args=(FIELDS,),
    )
    return int(limit or LIMITS[0])


def _columns(collections: Sequence[CollectionInfo]) -> tuple[str, ...]:
    """The chosen columns; a name in the address that no longer exists stays, and its column says so."""
    names = _offered(collections)
    options = [*names, *(name for name in st.session_state[_COLUMNS] if name not in names)]
    st.multiselect(
        "Columns",
        options,
        key=_COLUMNS,
        max_selections=MOST_COLUMNS,
        format_func=lambda name: names.get(name, name),
        placeholder="Choose collections to ask",
        label_visibility="collapsed",
        on_change=write_address,
        args=(FIELDS,),
    )
    return tuple(st.session_state[_COLUMNS])


def _offered(collections: Sequence[CollectionInfo]) -> dict[str, str]:
    """Names that can be asked, aliases first, with what they are."""
    titles: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for info in collections:
        if info.stamp:
            only = "" if console().models.cards.embeds_text(info.stamp.model) else PICTURES_ONLY
            titles[info.name] = f"{info.name} · {info.stamp.model}{only}"
            aliases |= {alias: f"{alias} → {info.name}{only}" for alias in info.aliases}
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
    return [first, *others[:1]]
