"""Translate an application's threshold from the reference to another column, and take it along as code."""

from collections.abc import Callable
from math import isfinite

import streamlit as st

from console_core.judging.cutoffs import cutoff, revealed_of, usual
from console_core.judging.snapshots import Snapshot
from console_core.ui import session, words
from console_core.ui.address import choice
from console_core.ui.judging.board_choice import THRESHOLD
from console_core.ui.session import parameter, set_parameters
from console_core.ui.unrestored import say

_FORM = "threshold-form"


def threshold_form(snapshot: Snapshot, other: int) -> None:
    """The old threshold in, the new one with its interval out. With a revealed evaluation it keeps the precision. It is
    open while the address has a threshold."""
    told = parameter(THRESHOLD)
    change = _opening(snapshot, is_open=bool(told))
    with st.expander("Translate a threshold…", icon=":material/tune:", key=_FORM, on_change=change) as box:
        if not box.open:
            return
        lab, given, usually = session.console().lab, _number(told), _usually(snapshot)
        if given is None:
            say([f"A threshold is a number, and not {told}: {usually:g} is translated."])
        old, new = snapshot.columns[0], snapshot.columns[other]
        st.caption(
            words.plain(
                f"An application that cuts off at a score of {old.model} needs another number for {new.model}: "
                "a raw score means nothing in another model."
            )
        )
        change = choice("threshold-old", THRESHOLD, usually if given is None else given, usual=None)
        given = st.number_input(
            f"Threshold for {old.model}", format="%.4f", step=0.01, key="threshold-old", width=260, on_change=change
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


def _opening(snapshot: Snapshot, *, is_open: bool) -> Callable[[], None]:
    """Open the form, or not; what is given writes whether somebody opened it into the address."""
    st.session_state[_FORM] = is_open

    def write() -> None:
        set_parameters(**{THRESHOLD: f"{_usually(snapshot):g}" if st.session_state[_FORM] else None})

    return write


def _usually(snapshot: Snapshot) -> float:
    return round(usual(session.console().lab.readings.of(snapshot).answers, 0), 4)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
