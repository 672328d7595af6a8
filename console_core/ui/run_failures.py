"""The pictures of a run that failed: by class, with picture, path and what is wrong."""

import pandas as pd
import streamlit as st

from console_core.runs.types import Failure, Run
from console_core.ui import panels, pictures, session, words
from console_core.ui.session import parameter, set_parameters

PAGE = 50


def failures(run: Run) -> None:
    """Draw the classes with their numbers, and a page of the chosen class (`kind` and `after` in the address)."""
    ledger = session.console().ledger
    counts = ledger.failure_counts(run.id)
    kind, after = parameter("kind", list(counts)), parameter("after")
    with panels.card("Failures", caption="Each costs only itself; the run went on with its neighbours."):
        with st.container(horizontal=True, gap="small"):
            _class_button("All", "", sum(counts.values()), kind)
            for name, number in counts.items():
                _class_button(words.failure(name).label, name, number, kind)
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


def _class_button(label: str, kind: str, number: int, chosen: str) -> None:
    st.button(
        f"{label} **{number:,}**",
        key=f"class-{kind}",
        type="primary" if kind == chosen else "secondary",
        on_click=set_parameters,
        kwargs={"kind": kind, "after": None},
    )


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
                    "Picture": pictures.address(failure.key, rows.get(failure.key)),
                    "Class": [words.failure(failure.kind).label],
                    "Path": failure.path or "–",
                    "What is wrong": failure.message,
                    "Key": failure.key,
                }
                for failure in page
            ]
        ),
        hide_index=True,
        row_height=56,
        alt="Pictures that failed",
        column_config={
            "Picture": st.column_config.ImageColumn(width=72),
            "Class": st.column_config.MultiselectColumn(
                options=list(labels), color=list(labels.values()), width="small"
            ),
            "Path": st.column_config.TextColumn(width="medium"),
            "What is wrong": st.column_config.TextColumn(width="large"),
        },
    )
