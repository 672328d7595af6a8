"""Where evaluations are kept, and the words of judges in them, to which rows are only added."""

from sqlalchemy import Column, Index, Integer, Table, Text

from console_core.database import Instant, Json, metadata

evaluations = Table(
    "evaluations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("snapshot", Text, nullable=False),
    Column("way", Text, nullable=False),
    Column("columns", Json, nullable=False),
    Column("protocol", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("revealed_at", Instant),
    Column("revealed_by", Text, nullable=False, default=""),
)
judgements = Table(
    "judgements",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("evaluation", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("grade", Integer),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False, server_default=""),
    Column("origin", Text, nullable=False, server_default=""),
    Column("made_at", Instant),
    sqlite_autoincrement=True,
)
votes = Table(
    "votes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("evaluation", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("judge", Text, nullable=False),
    Column("x", Integer, nullable=False),
    Column("y", Integer, nullable=False),
    Column("winner", Integer),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
judge_browsers = Table(
    "judge_browsers",
    metadata,
    Column("evaluation", Text, primary_key=True),
    Column("judge", Text, primary_key=True),
    Column("browser", Text, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
Index("judgements_by_judge", judgements.c.evaluation, judgements.c.judge, judgements.c.number)
Index("votes_by_judge", votes.c.evaluation, votes.c.judge, votes.c.number)
