"""Which collection is looked at, and how it stands beside the others."""

from collections.abc import Mapping, Sequence

import streamlit as st

from console_core.coverage.gaps import CoverageSnapshot
from console_core.ui import charts, panels, words
from console_core.ui.address import from_address, write_address
from console_core.ui.coverage.clicks import clicked
from console_core.ui.coverage.fields import COLLECTION, FIELDS
from console_core.ui.session import console
from console_core.vectorstore.types import CollectionInfo

_LINES, _MOMENTS = 8, 60


def chosen_collection(collections: Sequence[CollectionInfo]) -> CollectionInfo:
    """The collection of the address, else the one behind an alias; drawn as a choice."""
    by_name = {info.name: info for info in sorted(collections, key=lambda info: (not info.aliases, info.name))}
    from_address(COLLECTION, "collection", next(iter(by_name)), allowed=by_name)
    name = st.selectbox(
        "Collection",
        list(by_name),
        key=COLLECTION,
        format_func=lambda name: _label(by_name[name]),
        on_change=write_address,
        args=(FIELDS,),
        kwargs={"page": None, "status": None},
    )
    return by_name[name]


def newest(collections: Sequence[CollectionInfo]) -> dict[str, CoverageSnapshot]:
    """The newest measurement of each collection that has one, by name."""
    found = {info.name: console().coverage.latest(info.name) for info in collections}
    return {name: snapshot for name, snapshot in found.items() if snapshot is not None}


def all_collections(collections: Sequence[CollectionInfo], measured: Mapping[str, CoverageSnapshot]) -> None:
    """Every measured collection as a bar, the newest measurement of each; a click leads to that collection."""
    unmeasured = [info.name for info in collections if info.name not in measured]
    groups = {name: dict(snapshot.report.totals) for name, snapshot in measured.items()}
    click = clicked(charts.coverage_bars(groups, title="Collections", share=True), "coverage-collections")
    if click and click.group != st.session_state[COLLECTION]:
        write_address(FIELDS, collection=click.group, value=None, page=None, status=None)
        st.rerun()
    if unmeasured:
        st.caption(f"Not measured yet: {words.plain(', '.join(unmeasured))}.")


def over_time(measured: Mapping[str, CoverageSnapshot]) -> None:
    """Coverage of each measured collection, at the times when it was measured."""
    latest = sorted(measured, key=lambda name: measured[name].report.measured_at, reverse=True)[:_LINES]
    lines = {name: console().coverage.history(name, _MOMENTS) for name in sorted(latest)}
    points = {
        name: [(one.report.measured_at, one.report.coverage) for one in reversed(of)] for name, of in lines.items()
    }
    panels.chart(charts.coverage_over_time(points), key="coverage-history")


def _label(info: CollectionInfo) -> str:
    model = info.stamp.model if info.stamp else "unknown model"
    served = f" · served as {', '.join(info.aliases)}" if info.aliases else ""
    return f"{info.name} · {model}{served}"
