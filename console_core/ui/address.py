"""Values that live in the address bar: a page can be shared, and the browser's back button takes a choice back."""

from collections.abc import Collection, Sequence

import streamlit as st

from console_core.ui.session import set_parameters


def from_address(key: str, name: str, default: str, *, allowed: Collection[str] | None = None) -> None:
    """Give the widget of this key its value from the address, before it is drawn.

    It does so once, and again whenever the address was changed by anything but `to_address`: a link, the browser's
    back button. A value that is not allowed becomes the default.
    """
    told = st.query_params.get(name, "")
    if key not in st.session_state or st.session_state.get(_told(key)) != told:
        wanted = told or default
        st.session_state[key] = wanted if allowed is None or wanted in allowed else default
        st.session_state[_told(key)] = told


def to_address(key: str, name: str) -> None:
    """Write the value of the widget of this key into the address, after it was drawn."""
    value = str(st.session_state.get(key) or "")
    if st.query_params.get(name, "") != value:
        set_parameters(**{name: value})
    st.session_state[_told(key)] = value


def many_from_address(key: str, name: str, default: Sequence[str], *, most: int) -> None:
    """`from_address` for a widget with several values, which the address has as a repeated parameter."""
    told = list(dict.fromkeys(filter(None, st.query_params.get_all(name))))[:most]
    if key not in st.session_state or st.session_state.get(_told(key)) != told:
        st.session_state[key] = told or list(default)
        st.session_state[_told(key)] = told


def many_to_address(key: str, name: str) -> None:
    """`to_address` for a widget with several values."""
    values = list(st.session_state.get(key) or ())
    if st.query_params.get_all(name) != values:
        st.query_params[name] = values
    st.session_state[_told(key)] = values


def _told(key: str) -> str:
    return f"{key}-told"
