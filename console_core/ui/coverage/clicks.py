"""Clicks on bars, each told once: a chart goes on saying what is selected in it, long after the click."""

from dataclasses import dataclass

import streamlit as st

from console_core.ui import charts, panels
from console_core.ui.session import parameter


@dataclass(frozen=True, slots=True)
class Clicked:
    """A part of a bar: the group, by the label it was drawn with, and the status."""

    group: str
    status: str


def clicked(chart: charts.Chart, key: str) -> Clicked | None:
    """Draw bars; what was clicked since the last run, once for each click.

    Whenever the page's choice changes, the browser forgets what was selected in the chart: it would go on fading the
    other bars, and take the next click on the same bar for the end of the selection.
    """
    chart.figure.update_layout(meta=[parameter(name) for name in ("collection", "by", "status", "value")])
    point = panels.chart(chart, key=key, clickable=True)
    seen = f"{key}-seen"
    now = Clicked(str(point["y"]), str(point["customdata"][0])) if point and point.get("customdata") else None
    before = st.session_state.get(seen)
    st.session_state[seen] = now
    return now if now != before else None
