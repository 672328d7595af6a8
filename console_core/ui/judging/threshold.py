"""Translate an application's threshold from the reference to another column, and take it along as code."""

from math import isfinite

import streamlit as st

from console_core.judging.cutoffs import cutoff, revealed_of, usual
from console_core.judging.snapshots import Snapshot
from console_core.ui import session, words


def threshold_form(snapshot: Snapshot, other: int) -> None:
    """The old threshold in, the new one with its interval out. With a revealed evaluation it keeps the precision."""
    given_before = _given()
    with st.expander(
        "Translate a threshold…",
        expanded=given_before is not None,
        icon=":material/tune:",
        key="threshold-form",
        on_change="rerun",
    ) as box:
        if not box.open:
            return
        lab = session.console().lab
        old, new = snapshot.columns[0], snapshot.columns[other]
        st.caption(
            words.plain(
                f"An application that cuts off at a score of {old.model} needs another number for {new.model}: "
                "a raw score means nothing in another model."
            )
        )
        begin = usual(lab.readings.of(snapshot).answers, 0) if given_before is None else given_before
        given = st.number_input(
            f"Threshold for {old.model}",
            value=round(begin, 4),
            format="%.4f",
            step=0.01,
            key="threshold-old",
            width=260,
        )
        evaluation = revealed_of(lab, snapshot)
        found = cutoff(lab, snapshot, float(given), new=other, evaluation=evaluation)
        if evaluation is not None and found.found.new is None:
            st.caption(words.plain(f"By the grades of judges none is proposed. {' '.join(found.found.problems)}"))
            evaluation, found = None, cutoff(lab, snapshot, float(given), new=other)
        if found.found.new is None:
            st.warning(
                words.plain(" ".join(found.found.problems)), title="No threshold is proposed", icon=":material/help:"
            )
            return
        st.markdown(f"**{words.plain(found.text)}**")
        if evaluation:
            st.caption("Keeps the precision by the grades of judges.")
        else:
            st.caption("Keeps the number of answers; once pictures are graded and the models revealed, the precision.")
        st.code(found.python(), language="python")
        st.download_button(
            "As JSON",
            found.json(),
            file_name="threshold.json",
            mime="application/json",
            key="threshold-json",
            icon=":material/data_object:",
            on_click="ignore",
        )


def _given() -> float | None:
    """The old threshold that the address has; None where there is none."""
    try:
        given = float(session.parameter("threshold"))
    except ValueError:
        return None
    return given if isfinite(given) else None
