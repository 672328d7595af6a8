"""The books of a run: selected = done + skipped + failed + pending, as figures, and the reasons below them."""

from collections.abc import Mapping

import streamlit as st

from console_core.runs.types import Run
from console_core.ui import navigation, words

DONE: Mapping[str, str] = {"reembed": "Embedded", "verify": "Checked", "repair": "Repaired", "coverage": "Counted"}


def counts_row(run: Run, *, link: bool = False) -> None:
    """Draw the figures, and whether they add up."""
    counts, done = run.counts, DONE.get(run.kind, "Done")
    with st.grid(5, min_column_width=120):
        for label, value in (
            ("Selected", counts.selected),
            (done, counts.done),
            ("Skipped", counts.all_skipped),
            ("Failed", counts.all_failed),
            ("Pending", counts.pending),
        ):
            st.metric(label, words.number(value), border=True, height="stretch")
    parts = (counts.done, counts.all_skipped, counts.all_failed, counts.pending)
    total = f"{' + '.join(f'{part:,}' for part in parts)} = {counts.selected:,}"
    if sum(parts) == counts.selected and counts.pending >= 0:
        st.caption(f":green[:material/balance:] Every picture is accounted for: {words.plain(total)}.")
    else:
        st.caption(f":red[:material/balance:] The books do not add up: {words.plain(total)}.")
    reasons = [f"{number:,} {words.failure(kind).label.lower()}" for kind, number in counts.failed.items()]
    reasons += [f"{number:,} skipped: {reason}" for reason, number in counts.skipped.items()]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if reasons:
            st.caption(words.plain(", ".join(reasons)), width="content")
        if link:
            label = "Failures and details of this run" if counts.all_failed else "Details of this run"
            navigation.link("runs", label, icon=":material/arrow_forward:", run=run.id)
