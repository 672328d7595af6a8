"""The pictures behind a bar: those of a status, optionally of one facet value, a page at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd
import streamlit as st

from console_core.catalog.names import told
from console_core.coverage.embedded import embedded_rows
from console_core.coverage.gaps import CoverageSnapshot
from console_core.coverage.report import Gap, Status
from console_core.ui import gallery, navigation, panels, pictures, words
from console_core.ui.address import from_address, write_address
from console_core.ui.coverage.fields import FIELDS, STATUS
from console_core.ui.coverage.glance import NONE, facet_name, value_name
from console_core.ui.session import console, parameter
from console_core.vectorstore.provenance import application_payload, point_id
from console_core.vectorstore.types import CollectionInfo

PAGE = 48
_PICTURE = "coverage-picture"
_ORDER = (Status.MISSING, Status.FAILED, Status.STALE, Status.ORPHANED, Status.EMBEDDED)
_DEEPEST = 20
"""Pages of embedded pictures that are shown: behind a bar one looks, one does not browse."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is looked at: a status, and of a facet one value (`facet` "": all pictures)."""

    status: str
    facet: str = ""
    value: str = ""


def behind_the_bars(snapshot: CoverageSnapshot, info: CollectionInfo, facet: str) -> None:
    """The chosen status and value as choices, and their pictures."""
    told = parameter("value")
    value = "" if told == NONE else told
    known = bool(told) and value in snapshot.report.facets.get(facet, {})
    choice, number = _chosen(snapshot, facet if known else "", value if known else "")
    listed = _listed(snapshot, choice, number)
    if not number:
        panels.empty_state("No such pictures", words.coverage(choice.status).meaning, icon=":material/check_circle:")
        return
    page = _page(listed)
    if choice.status == Status.ORPHANED:
        _orphans(snapshot, info, page)
    else:
        found = _found(snapshot, info, choice, page)
        _gallery(found, choice)
    if choice.status == Status.FAILED:
        navigation.link("failures", "Retry them, or put them into quarantine", collection=info.name)
    if listed < number:
        st.caption(f"The first {listed:,} of {number:,} are shown here.")


def _chosen(snapshot: CoverageSnapshot, facet: str, value: str) -> tuple[Choice, int]:
    report = snapshot.report
    counts = dict(report.facets[facet].get(value, {})) if facet else {**report.totals, **report.gaps}
    offered = [str(status) for status in _ORDER if str(status) in counts]
    first = next((status for status in offered if counts[status]), str(Status.EMBEDDED))
    from_address(STATUS, "status", first, allowed=offered)
    if st.session_state[STATUS] not in offered:
        st.session_state[STATUS] = first
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        status = st.segmented_control(
            "Status",
            offered,
            key=STATUS,
            required=True,
            label_visibility="collapsed",
            format_func=lambda name: f"{words.coverage(name).label} {counts[name]:,}",
            on_change=write_address,
            args=(FIELDS,),
            kwargs={"page": None},
        )
        if facet:
            st.button(
                f"{facet_name(facet)}: {value_name(value)}",
                icon=":material/close:",
                help="Show those of all.",
                key="coverage-clear",
                on_click=write_address,
                args=(FIELDS,),
                kwargs={"value": None, "page": None},
            )
    return Choice(str(status), facet, value), counts.get(str(status), 0)


def _listed(snapshot: CoverageSnapshot, choice: Choice, number: int) -> int:
    """How many of them can be listed."""
    if choice.status == Status.EMBEDDED:
        return min(number, PAGE * _DEEPEST)
    return min(number, snapshot.kept.get(choice.status, 0))


def _page(listed: int) -> int:
    """The page that the address asks for, counted from 0, and the way to the others where there are any."""
    pages = max(-(-listed // PAGE), 1)
    if pages == 1:
        return 0
    told = parameter("page", [str(number) for number in range(1, pages + 1)], "1")
    key = f"coverage-page-{told}"  # another widget for each address: a default of its own cannot be given anew

    def turn() -> None:
        write_address(FIELDS, page=str(st.session_state[key]))

    return st.pagination(pages, default=int(told), key=key, on_change=turn) - 1


def _found(snapshot: CoverageSnapshot, info: CollectionInfo, choice: Choice, page: int) -> Sequence[Gap]:
    if choice.status == Status.EMBEDDED:
        named = snapshot.report.facets.get(choice.facet, {})
        rows = embedded_rows(
            console().catalog_of(info.name),
            console().store,
            info.name,
            facet=choice.facet,
            value=choice.value,
            named=named,
        )
        return [Gap(row.key, Status.EMBEDDED) for row in islice(rows, page * PAGE, (page + 1) * PAGE)]
    gaps = console().coverage.gaps(
        snapshot.id,
        status=choice.status,
        facet=choice.facet or None,
        value=choice.value,
        skip=page * PAGE,
        limit=PAGE,
    )
    return [recorded.gap for recorded in gaps]


def _gallery(found: Sequence[Gap], choice: Choice) -> None:
    rows = pictures.rows_by_key(gap.key for gap in found)
    tiles = [
        gallery.Tile(
            gap.key,
            pictures.address(gap.key, row),
            pictures.caption(gap.key, row.payload if row else {}),
            note=" · ".join(filter(None, (gap.detail.partition(":")[0], pictures.file_name(row)))),
        )
        for gap in found
        for row in (rows.get(gap.key),)
    ]
    picked = gallery.grid(tiles, key="coverage-gallery", picked=st.session_state.get(_PICTURE, ""))
    if picked is not None:
        st.session_state[_PICTURE] = picked
    with st.expander("As a list, with paths and reasons", icon=":material/list:"):
        st.dataframe(
            pd.DataFrame(
                {
                    "Picture": told(gap.key),
                    "Path": told(row.candidates[0]) if row and row.candidates else "–",
                    "Reason": gap.detail or words.coverage(gap.status).meaning,
                }
                for gap in found
                for row in (rows.get(gap.key),)
            ),
            hide_index=True,
            alt=f"Pictures that are {choice.status}",
        )
    reasons = {gap.key: gap for gap in found}
    pictures.drawer(_PICTURE, pictures.named, lambda key, _row: _more(reasons.get(key)))


def _more(gap: Gap | None) -> None:
    if gap is None:
        return
    panels.state_badge(words.coverage(gap.status))
    st.markdown(words.plain(gap.detail or words.coverage(gap.status).meaning))
    if gap.status not in (Status.EMBEDDED, Status.STALE):
        return
    if st.button("Find similar", icon=":material/image_search:", type="primary", key="coverage-similar"):
        st.session_state.pop(_PICTURE, None)
        navigation.go("query_lab", like=gap.key)


def _orphans(snapshot: CoverageSnapshot, info: CollectionInfo, page: int) -> None:
    gaps = console().coverage.gaps(snapshot.id, status=Status.ORPHANED, skip=page * PAGE, limit=PAGE)
    ids = [point_id(recorded.gap.detail.removeprefix("point ")) for recorded in gaps]
    points = {point.id: point for point in console().store.retrieve(info.name, ids)}
    st.dataframe(
        pd.DataFrame(
            {
                "Point": str(identifier),
                "Picture": told(recorded.gap.key),
                "Payload": application_payload(points[identifier].payload) if identifier in points else None,
            }
            for recorded, identifier in zip(gaps, ids, strict=True)
        ),
        hide_index=True,
        alt="Points whose picture left the catalog",
        column_config={"Payload": st.column_config.JsonColumn(width="large")},
    )
    st.caption("Orphaned points can still be found by a search. They do no harm to what is in the catalog.")
