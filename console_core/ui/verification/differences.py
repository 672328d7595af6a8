"""The differences of a verification: by kind with their numbers, and a page of the chosen kind with its pictures."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from console_core.catalog.names import told
from console_core.catalog.types import ImageRow
from console_core.migration.difference import Difference
from console_core.migration.differences import Recorded
from console_core.runs.types import Run
from console_core.ui import pictures, words
from console_core.ui.chips import chosen_kind
from console_core.ui.failed_table import PLACEHOLDER
from console_core.ui.session import console, parameter, set_parameters

PAGE = 20
_KIND = "difference-kind"


def differences(run: Run) -> None:
    """Draw them (`difference` is the kind and `differing` the page in the address); nothing where there are none."""
    told = {kind: int(number) for kind, number in (run.result or {}).get("differences", {}).items() if number}
    if not told:
        return
    counts = {str(kind): number for kind, number in console().differences.counts(run.id).items() if number}
    if not counts:
        st.caption("Which pictures differed is kept for the newest verification only.")
        return
    kind = _chosen(counts)
    if kind:
        st.caption(words.difference(kind).meaning)
    number = counts[kind] if kind else sum(counts.values())
    page = _page(number)
    _table(run, console().differences.page(run.id, kind=kind or None, skip=page * PAGE, limit=PAGE))
    if (run.result or {}).get("mode") == "sample" and counts.get("wrong vector"):
        st.caption("Wrong vectors were looked for in a sample only: there may be more. Verify in full to find all.")


def _chosen(counts: Mapping[str, int]) -> str:
    return chosen_kind(
        "Kind of difference",
        counts,
        lambda one: words.difference(one).label,
        key=_KIND,
        name="difference",
        place="differing",
    )


def _page(number: int) -> int:
    """The page that the address asks for, counted from 0, and the way to the others where there are any."""
    pages = max(-(-number // PAGE), 1)
    if pages == 1:
        return 0
    told = parameter("differing", [str(each) for each in range(1, pages + 1)], "1")
    key = f"differences-page-{told}"  # another widget for each address: a default of its own cannot be given anew

    def turn() -> None:
        set_parameters(differing=str(st.session_state[key]))

    return st.pagination(pages, default=int(told), key=key, on_change=turn) - 1


def _table(run: Run, page: Sequence[Recorded]) -> None:
    rows = pictures.rows_by_key(one.difference.key for one in page)
    labels = {word.label: word.colour for word in words.DIFFERENCES.values()}
    st.dataframe(
        pd.DataFrame([_row(one.difference, rows.get(one.difference.key)) for one in page]),
        hide_index=True,
        row_height=44,
        height="content",
        alt=f"What differs in {run.target}",
        column_config={
            "Image": st.column_config.ImageColumn(width=72),
            "Kind": st.column_config.MultiselectColumn(options=list(labels), color=list(labels.values()), width=110),
            "Picture": st.column_config.TextColumn(width=90),
            "What differs": st.column_config.TextColumn(width=430),
            "Path": st.column_config.TextColumn(width="medium"),
        },
    )


def _row(one: Difference, row: ImageRow | None) -> dict[str, object]:
    return {
        "Image": PLACEHOLDER if row is None else pictures.address(one.key, row),
        "Kind": [words.difference(one.kind).label],
        "Picture": told(one.key),
        "What differs": one.detail,
        "Point": str(one.point),
        "Path": told(one.path) or "–",
    }
