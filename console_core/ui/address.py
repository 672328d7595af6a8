"""Choices that live in the address bar: a page can be shared, and the browser's back button takes a choice back.

A page reads its choices before it draws their widgets, and writes all of them at once when a person changes one, so
that each choice is one step of the browser's history.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st

from console_core.ui.session import set_parameters

SHOW = "show"
"""The parameter that names what is open on a page beside what it always shows."""


def from_address(key: str, name: str, default: str, *, allowed: Collection[str] | None = None) -> None:
    """Give the widget of this key its value from the address, before it is drawn.

    It does so once, and again whenever something else than this page changed the address: a link, the browser's
    back button. A value that is not allowed becomes the default.
    """
    told = st.query_params.get_all(name)
    if _is_news(key, told):
        wanted = told[-1] if told else default
        st.session_state[key] = wanted if allowed is None or wanted in allowed else default


def many_from_address(key: str, name: str, default: Sequence[str], *, most: int) -> None:
    """`from_address` for a widget with several values, which the address has as a repeated parameter."""
    told = st.query_params.get_all(name)
    if _is_news(key, told):
        st.session_state[key] = list(dict.fromkeys(filter(None, told)))[:most] or list(default)


def write_address(fields: Mapping[str, str], *, usual: Mapping[str, str] | None = None, **others: str | None) -> None:
    """Write the values of widgets into the address: `fields` are parameters with their widgets' keys.

    `usual` are values that are not written, because a parameter that is absent means them. `others` are further
    parameters, and win over fields; None or "" removes one. For `on_change`, or before the widgets are drawn.
    """
    chosen = {name: _values(st.session_state.get(key)) for name, key in fields.items()}
    chosen |= {name: [] for name, value in (usual or {}).items() if chosen.get(name) == [value]}
    wanted = _put({**chosen, **{name: _values(value) for name, value in others.items()}})
    for name, key in fields.items():
        if name in others:
            st.session_state.pop(key, None)
        st.session_state[_told(key)] = wanted.get(name, [])


def to_address(key: str, name: str) -> None:
    """Write the value of the widget of this key into the address, after it was drawn. For a page's only choice."""
    value = _values(st.session_state.get(key))
    if st.query_params.get_all(name) != value:
        set_parameters(**{name: "".join(value)})
    st.session_state[_told(key)] = value


def choice(key: str, name: str, value: object, *, usual: object, without: Sequence[str] = ()) -> Callable[[], None]:
    """Give the widget of this key the value that the address has, before it is drawn. What is given is for its
    `on_change`: it writes the choice into the address, but not the usual one, and removes the parameters `without`.
    """
    st.session_state[key] = value

    def write() -> None:
        chosen = st.session_state[key]
        _put({**dict.fromkeys(without, ()), name: [] if chosen == usual else _values(chosen)})

    return write


def opening(key: str, part: str) -> Callable[[], None]:
    """Open the expander or popover of this key where the address names the part in `show`, once for each part that is
    open. What is given is for its `on_change`."""
    st.session_state[key] = part in st.query_params.get_all(SHOW)

    def write() -> None:
        others = [one for one in st.query_params.get_all(SHOW) if one != part]
        _put({SHOW: [*others, part] if st.session_state[key] else others})

    return write


def kept(*names: str) -> dict[str, list[str]]:
    """The parameters of these names that the address has, for a link that is to keep them."""
    return {name: st.query_params.get_all(name) for name in names if name in st.query_params}


def _put(parameters: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Write all of these at once, which is one step of the browser's history; one without values is removed. Gives
    the whole address."""
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    wanted = {name: list(values) for name, values in {**before, **parameters}.items() if values}
    if wanted != before:
        st.query_params.from_dict(wanted)
    return wanted


def _is_news(key: str, told: list[str]) -> bool:
    """Whether the address says something else than when it was last looked at, or the widget knows nothing yet."""
    news = key not in st.session_state or st.session_state.get(_told(key)) != told
    st.session_state[_told(key)] = told
    return news


def _values(value: object) -> list[str]:
    if isinstance(value, list | tuple):
        return [str(each) for each in value]
    return [] if value in (None, "") else [str(value)]


def _told(key: str) -> str:
    return f"{key}-told"
