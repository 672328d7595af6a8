"""The agreement board of two columns of a snapshot, the same for the page and the command line."""

from console_core.errors import Refused
from console_core.judging.board import Board, board
from console_core.judging.readings import Reading
from console_core.judging.records import LabRecords
from console_core.judging.snapshots import Snapshot
from console_core.querylab.shifts import PERSISTENCE

USUAL_K = 10


def usual_k(snapshot: Snapshot) -> int:
    """How many of the first places are compared unless somebody says so: ten, or all that were kept."""
    return min(USUAL_K, snapshot.depth)


def board_of(
    lab: LabRecords,
    snapshot: Snapshot,
    *,
    other: int = 1,
    k: int | None = None,
    p: float = PERSISTENCE,
    reading: Reading | None = None,
) -> Board:
    """How the column at place `other` answers beside the first one, the reference, in the first k places. `reading` is
    of the snapshot, where somebody has one: a large one is not kept, and read anew for each that asks.

    Raises:
        Refused: there is no such column beside the reference, k is not one of 1 to the snapshot's depth, or p does not
            lie between 0 and 1.
    """
    if not 0 < other < len(snapshot.columns):
        if len(snapshot.columns) < 2:
            raise Refused("There is one column only.", "Ask the query set of two or more collections to compare them.")
        raise Refused(
            f"Column {other + 1} cannot be compared with the first one.", f"Name one from 2 to {len(snapshot.columns)}."
        )
    k = usual_k(snapshot) if k is None else k
    if not 1 <= k <= snapshot.depth:
        raise Refused(f"The first {k} places cannot be compared.", f"Name a number from 1 to {snapshot.depth}.")
    if not 0 < p < 1:
        raise Refused(f"RBO has no p of {p:g}.", "It lies between 0 and 1, such as 0.9.")
    reading = reading or lab.readings.of(snapshot)
    asked = lab.asked(snapshot)
    return board(
        asked,
        reading.rankings[0],
        reading.rankings[other],
        k=k,
        p=p,
        margins_a=reading.margins[0],
        margins_b=reading.margins[other],
    )
