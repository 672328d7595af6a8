"""Whether this machine's clock can be trusted beside what the ledger says."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from console_core.database import Database, Instant, now
from console_core.runs import tables as t

_TIMES = (t.runs.c.created_at, t.runs.c.finished_at, t.runs.c.heartbeat, t.journal.c.at)


def newest_entry(database: Database) -> datetime | None:
    """The latest time that the ledger knows of; None where it is empty.

    Raises:
        LedgerUnavailable
    """
    with database.reading() as connection:
        found = [connection.scalar(select(func.max(column, type_=Instant()))) for column in _TIMES]
    return max((moment for moment in found if moment is not None), default=None)


def ahead_of_server(database: Database) -> timedelta:
    """How far this machine's clock is ahead of the database server's; zero where there is no server.

    Raises:
        LedgerUnavailable
    """
    if database.engine.dialect.name == "sqlite":
        return timedelta()
    with database.reading() as connection:
        asked = now()
        told: datetime | None = connection.scalar(select(func.now(type_=Instant())))
        answered = now()
    if told is None or asked <= told <= answered:
        return timedelta()
    return asked - told if told < asked else answered - told
