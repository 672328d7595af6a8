"""The building blocks of pages: cards, findings, details, states, progress, and what is shown where nothing is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import streamlit as st

from console_core.ui import words
from console_core.ui.charts import Chart


class FindingLike(Protocol):
    """What `findings` shows: a Finding of a preflight or of a verification."""

    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def remedy(self) -> str: ...


class CountsLike(Protocol):
    """What `progress` counts: the Counts of a run."""

    @property
    def selected(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def all_skipped(self) -> int: ...
    @property
    def all_failed(self) -> int: ...
    @property
    def pending(self) -> int: ...


@contextmanager
def card(
    title: str = "", *, caption: str = "", aside: Callable[[], None] | None = None, key: str = ""
) -> Iterator[None]:
    """A bordered panel as high as its row, with `aside` drawn at the right of its title."""
    with st.container(border=True, height="stretch", gap="small", key=key or None):
        if title or aside:
            with st.container(horizontal=True, vertical_alignment="top", horizontal_alignment="distribute"):
                with st.container(width="stretch", gap="xxsmall"):
                    st.subheader(title, anchor=False)
                    if caption:
                        st.caption(caption)
                if aside is not None:
                    aside()
        yield


Item = TypeVar("Item", bound=FindingLike)


def findings(
    items: Iterable[Item],
    *,
    all_clear: str = "Nothing stands in the way.",
    action: Callable[[Item], None] | None = None,
) -> None:
    """Findings, the gravest first, each with what to do about it and, at its right, what `action` draws for it."""
    order = list(words.SEVERITIES)
    ranked = sorted(items, key=lambda item: order.index(item.severity) if item.severity in order else len(order))
    if not ranked:
        st.markdown(f":green[:material/check_circle:] {words.plain(all_clear)}")
    with st.container(gap="small"):
        for item in ranked:
            _finding(item, action)


def _finding(item: Item, action: Callable[[Item], None] | None) -> None:
    word = words.severity(item.severity)
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        with st.container(width=96):
            st.badge(word.label, icon=word.icon, color=word.colour)
        with st.container(width="stretch", gap=None):
            st.markdown(words.plain(item.message))
            if item.remedy:
                st.caption(words.plain(item.remedy))
        if action is not None:
            action(item)


def details(facts: Mapping[str, object], *, alt: str = "Details") -> None:
    """Names and values in two columns. Values are plain text; wrap Markdown of your own in `Marked`."""
    shown = {
        words.plain(name): value if isinstance(value, Marked) else words.plain("–" if value in (None, "") else value)
        for name, value in facts.items()
    }
    st.table(shown, border="horizontal", hide_header=True, alt=alt)


class Marked(str):
    """Markdown that the console wrote itself, such as a badge."""

    __slots__ = ()


def state_badge(word: words.Word) -> None:
    """A state as a coloured badge whose meaning shows on hover."""
    st.badge(word.label, icon=word.icon, color=word.colour, help=word.meaning or None)


def empty_state(
    title: str, text: str = "", *, icon: str = ":material/inbox:", action: Callable[[], None] | None = None
) -> None:
    """What a panel shows where there is nothing: why, and the one thing to do next."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f":gray[{icon}] **{words.plain(title)}**", text_alignment="center")
        if text:
            st.caption(words.plain(text), text_alignment="center")
        if action is not None:
            action()
        st.space("small")


def progress(
    counts: CountsLike, *, fraction: float | None, sentence: str = "", unit: str = "picture", parts: bool = True
) -> None:
    """A bar under one sentence (that of the run's snapshot, or the plain share), and with `parts` the counts below."""
    share = 0.0 if fraction is None else min(max(fraction, 0.0), 1.0)
    settled = max(counts.selected - counts.pending, 0)
    plain = f"**{words.percent(share)}** · {settled:,} of {words.count(counts.selected, unit)}"
    st.progress(share, text=words.plain(sentence) or plain)
    if not parts:
        return
    said = [f"{counts.done:,} done"]
    said += [f"{counts.all_skipped:,} skipped"] if counts.all_skipped else []
    said += [f":red[{counts.all_failed:,} failed]"] if counts.all_failed else []
    said += [f"{counts.pending:,} to go"] if counts.pending > 0 else []
    st.caption(" · ".join(said))


def chart(drawn: Chart, *, key: str, clickable: bool = False) -> dict[str, Any] | None:
    """Draw a chart; with `clickable` returns the clicked point (`y`, `customdata` …) for as long as it is selected."""
    config = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
    if not clickable:
        st.plotly_chart(drawn.figure, key=key, config=config, alt=drawn.alt)
        return None
    chosen = st.plotly_chart(
        drawn.figure, key=key, config=config, alt=drawn.alt, on_select="rerun", selection_mode="points"
    )
    points = chosen["selection"]["points"]
    return dict(points[0]) if points else None
