"""Where snapshots are kept: what was asked of which columns, each column's answers, and the pictures to show."""

from sqlalchemy import Column, Float, Index, Integer, Table, Text

from console_core.database import Instant, Json, metadata

snapshots = Table(
    "answer_snapshots",
    metadata,
    Column("id", Text, primary_key=True),
    Column("set_name", Text, nullable=False),
    Column("set_version", Integer, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("columns", Json, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("digest", Text, nullable=False),
)
answers = Table(
    "snapshot_answers",
    metadata,
    Column("snapshot", Text, primary_key=True),
    Column("query", Text, primary_key=True),
    Column("column", Integer, primary_key=True),
    Column("ranked", Json, nullable=False),
    Column("error", Text, nullable=False),
    Column("margin", Float),
)
shown = Table(
    "snapshot_pictures",
    metadata,
    Column("snapshot", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("candidates", Json, nullable=False),
    Column("payload", Json, nullable=False),
    Column("revision", Text, nullable=False),
)
Index("answer_snapshots_by_set", snapshots.c.set_name, snapshots.c.made_at)
