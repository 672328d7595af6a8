"""Rows of the ledger as values, and the one place where a run's row is read in order to change it."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from console_core.errors import IllegalTransition, NotFound
from console_core.runs import tables as t
from console_core.runs.types import WORKING, Counts, Lane, Run, RunState

RunRow = Row[Any]
_READ = select(t.runs).where(t.runs.c.id == bindparam("id"))
_READ_TO_CHANGE = _READ.with_for_update()


def read(connection: Connection, run_id: str, *, to_change: bool = False) -> RunRow:
    """The row of a run, locked against other writers where it is about to change.

    Raises:
        NotFound: there is no such run.
    """
    row = connection.execute(_READ_TO_CHANGE if to_change else _READ, {"id": run_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {run_id}.", "Choose one from the list of runs.")
    return row


def read_working(connection: Connection, run_id: str, attempt: int | None) -> RunRow:
    """The row of a run that a worker is about to change, if that worker still has it.

    Raises:
        IllegalTransition: no attempt is open, or (where `attempt` is given) another one is.
    """
    row = read(connection, run_id, to_change=True)
    if RunState(row.state) not in WORKING or attempt not in (None, row.attempt):
        raise IllegalTransition(
            f"Attempt {attempt or row.attempt} of run {run_id} is over: the run is {row.state}, attempt {row.attempt}.",
            "Another process took this run over; nothing more is recorded by this one.",
        )
    return row


def counts_of(row: RunRow) -> Counts:
    return Counts(selected=row.selected, done=row.done, skipped=row.skipped, failed=row.failed)


def run_of(row: RunRow) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        lane=Lane(row.lane),
        title=row.title,
        target=row.target,
        spec=row.spec,
        state=RunState(row.state),
        reason=row.reason,
        remedy=row.remedy,
        checkpoint=row.checkpoint,
        counts=counts_of(row),
        result=row.result,
        attempt=row.attempt,
        migration=row.migration,
        created_by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        heartbeat=row.heartbeat,
    )


def storable(text: str) -> str:
    """Text that every database takes: file names may hold undecodable bytes, vendors' messages a NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
