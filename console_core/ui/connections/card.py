"""A connection as a card: its facts, and a test that asks whether it answers."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter

import streamlit as st

from console_core.console import Console
from console_core.errors import ConsoleError
from console_core.ui import frame, panels, words
from console_core.ui.collections.store import limits
from console_core.ui.connections.editor import edit_button
from console_core.ui.connections.fields import Form
from console_core.ui.connections.probes import Probe
from console_core.ui.session import console

_ABOUT_API = Path(__file__).resolve().parents[3] / "docs" / "search-api.md"
_LINK = re.compile(r"\[[^\]]*\]\(([\w-]+\.md)[^)]*\)")
"""A link to another document of the repository, which the console does not serve."""
_HEADING = re.compile(r"^#+(?= )", re.MULTILINE)


def connection(
    title: str,
    facts: Callable[[Console], Mapping[str, object]],
    probe: Probe | None = None,
    *,
    form: Form | None = None,
    more: Callable[[Console], None] | None = None,
) -> None:
    """Facts that cannot be had become a panel, and leave the other cards alone. The test's answer stands below.

    What has a form can be edited.
    """
    key = title.lower().replace(" ", "-")
    asked = False

    def buttons() -> None:
        nonlocal asked
        with st.container(horizontal=True, width="content", gap="xsmall"):
            asked = st.button("Test", icon=":material/network_check:", key=f"test-{key}")
            if form is not None:
                edit_button(form)

    with panels.card(title, aside=buttons if probe else None, key=f"connection-{key}"), frame.guarded(title):
        panels.details(facts(console()), alt=title)
        if probe is not None and asked:
            _answer(probe)
        if more is not None:
            more(console())


def what_it_cannot_do(connected: Console) -> None:
    """The limits of the vector store, where it has some."""
    if found := connected.store.info().limits:
        limits(found)


def how_programs_ask(connected: Console) -> None:
    """The document about it, where the console runs from its repository."""
    with st.expander("How programs ask", icon=":material/menu_book:", key="search-api", on_change="rerun") as box:
        if not box.open:
            return
        if not _ABOUT_API.exists():
            st.caption("docs/search-api.md of the console's repository says so.")
            return
        title, _, text = _ABOUT_API.read_text(encoding="utf-8").partition("\n")
        st.markdown(_HEADING.sub("####", _LINK.sub(r"`docs/\1`", text)))
        st.caption(f"From docs/{_ABOUT_API.name}: {words.plain(title.lstrip('# '))}.")


def _answer(probe: Probe) -> None:
    started = perf_counter()
    try:
        with st.spinner("Asking…"):
            said = probe(console())
    except ConsoleError as error:
        st.error(words.plain(error.remedy), title=words.plain(error.message), icon=":material/error:")
        return
    seconds = perf_counter() - started
    took = words.duration(round(seconds, 1)) if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    st.success(f"{words.plain(said)} It took {took}.", icon=":material/check_circle:")
