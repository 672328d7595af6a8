"""Chosen questions of a snapshot for a room full of people: one at a time, large, and nothing else on the screen."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from random import Random

import streamlit as st

from console_core.judging.board import Board
from console_core.judging.snapshots import Snapshot
from console_core.querylab.rankings import Query
from console_core.ui import gallery, navigation, session, words
from console_core.ui.address import kept
from console_core.ui.judging.board_choice import BOARD
from console_core.ui.judging.full_screen import full_screen_button
from console_core.ui.judging.grading import asked_picture
from console_core.ui.judging.tiles import CANNOT, ranked
from console_core.ui.judging.titles import column_titles
from console_core.ui.unrestored import number, one_of, say, strangers, whole_number

MOST = 12
"""Questions in one show: the address has them all."""
_STAGE_ONLY = ("q", "at", "names")
"""Parameters of the address that only a show has; the others are those of the board to which it leads back."""
_MOST = 9
"""Pictures of each column, on a screen that has room for them."""
_BELOW = 68
"""Pixels that the controls take at the lower edge."""
NAMES = ("yes", "no", "told")
"""Of `names` in the address: models are named; they are not; they are, where the columns stood without names."""
_STAGE = """<style>
[data-testid="stSidebar"], [data-testid="stHeader"], [data-testid="stSidebarCollapsedControl"],
[data-testid="stExpandSidebarButton"] { display: none; }
[data-testid="stMain"] .block-container { max-width: none; padding: 1rem clamp(1rem, 2.5vw, 3rem) 0; }
.st-key-stage { gap: 0.75rem; }
.st-key-stage h2 { font-size: clamp(1.5rem, 2.2vw, 2.5rem); padding: 0; }
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
        st.caption(
            "Arrow keys, or Page Up and Page Down, move on and back. F fills the screen. N hides and shows names of "
            "models: without names, columns stand in another order for each question. Escape ends it."
        )


def presentation(snapshot: Snapshot) -> None:
    """One question with the first pictures of each column. What is shown is in the address."""
    lab = session.console().lab
    asked = {one.id: one for one in lab.asked(snapshot)}
    chosen = [asked[one] for one in _told() if one in asked] or list(asked.values())[:MOST]
    place = (number("at", len(chosen)) or 1) - 1
    names = session.parameter("names", NAMES, "yes")
    st.html(_STAGE)
    with st.container(key="stage"):
        say(_left_out(asked, chosen))
        with st.container(horizontal=True, vertical_alignment="center"):
            if chosen[place].like:
                asked_picture(chosen[place].like, edge=112)
            st.header(words.plain(chosen[place].label), anchor=False, width="stretch")
        _columns(snapshot, chosen[place], names)
        _controls(snapshot, chosen, place, names)


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
    yield from one_of("names", NAMES, "the models are named")


def order_of(snapshot: str, query: str, columns: int) -> list[int]:
    """In which order columns stand while nobody is told which they are: another one for each question, and always the
    same for the same question of a snapshot."""
    order = list(range(columns))
    Random(int.from_bytes(sha256(f"{snapshot}\0{query}".encode()).digest()[:8], "big")).shuffle(order)
    return order


def _columns(snapshot: Snapshot, query: Query, names: str) -> None:
    found = session.console().lab.snapshots.answers(snapshot.id, queries=[query.id])
    lists = {one.column: [each.key for each in one.ranked] for one in found}
    rows = session.console().lab.snapshots.pictures(snapshot.id, [key for some in lists.values() for key in some])
    places, titles = list(range(len(snapshot.columns))), column_titles(snapshot.columns)
    if names != "yes":
        places = order_of(snapshot.id, query.id, len(places))
    drawn = []
    for nth, place in enumerate(places, start=1):
        compared = place and names != "no"  # the column without shifts would be known for the reference
        keys, reference = lists.get(place, [])[:_MOST], lists.get(0, []) if compared else None
        shown = ranked(keys, rows, reference=reference, size="large")
        drawn.append(gallery.Column(f"Answer {nth}" if names == "no" else titles[place], shown, "", CANNOT))
    gallery.gallery(drawn, key=f"stage-{query.id}-{names}", below=_BELOW)


def _controls(snapshot: Snapshot, chosen: Sequence[Query], place: int, names: str) -> None:
    def move(by: int) -> None:
        to = (place + by) % len(chosen)
        session.set_parameters(at=str(to + 1) if to else None, names=None if names == "yes" else "no")

    def name() -> None:
        session.set_parameters(names="told" if names == "no" else "no")

    def leave() -> None:
        st.query_params.from_dict({"snapshot": [snapshot.id], **kept(*BOARD)})

    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{place + 1} of {len(chosen)}", width="content")
        st.space("stretch")
        st.button("Back", key="stage-back", shortcut="Left", type="tertiary", on_click=move, args=(-1,))
        st.button("Next", key="stage-next", shortcut="Right", type="tertiary", on_click=move, args=(1,))
        full_screen_button()
        label = "Show names" if names == "no" else "Hide names"
        st.button(label, key="stage-names", shortcut="N", type="tertiary", on_click=name)
        st.button("End", key="stage-end", shortcut="Escape", type="tertiary", on_click=leave)
