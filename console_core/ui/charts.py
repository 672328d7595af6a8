"""Charts as Plotly figures. Pure: `panels.chart` puts them on a page.

Colours are the ten of the theme: Streamlit's browser side replaces the marks #000001 to #000010 by the theme's chart
colours, so that one figure is right in light and in dark.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from math import isnan
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from console_core.ui import words

BLUE, GREEN, ORANGE, VIOLET, RED, CYAN, GREY = (f"#00000{number}" for number in range(1, 8))

_GROUP_COLOURS = (BLUE, ORANGE, GREEN, RED, VIOLET, CYAN, "#000008", "#000009")
MOST_GROUPS = len(_GROUP_COLOURS)
"""Groups of a map that have a colour of their own."""
REST = "others"
"""The group of what has none, in grey."""

STATUS_COLOURS: Mapping[str, str] = {
    "embedded": BLUE,
    "stale": ORANGE,
    "failed": RED,
    "missing": GREY,
    "orphaned": VIOLET,
}
"""Coverage statuses in the order in which they are stacked."""


_SHORTEST = timedelta(hours=1)
"""The least time that a chart over time spans."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure and the sentence that says the same to those who cannot see it."""

    figure: go.Figure
    alt: str


def coverage_bars(
    groups: Mapping[str, Mapping[str, int]], *, title: str = "", share: bool = False, marked: str = ""
) -> Chart:
    """One horizontal bar for each group (a user, a folder), stacked by status (`words.COVERAGE`), in pictures.

    With `share` all bars are equally long and show per cent. Beside the group `marked` the others step back. A click
    gives the group as `y` and the status as `customdata[0]`.
    """
    names = list(groups)
    totals = {name: sum(groups[name].values()) or 1 for name in names}
    shades = [0.3 if marked in groups and name != marked else 1.0 for name in names]
    bars = []
    for status, colour in STATUS_COLOURS.items():
        values = [groups[name].get(status, 0) for name in names]
        if not any(values):
            continue
        label = words.coverage(status).label
        bar = {
            "type": "bar",
            "y": names,
            "x": [value / totals[name] for value, name in zip(values, names, strict=True)] if share else values,
            "name": label,
            "orientation": "h",
            "marker": {"color": colour, "line": {"width": 0}, "opacity": shades},
            "opacity": 0.35 if status == "missing" else 1,
            "customdata": [[status, value] for value in values],
            "hovertemplate": f"%{{y}}<br>{label}: %{{customdata[1]:,}}<extra></extra>",
        }
        bars.append(bar)
    figure = _figure(
        bars,
        height=96 + 32 * max(len(names), 1),
        x={"tickformat": ".0%" if share else ",", "rangemode": "tozero", **({"range": [0, 1]} if share else {})},
        y={"autorange": "reversed", "type": "category", "showgrid": False, "automargin": True, "ticksuffix": "  "},
        barmode="stack",
        bargap=0.35,
        showlegend=True,
    )
    return Chart(figure, _coverage_sentence(title or "Coverage", groups))


def coverage_over_time(points: Mapping[str, Sequence[tuple[datetime, float]]], *, title: str = "Coverage") -> Chart:
    """Coverage of each model or collection, as a fraction 0 to 1, at the times when it was measured."""
    lines = [
        {
            "type": "scatter",
            "x": [at for at, _ in series],
            "y": [fraction for _, fraction in series],
            "name": name,
            "mode": "lines+markers",
            "line": {"shape": "hv", "width": 2},
            "marker": {"size": 6},
            "customdata": [words.percent(fraction) for _, fraction in series],
            "hovertemplate": "%{customdata}<br>%{x|%-d %b %Y, %H:%M}<extra>" + name + "</extra>",
        }
        for name, series in points.items()
    ]
    span: dict[str, Any] = {}
    moments = [at for series in points.values() for at, _ in series]
    if moments and max(moments) - min(moments) < _SHORTEST:  # Plotly would stretch milliseconds over the whole width
        middle = min(moments) + (max(moments) - min(moments)) / 2
        span = {"range": [middle - _SHORTEST / 2, middle + _SHORTEST / 2]}
    figure = _figure(lines, height=280, x=span, y={"range": [0, 1.03], "tickformat": ".0%"})
    last = ", ".join(f"{name} {words.percent(series[-1][1])}" for name, series in points.items() if series)
    return Chart(figure, f"{title} over time; now: {last or 'not measured yet'}.")


def throughput(samples: Sequence[tuple[datetime, float]], *, unit: str = "pictures") -> Chart:
    """The rate of a run in pictures per second, over its time. A NaN breaks the line."""
    rates = [value for _, value in samples]
    lines = [
        {
            "type": "scatter",
            "x": [at for at, _ in stretch],
            "y": [value for _, value in stretch],
            "mode": "lines",
            "line": {"color": BLUE, "width": 2, "shape": "spline", "smoothing": 0.4},
            "fill": "tozeroy",
            "fillgradient": {
                "type": "vertical",
                "colorscale": [[0, "rgba(61,125,255,0)"], [1, "rgba(61,125,255,0.18)"]],
            },
            "hovertemplate": f"%{{y:,.0f}} {unit}/s<br>%{{x|%H:%M:%S}}<extra></extra>",
        }
        for broken, stretch in _stretches(samples)
        if not broken
    ]
    scale = {"rangemode": "tozero", "tickformat": ",", "ticksuffix": " /s"}
    figure = _figure(lines, height=220, y=scale, showlegend=False)
    now = words.rate(rates[-1], unit) if rates else "not measured yet"
    return Chart(figure, f"Throughput over time; now: {now}.")


def picture_map(
    flat: NDArray[np.float64],
    groups: Mapping[str, Sequence[int]],
    change: NDArray[np.float64],
    *,
    names: Sequence[str],
    marked: Collection[int] | None = None,
    marking: int = 0,
    alt: str,
) -> Chart:
    """Pictures as points, (n, 2), to be chosen with a lasso or a box; `customdata` is a point's row.

    Each group of rows has a colour; without groups the colour is the change, 0 to 1. Beside the `marked` rows the
    others step back; None marks nothing. Another number of `marking` undoes what was chosen in the browser.
    """
    kept = None if marked is None else set(marked)
    traces = []
    for place, (name, rows) in enumerate((groups or {"": range(len(flat))}).items()):
        those = np.array(rows, dtype=np.intp)
        marker: dict[str, Any] = {"size": 6, "line": {"width": 0}}
        if groups:
            marker["color"] = GREY if name == REST else _GROUP_COLOURS[place % len(_GROUP_COLOURS)]
        else:
            bar = {"thickness": 8, "outlinewidth": 0, "tickformat": ".0%", "tickvals": [0, 0.5, 1], "len": 0.6}
            marker |= {"color": change[those].astype(np.float32), "cmin": 0, "cmax": 1, "colorbar": bar}
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": flat[those, 0].astype(np.float32),
                "y": flat[those, 1].astype(np.float32),
                "name": name,
                "marker": marker,
                "customdata": those.tolist(),
                "text": [f"{names[row]}<br>neighbourhood changed by {change[row]:.0%}" for row in those],
                "hovertemplate": "%{text}<extra></extra>",
                "selected": {"marker": {"opacity": 0.95}},
                "unselected": {"marker": {"opacity": 0.12}},
                "opacity": 0.8,
                **({} if kept is None else {"selectedpoints": [at for at, row in enumerate(rows) if row in kept]}),
            }
        )
    bare = {"showticklabels": False, "zeroline": False, "showgrid": False}
    across = {**bare, "scaleanchor": "x"}
    figure = _figure(
        traces, height=400, x=bare, y=across, drag="lasso", selectionrevision=marking, showlegend=bool(groups)
    )
    return Chart(figure, alt)


def _stretches(samples: Sequence[tuple[datetime, float]]) -> list[tuple[bool, list[tuple[datetime, float]]]]:
    """Runs of numbers, and of NaN: one line through both would be filled under its gaps."""
    return [(broken, list(of)) for broken, of in groupby(samples, key=lambda sample: isnan(sample[1]))]


def interval(
    mean: float, lower: float, upper: float, *, unseen: tuple[float, float], margin: float, said: str
) -> Chart:
    """A mean difference with both bounds on one line, beside no difference and the loss that is accepted. The thin line
    goes to the bounds with one more question that lost, or won, all it can: they decide too."""
    lost, won = min(unseen[0], lower), max(unseen[1], upper)
    reach = 1.2 * max(abs(lost), abs(won), margin, 1e-6)
    thin = {
        "type": "scatter",
        "x": [lost, won],
        "y": [0, 0],
        "mode": "lines+markers",
        "line": {"color": BLUE, "width": 1},
        "marker": {"color": BLUE, "symbol": "line-ns-open", "size": 12},
        "hovertemplate": "%{x:+.3f} with one more question that lost, or won, all it can<extra></extra>",
    }
    bar = {
        "type": "scatter",
        "x": [lower, mean, upper],
        "y": [0, 0, 0],
        "mode": "lines+markers",
        "line": {"color": BLUE, "width": 4},
        "marker": {"color": BLUE, "size": [2, 15, 2]},
        "hovertemplate": "%{x:+.3f}<extra></extra>",
    }
    upright = {"type": "line", "yref": "paper", "y0": 0, "y1": 1}
    figure = _figure(
        [thin, bar],
        height=140,
        x={
            "range": [-reach, reach],
            "tickformat": "+.2f",
            "zeroline": False,
            "title": {"text": "Mean difference per question. Thin: if one more had lost, or won, all it can"},
        },
        y={"visible": False, "range": [-1, 1]},
        showlegend=False,
        shapes=[
            {**upright, "x0": 0, "x1": 0, "line": {"color": GREY, "width": 1}},
            {**upright, "x0": -margin, "x1": -margin, "line": {"color": RED, "width": 2, "dash": "dash"}},
        ],
        annotations=[
            {
                "x": -margin,
                "y": 1,
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "top",
                "showarrow": False,
                "text": f" margin {-margin:+g}",
                "font": {"color": RED},
            }
        ],
    )
    return Chart(figure, said)


def _figure(
    traces: Sequence[Mapping[str, Any]],
    *,
    height: int,
    x: Mapping[str, Any] | None = None,
    y: Mapping[str, Any] | None = None,
    drag: str | bool = False,
    **layout: Any,
) -> go.Figure:
    """Traces and axes in one piece: Plotly takes five times as long for a figure that is updated bit by bit."""
    return go.Figure(
        {
            "data": traces,
            "layout": {
                **layout,
                "height": height,
                "margin": {"t": 8, "b": 8, "l": 8, "r": 28},
                "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
                "hoverlabel": {"namelength": -1},
                "dragmode": drag,
                "xaxis": {**(x or {}), "fixedrange": True},
                "yaxis": {**(y or {}), "fixedrange": True},
            },
        }
    )


def _coverage_sentence(title: str, groups: Mapping[str, Mapping[str, int]]) -> str:
    sums = {status: sum(group.get(status, 0) for group in groups.values()) for status in STATUS_COLOURS}
    parts = ", ".join(f"{value:,} {status}" for status, value in sums.items() if value)
    return f"{title} of {words.count(len(groups), 'group')}: {parts or 'nothing counted'}."
