"""A choice among kinds as chips with their numbers, kept in the address."""

from collections.abc import Callable, Mapping

import streamlit as st

from console_core.ui.session import parameter, set_parameters


def chosen_kind(
    title: str, counts: Mapping[str, int], label: Callable[[str], str], *, key: str, name: str, place: str
) -> str:
    """The kind that the address has under `name`, "" for all of them.

    `label` says a kind to people. Another choice takes `place`, the address' page of the list below, away.
    """
    st.session_state[key] = parameter(name, list(counts))

    def said(kind: str) -> str:
        return f"{label(kind) if kind else 'All'} · {counts.get(kind, 0) if kind else sum(counts.values()):,}"

    def choose() -> None:
        set_parameters(**{name: st.session_state[key], place: None})

    st.segmented_control(
        title,
        ["", *counts],
        format_func=said,
        key=key,
        required=True,
        on_change=choose,
        label_visibility="collapsed",
    )
    return parameter(name, list(counts))
