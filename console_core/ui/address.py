"""Choices that live in the address bar: a page can be shared, and the browser's back button takes a choice back.

A page reads its choices before it draws their widgets, and writes all of them at once when a person changes one, so
that each choice is one step of the browser's history.
"""

from collections.abc import Collection, Mapping, Sequence

import streamlit as st

from console_core.ui.session import set_parameters


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


def write_address(fields: Mapping[str, str], **others: str | None) -> None:
    """Write the values of widgets into the address: `fields` are parameters with their widgets' keys.

    `others` are further parameters, and win over fields; None or "" removes one. For `on_change`, or before the
    widgets are drawn.
    """
    before = {name: st.query_params.get_all(name) for name in st.query_params}
    chosen = {name: _values(st.session_state.get(key)) for name, key in fields.items()}
    wanted = {**before, **chosen, **{name: _values(value) for name, value in others.items()}}
    wanted = {name: values for name, values in wanted.items() if values}
    if wanted != before:
        st.query_params.from_dict(wanted)
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
