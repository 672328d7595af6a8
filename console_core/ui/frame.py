"""The frame of every page: title row, messages, and what is shown when something goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from console_core.errors import ConsoleError
from console_core.ui import confirm, session, words
from console_core.web import process

STYLE = Path(__file__).with_name("style.css")


@contextmanager
def page(title: str, *, lead: str = "", actions: Callable[[], None] | None = None) -> Iterator[None]:
    """A page: its title and one sentence, with `actions` drawn at the right of the title (one primary button).

    A ConsoleError within becomes a panel with its remedy and "Try again"; anything else becomes an incident number,
    and the trace goes into the server's log. `st.stop` and `st.rerun` pass through.
    """
    st.html(STYLE)
    with st.container(key="page"), guarded(title):
        _title_row(title, lead, actions)
        session.show_flashes()
        yield
        confirm.show_pending()


@contextmanager
def guarded(where: str) -> Iterator[None]:
    """Turn an error within into a panel, and let the rest of the page live.

    What fails because the workspace was closed and opened anew meanwhile is no error: the page is drawn again.
    """
    generation = process.generation()
    try:
        yield
    except ConsoleError as error:
        _draw_again_after(generation)
        problem(error, key=where)
    except Exception as error:
        _draw_again_after(generation)
        _incident_panel(session.incident(f"page {where}", error), key=where)


def _draw_again_after(generation: int) -> None:
    if process.generation() != generation:
        st.rerun()


def live(render: Callable[[], None], *, every: float | None) -> None:
    """Draw a part that refreshes itself every so many seconds while the page is open; None: only with the page.

    Where the workspace was opened anew since, the whole page is drawn again: the part may hold what was closed.
    """
    name, generation = getattr(render, "__name__", "live part"), process.generation()

    def guarded_render() -> None:
        _draw_again_after(generation)
        with guarded(name):
            render()

    st.fragment(guarded_render, run_every=every, key=f"live-{name}")()


def problem(error: ConsoleError, *, key: str = "") -> None:
    """What is wrong and what to do, with a button that tries again."""
    _panel(words.plain(error.message), words.plain(error.remedy) or "Try again in a moment.", key)


def on_script_error(error: Exception) -> bool:
    """What no page caught: its remedy, or an incident number instead of a trace. For `st.App(on_script_error=…)`."""
    if isinstance(error, ConsoleError):
        problem(error, key="script")
    else:
        _incident_panel(session.incident("outside of every page", error), key="script")
    return True


def _title_row(title: str, lead: str, actions: Callable[[], None] | None) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key="title-row"):
        with st.container(width="stretch", gap="xxsmall"):
            st.title(title, anchor=False)
            if lead:
                st.caption(lead)
        if actions is not None:
            with st.container(
                horizontal=True, width="content", horizontal_alignment="right", vertical_alignment="center"
            ):
                actions()


def _incident_panel(number: str, *, key: str) -> None:
    _panel(
        "Something went wrong here", f"Nothing was lost. The server's log has the details of incident `{number}`.", key
    )


def _panel(title: str, text: str, key: str) -> None:
    with st.container(border=True, gap="small", key=f"problem-{_slug(key)}"):
        st.error(text, title=title, icon=":material/error:")
        st.button("Try again", icon=":material/refresh:", key=f"try-again-{_slug(key)}")


def _slug(text: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in text.lower())
