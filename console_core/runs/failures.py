"""Which pictures of a run failed, and why."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, Row, delete, func, insert, select

from console_core.database import now
from console_core.runs import tables as t
from console_core.runs.rows import storable
from console_core.runs.types import Failure

_CHUNK = 500


def put(connection: Connection, run_id: str, failures: Iterable[Failure]) -> None:
    """Add failures to a run's; one of the same key is replaced."""
    moment = now()
    rows = {
        key: {
            "run": run_id,
            "key": key,
            "kind": failure.kind,
            "message": storable(failure.message),
            "path": storable(failure.path),
            "at": moment,
        }
        for failure in failures
        for key in (storable(failure.key),)
    }
    for keys in _chunks(list(rows)):
        connection.execute(delete(t.failures).where(t.failures.c.run == run_id, t.failures.c.key.in_(keys)))
    if rows:
        connection.execute(insert(t.failures), list(rows.values()))


def of(connection: Connection, run_id: str, *, kind: str | None, limit: int, after: str) -> list[Failure]:
    """Failures behind a key, the shorter keys first and then by text, so that numbers are in their order."""
    key = t.failures.c.key
    place, last = (func.length(key), key), (func.length(after), after)
    behind = (place[0] > last[0]) | ((place[0] == last[0]) & (place[1] > last[1]))
    query = select(t.failures).where(t.failures.c.run == run_id, behind)
    if kind is not None:
        query = query.where(t.failures.c.kind == kind)
    return [_failure(row) for row in connection.execute(query.order_by(*place).limit(limit))]


def counted(connection: Connection, run_id: str) -> dict[str, int]:
    number = func.count().label("number")
    query = select(t.failures.c.kind, number).where(t.failures.c.run == run_id).group_by(t.failures.c.kind)
    rows = connection.execute(query.order_by(number.desc(), t.failures.c.kind)).all()
    return {row.kind: row.number for row in rows}


def among(connection: Connection, target: str, keys: Sequence[str], kinds: Sequence[str]) -> dict[str, Failure]:
    """The latest failure of each of these keys among runs of these kinds into a target."""
    found: dict[str, Failure] = {}
    into = (t.runs.c.target == target) & t.runs.c.kind.in_(kinds)
    query = select(t.failures).join(t.runs, t.runs.c.id == t.failures.c.run).where(into)
    for chunk in _chunks([storable(key) for key in keys]):
        rows = query.where(t.failures.c.key.in_(chunk)).order_by(t.failures.c.at, t.runs.c.number)
        found |= {row.key: _failure(row) for row in connection.execute(rows)}
    return found


def _failure(row: Row[tuple[str, ...]]) -> Failure:
    return Failure(key=row.key, kind=row.kind, message=row.message, path=row.path)


def _chunks(keys: list[str]) -> Iterator[list[str]]:
    remaining = iter(keys)
    while chunk := list(islice(remaining, _CHUNK)):
        yield chunk
