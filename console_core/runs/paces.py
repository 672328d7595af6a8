"""The pace of runs: of each the latest, which stays when it has ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from console_core.runs import tables as t
from console_core.runs.rows import storable
from console_core.runs.types import RecordedPace

_OF = select(t.paces).where(t.paces.c.run == bindparam("id"))


def put(connection: Connection, run_id: str, attempt: int, at: datetime, pace: Mapping[str, Any]) -> None:
    """In place of the one before."""
    told = {**pace, "notes": [storable(note) for note in pace.get("notes", ())]}
    values = {"attempt": attempt, "at": at, "pace": told}
    if not connection.execute(update(t.paces).where(t.paces.c.run == run_id).values(values)).rowcount:
        connection.execute(insert(t.paces).values(run=run_id, **values))


def of(connection: Connection, run_id: str) -> RecordedPace | None:
    """None where none was recorded yet, and for runs that embed nothing."""
    row = connection.execute(_OF, {"id": run_id}).one_or_none()
    return None if row is None else RecordedPace(row.at, row.attempt, row.pace)
