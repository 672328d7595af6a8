"""What runs waited for, and how long: told on the run while it lasts, and added up for good."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from console_core.database import Database, now
from console_core.runs import manners_records
from console_core.runs import tables as t
from console_core.runs.manners import Cause, server_clock
from console_core.runs.rows import read_working, storable
from console_core.runs.types import Lane, RunState

RECOUNTED = 10.0
"""After how many seconds the waiting of a queued run is added up again."""


class Waits:
    """What runs waited for. Every method can raise LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, run_id: str) -> dict[Cause, float]:
        """Seconds by cause, the longest first; a wait that goes on is counted up to a few seconds ago."""
        query = select(t.waits).where(t.waits.c.run == run_id, t.waits.c.seconds > 0).order_by(t.waits.c.seconds.desc())
        with self._database.reading() as connection:
            return {Cause(row.cause): row.seconds for row in connection.execute(query)}

    def tell(self, run_id: str, reason: str, seconds: Mapping[Cause, float], *, attempt: int) -> None:
        """Say on a working run what it waits for ("": for nothing), and how long it waited in all. A sign of life.

        Raises:
            IllegalTransition: the attempt is over.
        """
        with self._database.transaction() as connection:
            row = read_working(connection, run_id, attempt)
            running = row.state == RunState.RUNNING.value  # else its reason says what it was asked for
            connection.execute(
                update(t.runs)
                .where(t.runs.c.number == row.number)
                .values(heartbeat=now(), reason=storable(reason) if running else row.reason)
            )
            for cause, total in seconds.items():
                _put(connection, run_id, cause, total, None)


@dataclass(frozen=True, slots=True)
class Queue:
    """The queued runs of a lane: those that may start, and what the others wait for. `news`: it is not told yet."""

    ready: tuple[str, ...] = ()
    closed: Mapping[str, str] = field(default_factory=dict)
    news: bool = False


def look(connection: Connection, lane: Lane) -> Queue:
    """The queue of a lane, by the hours that its runs are allowed."""
    queued = select(t.runs.c.id, t.runs.c.reason).where(
        t.runs.c.lane == lane.value, t.runs.c.state == RunState.QUEUED.value
    )
    reasons = {row.id: row.reason for row in connection.execute(queued)}
    if not reasons:
        return Queue()
    clock, moment = server_clock().time(), now()
    found = manners_records.of(connection, reasons)
    closed = {
        run_id: manners.hours.wait().sentence
        for run_id, manners in found.items()
        if manners.hours and not manners.hours.allow(clock)
    }
    told = all(reason == closed.get(run_id, "") for run_id, reason in reasons.items())
    return Queue(
        ready=tuple(run_id for run_id in reasons if run_id not in closed),
        closed=closed,
        news=not told or (bool(closed) and not _counted(connection, closed, moment)),
    )


def tell_queue(connection: Connection, queue: Queue) -> None:
    """Say on each queued run what it waits for, and count its waiting."""
    moment = now()
    for run_id, sentence in queue.closed.items():
        if _say(connection, run_id, sentence):
            count(connection, run_id, moment, goes_on=True)
    for run_id in queue.ready:
        if _say(connection, run_id, ""):
            count(connection, run_id, moment)


def count(connection: Connection, run_id: str, moment: datetime, *, goes_on: bool = False) -> None:
    """Add up how long a queued run has waited for its hours until now."""
    mine = (t.waits.c.run == run_id) & (t.waits.c.cause == Cause.HOURS.value)
    row = connection.execute(select(t.waits).where(mine)).one_or_none()
    if row is None and not goes_on:
        return
    counted = 0.0 if row is None or row.since is None else max(0.0, (moment - row.since).total_seconds())
    seconds = 0.0 if row is None else row.seconds
    _put(connection, run_id, Cause.HOURS, seconds + counted, moment if goes_on else None)


def forget_open(connection: Connection) -> None:
    """Count no wait further: nobody knows what happened since the last console stopped."""
    connection.execute(update(t.waits).where(t.waits.c.since.is_not(None)).values(since=None))


def _counted(connection: Connection, run_ids: Iterable[str], moment: datetime) -> bool:
    """Whether the waiting of all these runs was added up a moment ago."""
    wanted = set(run_ids)
    since = select(t.waits.c.run, t.waits.c.since).where(
        t.waits.c.run.in_(wanted), t.waits.c.cause == Cause.HOURS.value, t.waits.c.since.is_not(None)
    )
    rows = connection.execute(since).all()
    return {row.run for row in rows if (moment - row.since).total_seconds() < RECOUNTED} == wanted


def _say(connection: Connection, run_id: str, reason: str) -> bool:
    """Whether the run is queued still, and says it now."""
    queued = (t.runs.c.id == run_id) & (t.runs.c.state == RunState.QUEUED.value)
    return bool(connection.execute(update(t.runs).where(queued).values(reason=reason)).rowcount)


def _put(connection: Connection, run_id: str, cause: Cause, seconds: float, since: datetime | None) -> None:
    mine = (t.waits.c.run == run_id) & (t.waits.c.cause == cause.value)
    if not connection.execute(update(t.waits).where(mine).values(seconds=seconds, since=since)).rowcount:
        connection.execute(insert(t.waits).values(run=run_id, cause=cause.value, seconds=seconds, since=since))
