"""The pictures of a run that failed: by class, with picture, path and what is wrong."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from console_core.catalog.types import ImageRow
from console_core.runs.types import Failure, Run
from console_core.ui import panels, pictures, session, words
from console_core.ui.session import parameter, set_parameters

PAGE = 50
PLACEHOLDER = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 160 160'%3E%3Crect width='160' "
    "height='160' fill='%238a97a8' fill-opacity='.18'/%3E%3Cpath d='M50 56h60v48H50zM46 110L114 50' fill='none' "
    "stroke='%238a97a8' stroke-width='5' stroke-linejoin='round'/%3E%3C/svg%3E"
)
_CLASS = "failure-class"
_NO_PICTURE = frozenset({"missing", "empty", "unreadable", "unsupported"})


def failures(run: Run) -> None:
    """Draw the classes with their numbers, and a page of the chosen class (`kind` and `after` in the address)."""
    ledger = session.console().ledger
    counts = ledger.failure_counts(run.id)
    after = parameter("after")
    with panels.card("Failures", caption="Each costs only itself; the run went on with its neighbours."):
        kind = _chosen_class(counts)
        if kind and (meaning := words.failure(kind).meaning):
            st.caption(meaning)
        page = ledger.failures(run.id, kind=kind or None, limit=PAGE + 1, after=after)
        _table(page[:PAGE])
        with st.container(horizontal=True, gap="small"):
            if after:
                st.button("Back to the first", key="failures-first", on_click=set_parameters, kwargs={"after": None})
            if len(page) > PAGE:
                following = {"after": page[PAGE - 1].key}
                st.button(f"Next {PAGE}", key="failures-next", on_click=set_parameters, kwargs=following)


def _chosen_class(counts: Mapping[str, int]) -> str:
    st.session_state[_CLASS] = parameter("kind", list(counts))

    def said(kind: str) -> str:
        if not kind:
            return f"All · {sum(counts.values()):,}"
        return f"{words.failure(kind).label} · {counts.get(kind, 0):,}"

    def choose() -> None:
        set_parameters(kind=st.session_state[_CLASS], after=None)

    st.segmented_control(
        "Class of failure",
        ["", *counts],
        format_func=said,
        key=_CLASS,
        required=True,
        on_change=choose,
        label_visibility="collapsed",
    )
    return parameter("kind", list(counts))


def _picture(failure: Failure, rows: Mapping[str, ImageRow]) -> str:
    """Where nothing can be decoded there is nothing to ask the server for."""
    return PLACEHOLDER if failure.kind in _NO_PICTURE else pictures.address(failure.key, rows.get(failure.key))


def _table(page: list[Failure]) -> None:
    if not page:
        st.caption("No failure here.")
        return
    rows = pictures.rows_by_key(failure.key for failure in page)
    labels = {word.label: word.colour for word in words.FAILURES.values()}
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Picture": _picture(failure, rows),
                    "Class": [words.failure(failure.kind).label],
                    "Path": failure.path or "–",
                    "What is wrong": failure.message,
                    "Key": failure.key,
                }
                for failure in page
            ]
        ),
        hide_index=True,
        row_height=44,
        height="content",
        alt="Pictures that failed",
        column_config={
            "Picture": st.column_config.ImageColumn(width=72),
            "Class": st.column_config.MultiselectColumn(options=list(labels), color=list(labels.values()), width=110),
            "Path": st.column_config.TextColumn(width="medium"),
            "What is wrong": st.column_config.TextColumn(width="large"),
        },
    )
