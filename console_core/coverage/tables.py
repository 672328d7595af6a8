"""The tables of coverage: snapshots with their totals, and the gaps of the newest ones."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, Table, Text

from console_core.database import Instant, Json, metadata

coverage_snapshots = Table(
    "coverage_snapshots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("collection", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("measured_at", Instant),
    Column("published", Boolean, nullable=False),
    Column("report", Json),
    Column("kept", Json),
    Index("coverage_snapshots_by_collection", "collection", "scope", "published"),
    sqlite_autoincrement=True,
)

coverage_gaps = Table(
    "coverage_gaps",
    metadata,
    Column("snapshot", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("facets", Json, nullable=False),
    ForeignKeyConstraint(["snapshot"], ["coverage_snapshots.id"]),
    Index("coverage_gaps_by_status", "snapshot", "status", "number"),
)
