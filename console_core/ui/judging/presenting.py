"""Chosen questions of a snapshot for a room full of people: one at a time, large, and nothing else on the screen."""

from collections.abc import Iterator, Mapping, Sequence

import streamlit as st

from console_core.judging.board import Board
from console_core.judging.snapshots import Snapshot
from console_core.querylab.rankings import Query
from console_core.ui import gallery, navigation, session, words
from console_core.ui.address import kept
from console_core.ui.judging.board_choice import BOARD
from console_core.ui.judging.grading import asked_picture
from console_core.ui.judging.tiles import CANNOT, ranked
from console_core.ui.unrestored import number, one_of, say, strangers, whole_number

MOST = 12
"""Questions in one show: the address has them all."""
_STAGE_ONLY = ("q", "at", "names")
"""Parameters of the address that only a show has; the others are those of the board to which it leads back."""
_SHOWN = 6
"""Pictures of each column."""
_WIDTHS = {1: 240, 2: 170, 3: 150, 4: 130}
_STAGE = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stSidebarCollapsedControl"] { display: none; }
[data-testid="stMain"] .block-container { max-width: 1600px; padding: 1.5rem 3rem; }
.st-key-stage h2 { font-size: 2.25rem; padding: 0.25rem 0 0.5rem; }
</style>"""


def present_form(snapshot: Snapshot, found: Board) -> None:
    """Which questions to show, the most changed to begin with; and the link that shows them."""
    with st.expander("Present…", icon=":material/slideshow:", key="present-form", on_change="rerun") as box:
        if not box.open:
            return
        labels = {row.query.id: row.query.label for row in found.rows}
        chosen = st.multiselect(
            "Questions",
            list(labels),
            default=list(labels)[:5],
            max_selections=MOST,
            key="present-questions",
            format_func=labels.__getitem__,
        )
        if chosen:
            navigation.link(
                "judging",
                "Present these",
                icon=":material/slideshow:",
                snapshot=snapshot.id,
                view="present",
                q=chosen,
                **kept(*BOARD),
            )
        st.caption("Arrow keys move on and back, N hides and shows the names of the models, Escape ends it.")


def presentation(snapshot: Snapshot) -> None:
    """One question with the first pictures of each column. What is shown is in the address."""
    lab = session.console().lab
    asked = {one.id: one for one in lab.query_sets.queries(lab.query_sets.get(snapshot.set_name, snapshot.set_version))}
    chosen = [asked[one] for one in _told() if one in asked] or list(asked.values())[:MOST]
    place = (number("at", len(chosen)) or 1) - 1
    named = session.parameter("names") != "no"
    st.html(_STAGE)
    with st.container(key="stage"):
        say(_left_out(asked, chosen))
        st.header(words.plain(chosen[place].label), anchor=False)
        if chosen[place].like:
            asked_picture(chosen[place].like)
        _columns(snapshot, chosen[place], named=named)
        _controls(snapshot, chosen, place, named=named)


def _told() -> list[str]:
    return list(dict.fromkeys(filter(None, st.query_params.get_all("q"))))


def _left_out(asked: Mapping[str, Query], chosen: Sequence[Query]) -> Iterator[str]:
    yield from strangers({"snapshot", "view", *_STAGE_ONLY, *BOARD})
    if lacking := [one for one in _told() if one not in asked]:
        told = words.count(len(lacking), "question")
        instead = "" if len(lacking) < len(_told()) else f" The first {len(chosen)} are shown."
        are = "is" if len(lacking) == 1 else "are"
        yield f"{told} of it {are} not in this query set: {', '.join(lacking)}.{instead}"
    yield from whole_number("at", len(chosen), "it begins with the first question")
    yield from one_of("names", ("no", "yes"), "the models are named")


def _columns(snapshot: Snapshot, query: Query, *, named: bool) -> None:
    found = session.console().lab.snapshots.answers(snapshot.id, queries=[query.id])
    lists = {one.column: [each.key for each in one.ranked] for one in found}
    rows = session.console().lab.snapshots.pictures(snapshot.id, [key for some in lists.values() for key in some])
    drawn = []
    for place, column in enumerate(snapshot.columns):
        keys = lists.get(place, [])[:_SHOWN]
        shown = ranked(keys, rows, reference=lists.get(0, []) if place else None)
        title = column.title if named else f"Model {'ABCD'[place]}"
        drawn.append(gallery.Column(title, shown, "", CANNOT))
    gallery.gallery(drawn, key=f"stage-{query.id}-{named}", tile_width=_WIDTHS[len(drawn)])


def _controls(snapshot: Snapshot, chosen: Sequence[Query], place: int, *, named: bool) -> None:
    def move(by: int) -> None:
        to = (place + by) % len(chosen)
        session.set_parameters(at=str(to + 1) if to else None)

    def name() -> None:
        session.set_parameters(names="no" if named else None)

    def leave() -> None:
        st.query_params.from_dict({"snapshot": [snapshot.id], **kept(*BOARD)})

    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{place + 1} of {len(chosen)}", width="content")
        st.space("stretch")
        st.button("Back", key="stage-back", shortcut="Left", type="tertiary", on_click=move, args=(-1,))
        st.button("Next", key="stage-next", shortcut="Right", type="tertiary", on_click=move, args=(1,))
        label = "Hide names" if named else "Show names"
        st.button(label, key="stage-names", shortcut="N", type="tertiary", on_click=name)
        st.button("End", key="stage-end", shortcut="Escape", type="tertiary", on_click=leave)
