"""The ledger's tables: runs, attempts, failures, commands, samples, paces, manners, waits, journal and owner."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text, func

from console_core.database import Instant, Json, metadata


def _run() -> Column[str]:
    return Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)


runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("holds", Text, unique=True),  # the target while this run may still write to it, else NULL
    Column("writes", Boolean, nullable=False),
    Column("spec", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("remedy", Text, nullable=False, default=""),
    Column("checkpoint", Text, nullable=False, default=""),
    Column("selected", Integer, nullable=False),
    Column("done", Integer, nullable=False, default=0),
    Column("skipped", Json, nullable=False),
    Column("failed", Json, nullable=False),
    Column("result", Json),
    Column("attempt", Integer, nullable=False, default=0),
    Column("migration", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("heartbeat", Instant),
    Index("runs_by_lane", "lane", "state", "queued_at"),
    Index("runs_by_state", "state"),
    Index("runs_by_target", "target"),
    Index("runs_by_migration", "migration"),
)

attempts = Table(
    "attempts",
    metadata,
    _run(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("outcome", Text, nullable=False, default=""),
    Column("done_before", Integer, nullable=False),
    Column("done", Integer, nullable=False, default=0),
)

failures = Table(
    "failures",
    metadata,
    _run(),
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Index("failures_by_kind", "run", "kind", "key"),
)

failed_pictures = Table(  # the failures that stand, by collection; those of each run are in `failures`
    "failed_pictures",
    metadata,
    Column("target", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
    Column("quarantined_by", Text, nullable=False, default=""),
    Column("quarantined_at", Instant),
)
Index(
    "failed_pictures_in_order",
    failed_pictures.c.target,
    func.length(failed_pictures.c.key),
    failed_pictures.c.key,
)

commands = Table(
    "commands",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("verb", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

samples = Table(
    "samples",
    metadata,
    _run(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("settled", Integer, nullable=False),
)

paces = Table(  # the latest of each run
    "paces",
    metadata,
    _run(),
    Column("attempt", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("pace", Json, nullable=False),
)

manners = Table(
    "manners",
    metadata,
    Column("run", Text, primary_key=True),  # "" has the defaults
    Column("batch_size", Integer, nullable=False),
    Column("rate", Float, nullable=False),
    Column("polite", Boolean, nullable=False),
    Column("opens", Text, nullable=False),  # "HH:MM", or "" where any time will do
    Column("closes", Text, nullable=False),
)

waits = Table(
    "waits",
    metadata,
    _run(),
    Column("cause", Text, primary_key=True),
    Column("seconds", Float, nullable=False),
    Column("since", Instant),  # until when a wait that goes on is counted, else NULL
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Index("journal_by_subject", "subject", "id"),
)

owner = Table(
    "owner",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("token", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("expires", Instant, nullable=False),
)

TABLES = (runs, attempts, failures, failed_pictures, commands, samples, paces, manners, waits, journal, owner)
