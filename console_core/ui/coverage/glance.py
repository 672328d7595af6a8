"""Coverage at a glance: the figures, one bar of all pictures, and the bars by facet."""

from collections.abc import Mapping

import streamlit as st

from console_core.coverage.facets import FOLDER
from console_core.coverage.report import OTHER, CoverageReport, Status
from console_core.ui import charts, words
from console_core.ui.address import from_address, write_address
from console_core.ui.coverage.clicks import Clicked, clicked
from console_core.ui.coverage.fields import FACET, FIELDS, STATUS
from console_core.ui.session import parameter

BARS = 12
"""Values of a facet that are drawn before all of them are asked for."""
NONE = "(none)"
"""The facet value "" in words and in the address."""


def figures(report: CoverageReport) -> None:
    """The share that is embedded, and for each status how many and what that means."""
    orphaned = report.gaps[Status.ORPHANED]
    with st.grid(6, min_column_width=150):
        _figure("Coverage", words.percent(report.coverage), f"of {words.count(report.total, 'picture')}")
        for status in (Status.EMBEDDED, Status.MISSING, Status.FAILED, Status.STALE):
            number = report.totals[status]
            word = words.coverage(status)
            share = words.percent(number / report.total if report.total else 0)
            _figure(word.label, words.number(number), f"{share}. {word.meaning}")
        word = words.coverage(Status.ORPHANED)
        _figure(word.label, words.number(orphaned) if report.orphaned is not None else "–", word.meaning)


def total_bar(report: CoverageReport) -> None:
    """All pictures in one bar; a click chooses the status."""
    bar = charts.coverage_bars({"All": report.totals}, title="All pictures")
    bar.figure.update_xaxes(range=[0, report.total])
    if click := clicked(bar, "coverage-total"):
        _choose(click, None)


def by_facet(report: CoverageReport) -> str:
    """Bars by the chosen facet: all pictures as shares, and the gaps alone. A click goes into the address.

    Returns the facet, "" where the catalog has none.
    """
    facets = sorted(report.facets, key=lambda facet: facet == FOLDER)  # what the catalog names comes first
    if not facets:
        st.caption("The catalog tells no user, type or folder by which pictures could be grouped.")
        return ""
    from_address(FACET, "by", facets[0], allowed=facets)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        facet = st.segmented_control(
            "By",
            facets,
            key=FACET,
            format_func=facet_name,
            required=True,
            label_visibility="collapsed",
            on_change=write_address,
            args=(FIELDS,),
            kwargs={"value": None, "page": None},
        )
        groups = _ranked(report.facets[str(facet)])
        if len(groups) > BARS and not st.toggle(f"All {len(groups)} values", key="coverage-all-values"):
            groups = dict(list(groups.items())[:BARS])
    values = {value_name(value): value for value in groups}
    named = {value_name(value): counts for value, counts in groups.items()}
    gaps = {name: {key: count for key, count in counts.items() if key != "embedded"} for name, counts in named.items()}
    told = parameter("value")
    chosen = value_name("" if told == NONE else told) if told else ""
    left, right = st.columns(2)
    with left:
        st.caption("All pictures")
        whole = clicked(
            charts.coverage_bars(named, title=facet_name(str(facet)), share=True, marked=chosen), "coverage-whole"
        )
    with right:
        st.caption("Gaps only, in pictures")
        if any(sum(counts.values()) for counts in gaps.values()):
            part = clicked(charts.coverage_bars(gaps, title="Gaps", marked=chosen), "coverage-gaps")
        else:
            part = None
            st.markdown(":green[:material/check_circle:] No gaps.")
    if (click := whole or part) and click.group in values:
        _choose(click, values[click.group] or NONE)
    return str(facet)


def _choose(click: Clicked, value: str | None) -> None:
    st.session_state[STATUS] = click.status
    write_address(FIELDS, value=value, page=None)
    st.rerun()


def facet_name(facet: str) -> str:
    """user_id is User, image_type is Image type."""
    return facet.removesuffix("_id").replace("_", " ").strip().capitalize() or facet


def value_name(value: str) -> str:
    """A facet's value as a label; Plotly would take a "<" for mark-up."""
    if value == OTHER:
        return "all others"
    return value.replace("<", "‹") or NONE


def _ranked(values: Mapping[str, Mapping[str, int]]) -> dict[str, Mapping[str, int]]:
    """The values with most gaps first, then the largest."""

    def order(item: tuple[str, Mapping[str, int]]) -> tuple[int, int, str]:
        value, counts = item
        total = sum(counts.values())
        return (counts.get("embedded", 0) - total, -total, value)

    return dict(sorted(values.items(), key=order))


def _figure(label: str, value: str, text: str) -> None:
    with st.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(label, value)
        st.caption(words.plain(text))
