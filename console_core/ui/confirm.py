"""Questions before acts that matter: what will happen, and for the gravest the name typed by hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from console_core.ui import words

_PENDING = "_question"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `do` runs once on confirmation; `typed` "" asks for no typing. Title and button say the act.

    `more` draws further choices below the text; what it returns is given to `do` by name.
    """

    title: str
    text: str
    action: str
    do: Callable[..., object]
    typed: str = ""
    icon: str = ":material/help:"
    keep: str = "Not now"
    more: Callable[[], Mapping[str, Any]] | None = None


def ask(question: Question) -> None:
    """Open the dialog with the next run. For `on_click=ask, args=(Question(…),)`."""
    st.session_state[_PENDING] = question


def show_pending() -> None:
    """Draw the dialog where one was asked for. `frame.page` calls it at the end of every page."""
    question: Question | None = st.session_state.get(_PENDING)
    if question is not None:
        st.dialog(question.title, icon=question.icon, on_dismiss=_forget)(_body)(question)


def _body(question: Question) -> None:
    st.markdown(question.text)
    chosen = question.more() if question.more is not None else {}
    typed = ""
    if question.typed:
        label = f"Type **{words.plain(question.typed)}** to confirm"
        typed = st.text_input(label, key="confirm-typed", live=True, autocomplete="off").strip()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(question.keep, key="confirm-keep"):
            _forget()
            st.rerun()
        ready = not question.typed or typed == question.typed
        if st.button(question.action, type="primary", disabled=not ready, key="confirm-do") and ready:
            _forget()
            question.do(**chosen)
            st.rerun()


def _forget() -> None:
    st.session_state.pop(_PENDING, None)
