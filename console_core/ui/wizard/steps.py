"""One step of the wizard: a numbered card; once it is settled, one line with what was chosen and a way to change it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from console_core.ui import words


@contextmanager
def open_step(number: int, title: str, text: str = "") -> Iterator[None]:
    """The step at which the person is."""
    with st.container(border=True, gap="small", key=f"step-{number}"):
        st.subheader(f"{number} · {title}", anchor=False)
        if text:
            st.caption(text)
        yield


def settled_step(number: int, title: str, chosen: str, about: str, change: Callable[[], None]) -> None:
    """A step that is done; `chosen` and `about` are plain text."""
    with (
        st.container(border=True, key=f"step-{number}"),
        st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"),
    ):
        with st.container(width="stretch", gap=None):
            st.markdown(f":green[:material/check_circle:] {number} · {title}: **{words.plain(chosen)}**")
            if about:
                st.caption(words.plain(about))
        st.button("Change", key=f"change-{number}", on_click=change)


def coming_step(number: int, title: str) -> None:
    """A step that is not reached yet."""
    with st.container(border=True, key=f"step-{number}"):
        st.markdown(f":gray[{number} · {title}]")
