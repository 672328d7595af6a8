"""Failed pictures as people look at them: classes as chips, and a page of rows with picture, path and message."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from console_core.catalog.names import told
from console_core.catalog.types import ImageRow
from console_core.runs.types import Failure
from console_core.ui import pictures, words
from console_core.ui.chips import chosen_kind
from console_core.ui.session import set_parameters

PAGE = 50
PLACEHOLDER = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 160 160'%3E%3Crect width='160' "
    "height='160' fill='%238a97a8' fill-opacity='.18'/%3E%3Cpath d='M50 56h60v48H50zM46 110L114 50' fill='none' "
    "stroke='%238a97a8' stroke-width='5' stroke-linejoin='round'/%3E%3C/svg%3E"
)
_CLASS = "failure-class"
_NO_PICTURE = frozenset({"missing", "empty", "unreadable", "unsupported"})
Row = TypeVar("Row", bound=Failure)


def chosen_class(counts: Mapping[str, int]) -> str:
    """The class of the address (`kind`), "" for all; drawn as chips with their numbers, and what the class means."""
    kind = chosen_kind(
        "Class of failure", counts, lambda one: words.failure(one).label, key=_CLASS, name="kind", place="after"
    )
    if kind and (meaning := words.failure(kind).meaning):
        st.caption(meaning)
    return kind


def failed_table(
    page: Sequence[Row],
    *,
    more: Callable[[Row], Mapping[str, object]] = lambda _: {},
    columns: Mapping[str, Any] | None = None,
    selection: str = "",
) -> list[Row]:
    """A page of rows, each with what `more` adds; with `selection` (its key) rows can be chosen, and are returned."""
    if not page:
        st.caption("No failure here.")
        return []
    rows = pictures.rows_by_key(failure.key for failure in page)
    labels = {word.label: word.colour for word in words.FAILURES.values()}
    table = pd.DataFrame([{**_cells(failure, rows), **more(failure), "Key": told(failure.key)} for failure in page])
    config: dict[str, Any] = {
        "Picture": st.column_config.ImageColumn(width=72),
        "Class": st.column_config.MultiselectColumn(options=list(labels), color=list(labels.values()), width=110),
        "Path": st.column_config.TextColumn(width="medium"),
        "What is wrong": st.column_config.TextColumn(width="large"),
        **(columns or {}),
    }
    shared: dict[str, Any] = {"hide_index": True, "row_height": 44, "height": "content", "column_config": config}
    if not selection:
        st.dataframe(table, alt="Pictures that failed", **shared)
        return []
    chosen = st.dataframe(
        table, alt="Pictures that failed", key=selection, on_select="rerun", selection_mode="multi-row", **shared
    )
    return [page[place] for place in chosen["selection"]["rows"] if 0 <= place < len(page)]


def turn(page: Iterable[Failure], *, after: str) -> None:
    """The way to the next page and back to the first; `page` may have one row more than is shown."""
    shown = list(page)
    with st.container(horizontal=True, gap="small"):
        if after:
            st.button("Back to the first", key="failures-first", on_click=set_parameters, kwargs={"after": None})
        if len(shown) > PAGE:
            following = {"after": shown[PAGE - 1].key}
            st.button(f"Next {PAGE}", key="failures-next", on_click=set_parameters, kwargs=following)


def _cells(failure: Failure, rows: Mapping[str, ImageRow]) -> dict[str, object]:
    return {
        "Picture": _picture(failure, rows),
        "Class": [words.failure(failure.kind).label],
        "Path": told(failure.path) or "–",
        "What is wrong": _without(told(failure.path), failure.message),
    }


def _without(path: str, message: str) -> str:
    """The message without the path at its beginning, which has a column of its own."""
    rest = message.removeprefix(f"{path} ")
    return message if rest == message or not path else rest[:1].upper() + rest[1:]


def _picture(failure: Failure, rows: Mapping[str, ImageRow]) -> str:
    """Where nothing can be decoded there is nothing to ask the server for."""
    return PLACEHOLDER if failure.kind in _NO_PICTURE else pictures.address(failure.key, rows.get(failure.key))
