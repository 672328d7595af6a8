"""What is chosen on an agreement board: the column, how many places, RBO's p, and the order. All of it is in the
address, where what is usual is not written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from console_core.judging.asked_columns import AskedColumn
from console_core.judging.board import Board, Row
from console_core.judging.boards import usual_k
from console_core.judging.snapshots import Snapshot
from console_core.querylab.rankings import Query
from console_core.querylab.shifts import PERSISTENCE, PERSISTENCES, persistence_meaning
from console_core.ui.address import choice
from console_core.ui.judging.naming import JUDGE
from console_core.ui.open_picture import OPEN
from console_core.ui.ordering import ORDER, chosen_order
from console_core.ui.session import parameter
from console_core.ui.unrestored import number, one_of, strangers, whole_number

COLUMN, PLACES, P, QUESTION, THRESHOLD = "column", "k", "p", "question", "threshold"
"""Parameters of the address. Columns count from 1, the reference."""
BOARD = (COLUMN, PLACES, P, ORDER, QUESTION, THRESHOLD, JUDGE)
_PS = {f"{p:g}": p for p in PERSISTENCES}
_ORDERS = {"changed": "Most changed first", "alike": "Most alike first", "set": "As in the query set"}
_CHANGED = next(iter(_ORDERS))


@dataclass(frozen=True, slots=True)
class Chosen:
    """`other` is the place of the column that is compared with the first one, `k` how many of the first places are."""

    other: int
    k: int
    p: float


def chosen(snapshot: Snapshot) -> Chosen:
    """What the address says of a snapshot with two columns or more."""
    return Chosen(
        (number(COLUMN, len(snapshot.columns), least=2) or 2) - 1,
        number(PLACES, snapshot.depth) or usual_k(snapshot),
        _PS.get(parameter(P), PERSISTENCE),
    )


def choose_column(snapshot: Snapshot, now: Chosen, title: Callable[[AskedColumn], str]) -> None:
    """The column to compare, where there is more than one beside the reference."""
    others = list(range(2, len(snapshot.columns) + 1))
    if len(others) < 2:
        return
    change = choice("board-other", COLUMN, now.other + 1, usual=2)
    st.segmented_control(
        "Compared with the reference",
        others,
        required=True,
        key="board-other",
        format_func=lambda place: title(snapshot.columns[place - 1]),
        on_change=change,
    )


def choose_measure(snapshot: Snapshot, now: Chosen) -> None:
    """How many places are compared, and p, with what it means."""
    with st.container(horizontal=True, vertical_alignment="top"):
        st.number_input(
            "First places",
            min_value=1,
            max_value=snapshot.depth,
            key="board-k",
            width=140,
            help=f"k: so many answers of each column are compared, at most the {snapshot.depth} that were kept.",
            on_change=choice("board-k", PLACES, now.k, usual=usual_k(snapshot)),
        )
        st.segmented_control(
            "p of RBO",
            list(_PS),
            required=True,
            key="board-p",
            help="Rank-biased overlap weighs each further place by p: the lower p is, the more the first places count.",
            on_change=choice("board-p", P, f"{now.p:g}", usual=f"{PERSISTENCE:g}"),
        )
    st.caption(persistence_meaning(now.k, now.p))


def in_order(found: Board, asked: Sequence[Query]) -> list[Row]:
    """The rows in the order that is chosen; draws the choice."""
    order = chosen_order(_ORDERS, key="board-order")
    if order == "set":
        places: Mapping[str, int] = {query.id: place for place, query in enumerate(asked)}
        return sorted(found.rows, key=lambda row: places[row.query.id])
    return list(found.rows if order == _CHANGED else reversed(found.rows))


def left_out(snapshot: Snapshot, answered: Mapping[str, Row]) -> Iterator[str]:
    """What of the address this board cannot show, and what it shows instead."""
    now = chosen(snapshot)
    yield from strangers({"snapshot", "view", OPEN, *BOARD})
    if view := parameter("view"):
        yield f"There is no view {view} of answers: the agreement of the columns is shown."
    if (said := parameter(COLUMN)) and number(COLUMN, len(snapshot.columns), least=2) is None:
        last = len(snapshot.columns)
        yield f"There is no column {said} beside the reference, which is 1, up to {last}: column 2 is compared."
    yield from whole_number(PLACES, snapshot.depth, f"the first {now.k} are compared")
    yield from one_of(P, _PS, f"it is {now.p:g}, of {', '.join(_PS)}")
    yield from one_of(ORDER, _ORDERS, "the most changed come first")
    yield from one_of(QUESTION, answered, "none is open")
    if parameter(OPEN) and parameter(QUESTION) not in answered:
        yield "A picture opens beside the answers to a question, and none is chosen."
