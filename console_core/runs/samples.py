"""How far a run was when: the series behind rate, estimate and chart, thinned so that it stays small."""

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from console_core.runs import tables as t
from console_core.runs.types import Sample

MOST = 600
_DENSE = 100
_COARSE = 250
_EXTENT = select(func.count(), func.coalesce(func.max(t.samples.c.number), 0)).where(t.samples.c.run == bindparam("id"))


def add(connection: Connection, run_id: str, attempt: int, at: datetime, settled: int) -> None:
    """Append one sample, and thin the series where it has grown beyond `MOST`."""
    kept, last = connection.execute(_EXTENT, {"id": run_id}).one()
    sample = {"run": run_id, "number": last + 1, "attempt": attempt, "at": at, "settled": settled}
    connection.execute(insert(t.samples), sample)
    if kept + 1 > MOST:
        _thin(connection, run_id)


def of(connection: Connection, run_id: str, latest: int | None = None) -> list[Sample]:
    query = select(t.samples).where(t.samples.c.run == run_id).order_by(t.samples.c.number.desc()).limit(latest)
    rows = connection.execute(query).all()
    return [Sample(at=row.at, attempt=row.attempt, settled=row.settled) for row in reversed(rows)]


def _thin(connection: Connection, run_id: str) -> None:
    """Keep the newest samples, and of the older ones a choice spread evenly over time."""
    mine = t.samples.c.run == run_id
    rows = connection.execute(select(t.samples.c.number, t.samples.c.at).where(mine).order_by(t.samples.c.number)).all()
    older = rows[:-_DENSE]
    apart = (older[-1].at - older[0].at) / _COARSE
    kept_at, surplus = older[0].at, []
    for row in older[1:]:
        if row.at - kept_at < apart or apart.total_seconds() <= 0:
            surplus.append(row.number)
        else:
            kept_at = row.at
    connection.execute(delete(t.samples).where(mine, t.samples.c.number.in_(surplus)))
