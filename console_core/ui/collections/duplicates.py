"""Pictures that a collection has more than once: looked for by a run, shown side by side, exported, never deleted."""

from collections.abc import Sequence
from itertools import islice

import pandas as pd
import streamlit as st

from console_core.catalog.names import told
from console_core.errors import Refused
from console_core.querylab.duplicate_records import DuplicateRecords
from console_core.querylab.duplicates import (
    LEAST,
    THRESHOLD,
    Copy,
    Group,
    groups_csv,
    groups_told,
    refuse_duplicates,
    same_file,
    with_paths,
)
from console_core.querylab.finding_duplicates import KIND
from console_core.querylab.grouping import Groups
from console_core.rollout.made import made_at
from console_core.runs.types import ACTIVE, RESUMABLE, Run
from console_core.ui import gallery, navigation, panels, payload_filter, pictures, words
from console_core.ui.frame import live
from console_core.ui.permission import command_button
from console_core.ui.run_rows import TICK, run_row
from console_core.ui.session import act, console, parameter, set_parameters, when
from console_core.vectorstore.types import CollectionInfo, PointId

SHOW = "duplicates"
"""What the address says in `show`."""
PAGE = 8
"""Groups on a page."""
_TILES = 24
"""Pictures of one group that are shown; the export has all."""
_THRESHOLD, _PICTURE = "duplicates-threshold", "duplicates-picture"

Found = list[dict[PointId, float]]


def duplicates(info: CollectionInfo) -> None:
    """What to look for, the search while it works, and the groups that it has found so far."""
    newest = console().ledger.runs(kinds=(KIND,), target=info.name, limit=1)
    run = next((one for one in newest if _is_of(info, one)), None)
    _choice(info, run)
    if run is not None and run.state in ACTIVE | RESUMABLE:
        _working(run)
    if run is None:
        text = "Nothing is changed by it. Pictures that are as near as copies are will be listed here side by side."
        if newest:
            text = f"{info.name} was made or filled since the last look, {when(newest[0].finished_at)}. {text}"
        panels.empty_state("Not looked for yet", text, icon=":material/content_copy:")
        return
    _groups(info, run)


def _is_of(info: CollectionInfo, run: Run) -> bool:
    """Whether a search was of what bears this name now, and not of another collection that did, or of a part of it."""
    made = made_at(console().ledger, info.name)
    return run.state in ACTIVE | RESUMABLE or made is None or (run.finished_at or run.created_at) >= made


def _choice(info: CollectionInfo, run: Run | None) -> None:
    with panels.card("Look for duplicates", key="duplicates-choice"):
        try:
            refuse_duplicates(info, THRESHOLD)
        except Refused as error:
            st.warning(words.plain(error.remedy), title=words.plain(error.message), icon=":material/block:")
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            threshold = st.number_input(
                "From this cosine on",
                LEAST,
                1.0,
                value=_threshold(parameter("threshold"), run),
                step=0.005,
                format="%.3f",
                key=_THRESHOLD,
                on_change=_keep_threshold,
                help="Two pictures are taken for the same. A copy that was encoded again is usually above 0.99; a "
                "model may find two pictures of one motif that near, too.",
                width=200,
            )
            payload_filter.filter_button([info.name])
            busy = run is not None and run.state in ACTIVE
            pressed = command_button(
                f"Look through {words.count(info.points, 'point')}",
                "find_duplicates",
                key="find-duplicates",
                kind="primary",
                icon=":material/content_copy:",
                disabled=busy or not info.points,
                help="It is being looked through." if busy else "",
            )
        payload_filter.chips()
        st.caption(
            "It takes one search for each point, in the background: a small embedded store (local:) needs minutes for "
            "thousands of points. It can be paused and cancelled; what was found until then stays listed."
        )
        if pressed:
            only = payload_filter.chosen()
            set_parameters(page=None)
            act("find_duplicates", collection=info.name, threshold=threshold, only=only, done="Looking for duplicates.")
            st.rerun()


def _threshold(text: str, run: Run | None) -> float:
    """The threshold of the address, else that of the latest search, else the usual one."""
    try:
        wanted = float(text)
    except ValueError:
        wanted = float(run.spec["threshold"]) if run is not None else THRESHOLD
    return wanted if LEAST <= wanted <= 1 else THRESHOLD


def _keep_threshold() -> None:
    set_parameters(threshold=f"{st.session_state[_THRESHOLD]:g}")


def _working(found: Run) -> None:
    """The search while it moves; the page runs again when it has found more groups, and when its state changes."""

    def looking() -> None:
        run = console().ledger.get(found.id)
        if run.state != found.state or (run.result or {}) != (found.result or {}):
            st.rerun()
        run_row(run)

    with st.container(border=True):
        live(looking, every=TICK if found.state in ACTIVE else None)


def _groups(info: CollectionInfo, run: Run) -> None:
    groups = _found(str(console().settings.workspace), run.id, run.checkpoint)
    if not groups:
        if run.state not in ACTIVE:
            panels.empty_state("No picture twice", _scope(run), icon=":material/check_circle:")
        return
    surplus = sum(len(group) - 1 for group in groups)
    are = "pictures are" if len(groups) != 1 else "picture is"
    title = f"{len(groups):,} {are} there more than once, {surplus:,} times too often"
    with panels.card(title, caption=_scope(run), aside=lambda: _export(info, groups), key="duplicates-found"):
        page = _page(len(groups))
        first = page * PAGE
        here = [dict(islice(group.items(), _TILES)) for group in groups[first : first + PAGE]]
        listed = list(with_paths(groups_told(console().store, info.name, here), console().rows))
        for number, group in enumerate(listed, start=first + 1):
            _group(number, group, groups)
        if len(listed) < len(here):
            st.caption(f"The points of {words.count(len(here) - len(listed), 'group')} were deleted since.")
        _as_list(first, listed)
    pictures.drawer(_PICTURE, pictures.named, lambda key, _row: _similar(key))


@st.cache_data(max_entries=4, show_spinner=False)
def _found(workspace: str, run: str, checkpoint: str) -> Found:
    return Groups(DuplicateRecords(console().database).of(run)).all()


def _scope(run: Run) -> str:
    """Which points were compared, and how many of them so far."""
    said = [f"At a cosine of {run.spec['threshold']:g} or more"]
    said += [f"{words.plain(field)}: {words.plain(', '.join(values))}" for field, values in run.spec["only"].items()]
    if run.counts.pending or run.state in ACTIVE:
        said.append(f"{run.counts.done:,} of {words.count(run.counts.selected, 'point')} were looked at")
    else:
        said.append(f"{words.count(run.counts.done, 'point')} were looked at {when(run.finished_at)}")
    return " · ".join(said)


def _page(groups: int) -> int:
    """The page that the address asks for, counted from 0, and the way to the others where there are any."""
    pages = max(-(-groups // PAGE), 1)
    if pages == 1:
        return 0
    chosen = parameter("page", [str(number) for number in range(1, pages + 1)], "1")
    key = f"duplicates-page-{chosen}"  # another widget for each address: a default of its own cannot be given anew

    def turn() -> None:
        set_parameters(page=str(st.session_state[key]))

    return st.pagination(pages, default=int(chosen), key=key, on_change=turn) - 1


def _group(number: int, group: Group, groups: Found) -> None:
    rows, alike = pictures.rows_by_key(one.key for one in group), same_file(group)
    tiles = [
        gallery.Tile(
            one.key, pictures.address(one.key, rows.get(one.key)), one.place, note=_note(one, same=one.id in alike)
        )
        for one in group
    ]
    size = len(groups[number - 1])
    shown = f", of which {len(group)} are shown" if size > len(group) else ""
    with st.container(gap="xsmall", key=f"duplicates-group-{number}"):
        st.markdown(f"**Group {number:,}** :gray[{words.count(size, 'picture')}{shown}]")
        picked = gallery.grid(tiles, key=f"duplicates-gallery-{number}", tile_width=200)
    if picked is not None:
        st.session_state[_PICTURE] = picked


def _note(one: Copy, *, same: bool) -> str:
    return " · ".join([f"{one.cosine:.4f}", *(["same file"] if same else []), one.place])


def _as_list(first: int, listed: Sequence[Group]) -> None:
    with st.expander("As a list, with whole paths", icon=":material/list:"):
        table = [
            {
                "Group": number,
                "Path": told(one.path),
                "Namespace": one.namespace,
                "Same file": one.id in alike,
                "Cosine": one.cosine,
                "Point": str(one.id),
                "Key": told(one.key),
            }
            for number, group in enumerate(listed, start=first + 1)
            for alike in (same_file(group),)
            for one in group
        ]
        columns = {"Cosine": st.column_config.NumberColumn(format="%.6f")}
        frame = pd.DataFrame(table)
        st.dataframe(frame, hide_index=True, alt="Pictures that are near each other", column_config=columns)


def _export(info: CollectionInfo, groups: Found) -> None:
    """A download of all groups, made when it is asked for."""
    opened = console()
    st.download_button(
        "Export CSV",
        lambda: "".join(groups_csv(with_paths(groups_told(opened.store, info.name, groups), opened.rows))),
        file_name=f"{info.name}-duplicates.csv",
        mime="text/csv",
        icon=":material/download:",
        key="duplicates-csv",
        on_click="ignore",
        help="All groups: the group's number, and each point's id, path, cosine to the nearest of its group, namespace "
        "and key, and whether another of the group is of the same file.",
    )


def _similar(key: str) -> None:
    if st.button("Find similar", icon=":material/image_search:", type="primary", key="duplicates-similar"):
        st.session_state.pop(_PICTURE, None)
        navigation.go("query_lab", like=key)
