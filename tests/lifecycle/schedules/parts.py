"""A store and a ledger that fail at any moment, and a ledger whose books are audited after each step."""

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from console_core.database import Database
from console_core.errors import LedgerUnavailable, OutcomeUnknown, StoreRefused, StoreUnavailable
from console_core.runs.accounting import check
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, FailedPicture, Progress, Run, RunState
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Point, PointId, VectorStore
from tests.lifecycle.memory_store import MemoryStore
from tests.lifecycle.schedules.dice import READING_ODDS, Lock, Schedule

AnyStore = VectorStore | MemoryStore


class FaultyStore:
    """Another store, of which any call may fail: before or after it was done, or when half of it was.

    It refuses every batch with an unwanted picture in it.
    """

    def __init__(self, store: AnyStore, schedule: Schedule, unwanted: Callable[[PointId], bool] = lambda _id: False):
        self._store, self._schedule, self._unwanted = store, schedule, unwanted

    def create(self, name: str, spec: CollectionSpec) -> None:
        fault = self._fails("store before", "store after")
        self._store.create(name, spec)
        self._unconfirmed(fault)

    def drop(self, name: str) -> None:
        fault = self._fails("store before", "store after")
        self._store.drop(name)
        self._unconfirmed(fault)

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        if any(self._unwanted(point.id) for point in points):
            raise StoreRefused("The store does not take one of these points.")
        fault = self._fails("store before", "store after", "partial", "torn")
        if fault in ("partial", "torn"):
            half = self._store.upsert(name, points[: len(points) // 2], as_is=as_is) if len(points) > 1 else 0
            if fault == "partial":
                return half
            raise OutcomeUnknown("The connection broke while the store was writing.", "Look at its load.")
        acknowledged = self._store.upsert(name, points, as_is=as_is)
        self._unconfirmed(fault)
        return acknowledged

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        fault = self._fails("store before", "store after", "torn")
        self._store.delete(name, ids[: len(ids) // 2] if fault == "torn" else ids)
        self._unconfirmed("store after" if fault == "torn" else fault)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        self._unread()
        return self._store.retrieve(name, ids, vectors=vectors)

    def page(self, name: str, **how: Any) -> tuple[list[Point], PointId | None]:
        self._schedule.strike()
        self._unread()
        return self._store.page(name, **how)

    def describe(self, name: str) -> CollectionInfo:
        self._unread()
        return self._store.describe(name)

    def count(self, name: str) -> int:
        self._unread()
        return self._store.count(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _fails(self, *kinds: str) -> str:
        self._schedule.strike()
        fault = self._schedule.falls(*kinds)
        if fault == "store before":
            raise StoreUnavailable("The store is away.", "Start it.")
        return fault

    def _unconfirmed(self, fault: str) -> None:
        if fault == "store after":
            raise OutcomeUnknown("The store did not confirm in time.", "Look at its load.")
        self._schedule.strike()

    def _unread(self) -> None:
        if self._schedule.falls("store read", odds=READING_ODDS):
            raise StoreUnavailable("The store did not answer within 30 s.", "Look at its load.")


class StrictLedger(Ledger):
    """A ledger that loses its connection before or after a commit, or is locked. After each record, its books are
    audited as they lie in the file; what is wrong is noted in the schedule."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._books = sqlite3.connect(database.engine.url.database or "", isolation_level=None, check_same_thread=False)
        self.lock = Lock(database)
        self.schedule = Schedule(0, self.lock)
        self.steps = 0
        self._last: dict[str, Counts] = {}

    def record(self, run_id: str, progress: Progress, *, attempt: int | None = None) -> None:
        schedule = self.schedule
        fault = schedule.falls("ledger before", "ledger after", "ledger locked")
        if fault == "ledger locked":
            self.lock.hold(schedule.dice.randint(1, 5))
        if fault == "ledger before":
            raise LedgerUnavailable("The ledger is away.")
        with self.lock:
            super().record(run_id, progress, attempt=attempt)
        self.audit(run_id)
        if fault == "ledger after":
            raise LedgerUnavailable("The ledger is away.")
        schedule.strike()

    def finish(self, run_id: str, to: RunState, **told: Any) -> Run:
        with self.lock:
            return super().finish(run_id, to, **told)

    def failed_among(self, target: str, keys: Sequence[str]) -> dict[str, FailedPicture]:
        if self.schedule.falls("ledger unread", odds=READING_ODDS):
            raise LedgerUnavailable("The ledger did not answer.")
        return super().failed_among(target, keys)

    def audit(self, run_id: str) -> None:
        """selected = done + skipped + failed + pending, nothing taken back, and failures and attempts that agree."""
        self.steps += 1
        row = self._one("SELECT selected, done, skipped, failed, target, kind, attempt FROM runs WHERE id = ?", run_id)
        selected, done, target, kind = row[0], row[1], row[4], row[5]
        skipped, failed = json.loads(row[2]), json.loads(row[3])
        counts = Counts(selected, done, skipped, failed)
        wrong = [check(counts, before=self._last.get(run_id))]
        settled = done + sum(skipped.values()) + sum(failed.values())
        if selected - settled != counts.pending or counts.pending < 0:
            wrong.append(f"{selected} selected, {settled} settled, {counts.pending} pending")
        (attempted,) = self._one("SELECT sum(done) FROM attempts WHERE run = ?", run_id)
        if attempted != done:
            wrong.append(f"{done} done, but the attempts did {attempted}")
        listed = dict(self._all("SELECT kind, count(*) FROM failures WHERE run = ? GROUP BY kind", run_id))
        standing = self._all("SELECT key, tries FROM failed_pictures WHERE target = ? AND run = ?", target, run_id)
        if kind == "catch_up":  # where a picture may fail in one round after the other
            wrong += (
                [f"{listed} failures of {failed}"] if any(listed[one] > failed.get(one, 0) for one in listed) else []
            )
        else:
            wrong += [f"{listed} failures, {failed} counted"] if listed != failed else []
            wrong += [f"{len(standing)} stand, {failed} counted"] if len(standing) != sum(failed.values()) else []
        self.schedule.wrong += [f"{kind} {run_id}: {one}" for one in wrong if one]
        self._last[run_id] = counts

    def close(self) -> None:
        self.lock.close()
        self._books.close()

    def _one(self, statement: str, *values: object) -> Any:
        return self._books.execute(statement, values).fetchone()

    def _all(self, statement: str, *values: object) -> list[Any]:
        return self._books.execute(statement, values).fetchall()


def same(one: Mapping[PointId, Point], other: Mapping[PointId, Point]) -> bool:
    """Whether two sets of points are the same, bit by bit but for what rounding a vector to length 1 may do."""
    return one.keys() == other.keys() and all(same_point(point, other[key]) for key, point in one.items())


def same_point(one: Point, other: Point) -> bool:
    if (one.vector is None) != (other.vector is None) or one.payload != other.payload:
        return False
    return one.vector is None or other.vector is None or float(abs(one.vector - other.vector).max()) < 1e-6
