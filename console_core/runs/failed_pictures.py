"""The failures that stand: pictures of a collection that were tried and are not in it, and their quarantine.

They outlive the runs that failed. Each recorded step keeps them true: a failure adds or renews one, a success removes
it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, func, insert, literal, select, tuple_, update

from console_core.database import Database, now
from console_core.runs import tables as t
from console_core.runs.failures import chunks
from console_core.runs.rows import RunRow, storable
from console_core.runs.types import FailedPicture, Failure, Progress

PAGE = 1000
_F = t.failed_pictures.c
_RENEW = update(t.failed_pictures).where(_F.target == bindparam("into"), _F.key == bindparam("of"))


def settle(connection: Connection, run: RunRow, progress: Progress) -> None:
    """What a step of a run changes. A step that is recorded twice counts as one try."""
    if progress.cleared and _any(connection, run.target):
        for keys in chunks(map(storable, progress.cleared)):
            connection.execute(delete(t.failed_pictures).where(_F.target == run.target, _F.key.in_(keys)))
    if progress.failures:
        _renew(connection, run, progress.failures)


def _renew(connection: Connection, run: RunRow, failures: Sequence[Failure]) -> None:
    moment, by_key = now(), {storable(failure.key): failure for failure in failures}
    known = {row.key: row for keys in chunks(by_key) for row in connection.execute(_these(run.target, keys))}
    new, renewed = [], []
    for key, failure in by_key.items():
        told = {name: storable(getattr(failure, name)) for name in ("kind", "message", "path")}
        values = {**told, "run": run.id, "attempt": run.attempt, "last_at": failure.read_at or moment}
        if (before := known.get(key)) is None:
            new.append({**values, "target": run.target, "key": key, "tries": 1, "first_at": moment})
        else:
            again = (before.run, before.attempt) != (run.id, run.attempt)
            renewed.append({**values, "into": run.target, "of": key, "tries": before.tries + again})
    if new:
        connection.execute(insert(t.failed_pictures), new)
    if renewed:
        connection.execute(_RENEW, renewed)


def among(connection: Connection, target: str, keys: Sequence[str]) -> dict[str, FailedPicture]:
    """Those of the keys whose failure stands, by key."""
    if not keys or not _any(connection, target):
        return {}
    found = (row for some in chunks(map(storable, keys)) for row in connection.execute(_these(target, some)))
    return {row.key: _failed(row) for row in found}


class FailedPictures:
    """The failures that stand, of all collections of a ledger. A collection is named by its real name.

    Every method can raise LedgerUnavailable. Order is that of keys, the shorter first, so that numbers are in theirs.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def collections(self, *, quarantined: bool | None = None) -> dict[str, int]:
        """The number of failed pictures of each collection that has any, the most first."""
        number = func.count().label("number")
        query = select(_F.target, number).where(*_in_quarantine(quarantined)).group_by(_F.target)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(number.desc(), _F.target))
            return {row.target: row.number for row in rows}

    def counts(self, target: str, *, quarantined: bool | None = None) -> dict[str, int]:
        """The number of failed pictures by class, the most frequent first."""
        number = func.count().label("number")
        query = select(_F.kind, number).where(*_of(target, None, quarantined)).group_by(_F.kind)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(number.desc(), _F.kind))
            return {row.kind: row.number for row in rows}

    def page(
        self, target: str, *, kind: str = "", quarantined: bool | None = None, after: str = "", limit: int = PAGE
    ) -> list[FailedPicture]:
        """Failed pictures behind a key, optionally of one class, optionally only those in quarantine or not in it."""
        behind = tuple_(func.length(_F.key), _F.key) > tuple_(literal(len(after)), literal(after))
        query = select(t.failed_pictures).where(*_of(target, kind or None, quarantined), behind)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(func.length(_F.key), _F.key).limit(limit))
            return [_failed(row) for row in rows]

    def all(self, target: str, *, kind: str = "") -> Iterator[FailedPicture]:
        """All of a collection or of one class of it, read a page at a time."""
        page = self.page(target, kind=kind)
        while page:
            yield from page
            page = self.page(target, kind=kind, after=page[-1].key) if len(page) == PAGE else []

    def among(self, target: str, keys: Sequence[str]) -> dict[str, FailedPicture]:
        """Those of the keys whose failure stands, by key."""
        with self._database.reading() as connection:
            return among(connection, target, keys)

    def quarantine(self, target: str, actor: str, *, keys: Sequence[str] = (), kind: str = "") -> int:
        """Put failed pictures into quarantine: these keys, or a class. Returns how many were not in it before."""
        values = {"quarantined_by": actor, "quarantined_at": now()}
        return self._mark(target, keys, kind, _F.quarantined_by == "", values)

    def release(self, target: str, *, keys: Sequence[str] = (), kind: str = "") -> int:
        """Take failed pictures out of quarantine: these keys, a class, or all. Returns how many were in it."""
        return self._mark(target, keys, kind, _F.quarantined_by != "", {"quarantined_by": "", "quarantined_at": None})

    def rename(self, target: str, to: str) -> None:
        """What failed in one collection stands for another from now on: one that holds the same. Harmless twice."""
        with self._database.transaction() as connection:
            connection.execute(update(t.failed_pictures).where(_F.target == target).values(target=to))

    def forget(self, target: str) -> None:
        """No failure stands in a collection that is gone. Harmless twice."""
        with self._database.transaction() as connection:
            connection.execute(delete(t.failed_pictures).where(_F.target == target))

    def _mark(
        self, target: str, keys: Sequence[str], kind: str, only: ColumnElement[bool], values: Mapping[str, Any]
    ) -> int:
        change = update(t.failed_pictures).where(*_of(target, kind or None, None), only).values(values)
        with self._database.transaction() as connection:
            if not keys:
                return connection.execute(change).rowcount
            wanted = chunks(map(storable, keys))
            return sum(connection.execute(change.where(_F.key.in_(some))).rowcount for some in wanted)


def in_order(keys: Sequence[str]) -> list[str]:
    """Keys in the order in which failed pictures are read, each once."""
    return sorted(dict.fromkeys(keys), key=lambda key: (len(key), key))


def _any(connection: Connection, target: str) -> bool:
    return connection.execute(select(_F.key).where(_F.target == target).limit(1)).first() is not None


def _these(target: str, keys: Sequence[str]) -> Any:
    return select(t.failed_pictures).where(_F.target == target, _F.key.in_(keys))


def _of(target: str, kind: str | None, quarantined: bool | None) -> list[ColumnElement[bool]]:
    conditions = [_F.target == target]
    if kind is not None:
        conditions.append(_F.kind == kind)
    return [*conditions, *_in_quarantine(quarantined)]


def _in_quarantine(wanted: bool | None) -> list[ColumnElement[bool]]:
    if wanted is None:
        return []
    return [_F.quarantined_by != "" if wanted else _F.quarantined_by == ""]


def _failed(row: Row[Any]) -> FailedPicture:
    return FailedPicture(
        key=row.key,
        kind=row.kind,
        message=row.message,
        path=row.path,
        run=row.run,
        tries=row.tries,
        first_at=row.first_at,
        last_at=row.last_at,
        quarantined_by=row.quarantined_by,
        quarantined_at=row.quarantined_at,
    )
