"""Coverage as the ledger keeps it: every measurement's totals, and the pictures behind the newest one."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, and_, delete, insert, select, type_coerce, update

from console_core.catalog.types import EVERYTHING, Slice
from console_core.coverage.report import CoverageReport, Gap, Status
from console_core.coverage.tables import coverage_gaps, coverage_snapshots
from console_core.database import Database, metadata

KEPT_PER_STATUS = 25_000
"""Gaps of one status that a snapshot keeps, the first found; over the four statuses at most 100,000."""

_S, _G = coverage_snapshots.c, coverage_gaps.c


@dataclass(frozen=True, slots=True)
class CoverageSnapshot:
    """A recorded measurement. `kept` counts its gaps by status that can still be listed: at most KEPT_PER_STATUS
    each while it is the newest of its collection and slice, none later; an older one's report has no facets either.
    """

    id: int
    report: CoverageReport
    kept: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RecordedGap:
    """A gap of a snapshot. `number` is its place in the order found; the next page begins after it."""

    number: int
    gap: Gap


class Draft:
    """A snapshot in the making: gaps come as they are found, and nobody sees any before it is published."""

    def __init__(self, database: Database, snapshot: int, collection: str, part: Slice) -> None:
        self._database = database
        self._snapshot = snapshot
        self._collection = collection
        self._part = part
        self._kept: dict[str, int] = {}
        self._number = 0

    def add(self, gaps: Iterable[Gap]) -> None:
        """Record gaps, beyond KEPT_PER_STATUS of one status none."""
        rows: list[dict[str, Any]] = []
        for gap in gaps:
            if self._kept.get(gap.status, 0) < KEPT_PER_STATUS:
                self._kept[gap.status] = self._kept.get(gap.status, 0) + 1
                self._number += 1
                rows.append({"snapshot": self._snapshot, "number": self._number, **_columns(gap)})
        if rows:
            with self._database.transaction() as connection:
                connection.execute(insert(coverage_gaps), rows)

    def publish(self, report: CoverageReport) -> CoverageSnapshot:
        """Make it the newest snapshot of its collection and slice, in one transaction; older ones lose their gaps."""
        if (report.collection, report.part) != (self._collection, self._part):
            raise ValueError(f"A report on {report.collection} is not the one that was begun.")
        with self._database.transaction() as connection:
            scope = _scope(self._part)
            for older in connection.execute(_published(self._collection, scope).where(_S.kept != {})).all():
                _drop_gaps(connection, older.id)
                bare = replace(CoverageReport.from_json(older.report), facets={})
                connection.execute(
                    update(coverage_snapshots).where(_S.id == older.id).values(report=bare.as_json(), kept={})
                )
            connection.execute(
                update(coverage_snapshots)
                .where(_S.id == self._snapshot)
                .values(measured_at=report.measured_at, published=True, report=report.as_json(), kept=self._kept)
            )
        return CoverageSnapshot(self._snapshot, report, dict(self._kept))

    def discard(self) -> None:
        """Forget it and its gaps; nothing where it was published."""
        with self._database.transaction() as connection:
            _drop_drafts(connection, _S.id == self._snapshot)


class CoverageRecords:
    """The coverage snapshots of a ledger. A collection is named by its real name, never by an alias."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[coverage_snapshots, coverage_gaps])

    def begin(self, collection: str, part: Slice = EVERYTHING) -> Draft:
        """A new draft; what an earlier measurement of the same left unfinished is forgotten."""
        scope = _scope(part)
        with self._database.transaction() as connection:
            _drop_drafts(connection, and_(_S.collection == collection, _S.scope == scope))
            snapshot = connection.scalar(
                insert(coverage_snapshots).values(collection=collection, scope=scope, published=False).returning(_S.id)
            )
        assert snapshot is not None
        return Draft(self._database, snapshot, collection, part)

    def save(self, report: CoverageReport, gaps: Iterable[Sequence[Gap]]) -> CoverageSnapshot:
        """A finished measurement with its gaps in batches; nothing is kept of it if reading them fails."""
        draft = self.begin(report.collection, report.part)
        try:
            for batch in gaps:
                draft.add(batch)
            return draft.publish(report)
        finally:
            draft.discard()

    def latest(self, collection: str, part: Slice = EVERYTHING) -> CoverageSnapshot | None:
        """The newest snapshot of a collection and a slice; None where it was never measured."""
        return next(iter(self.history(collection, 1, part)), None)

    def history(self, collection: str, limit: int = 200, part: Slice = EVERYTHING) -> list[CoverageSnapshot]:
        """The snapshots of a collection and a slice, the newest first."""
        query = _published(collection, _scope(part)).order_by(_S.measured_at.desc(), _S.id.desc()).limit(limit)
        with self._database.reading() as connection:
            return [_snapshot(row) for row in connection.execute(query)]

    def gaps(
        self,
        snapshot: int,
        *,
        status: str | None = None,
        facet: str | None = None,
        value: str | None = None,
        after: int = 0,
        skip: int = 0,
        limit: int = 60,
    ) -> list[RecordedGap]:
        """A page of a snapshot's gaps in the order found behind the gap number `after`, without the first `skip`.

        With `facet` and `value` only those that the report counts there, OTHER included.
        """
        query = select(coverage_gaps).where(_G.snapshot == snapshot, _G.number > after).order_by(_G.number)
        if status is not None:
            query = query.where(_G.status == str(status))
        if facet is not None:  # LIKE finds all that match and, where it ignores case, a few more
            text = json.dumps({facet: value or ""}, separators=(",", ":"))[1:-1]
            query = query.where(type_coerce(_G.facets, Text).contains(text, autoescape=True))
        else:
            query = query.offset(skip).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execution_options(stream_results=True).execute(query)
            matching = (row for row in rows if facet is None or row.facets.get(facet) == (value or ""))
            first = 0 if facet is None else skip
            return [_recorded(row) for row in islice(matching, first, first + limit)]


def _scope(part: Slice) -> str:
    """What a slice is called in the table: "" for the whole catalog, else a digest."""
    if part.is_everything:
        return ""
    return hashlib.sha256(json.dumps(asdict(part), sort_keys=True).encode()).hexdigest()[:32]


def _published(collection: str, scope: str) -> Select[Any]:
    return select(coverage_snapshots).where(_S.collection == collection, _S.scope == scope, _S.published.is_(True))


def _drop_drafts(connection: Connection, which: ColumnElement[bool]) -> None:
    for snapshot in connection.scalars(select(_S.id).where(which, _S.published.is_(False))).all():
        _drop_gaps(connection, snapshot)
        connection.execute(delete(coverage_snapshots).where(_S.id == snapshot))


def _drop_gaps(connection: Connection, snapshot: int) -> None:
    connection.execute(delete(coverage_gaps).where(_G.snapshot == snapshot))


def _snapshot(row: Row[Any]) -> CoverageSnapshot:
    return CoverageSnapshot(row.id, CoverageReport.from_json(row.report), row.kept)


def _columns(gap: Gap) -> dict[str, Any]:
    return {"key": gap.key, "status": gap.status, "detail": gap.detail, "facets": dict(gap.facets)}


def _recorded(row: Row[Any]) -> RecordedGap:
    return RecordedGap(row.number, Gap(row.key, Status(row.status), row.detail, row.facets))
