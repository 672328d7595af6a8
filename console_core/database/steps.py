"""Numbered steps that bring the schema of the console's own database up to date."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    insert,
    inspect,
    literal,
    select,
)

from console_core.database.columns import Instant, Json, metadata

Step = Callable[[Connection], None]


def _m001_create_tables(connection: Connection) -> None:
    metadata.create_all(connection)


def _m002_keep_standing_failures(connection: Connection) -> None:
    """Failures that stand used to be looked for among those of all runs into a collection."""
    known = inspect(connection)
    if not known.has_table("failures"):
        return
    then = MetaData()  # the tables as they were when this step was written, not as they are now
    kept = Table("failures", then, *(Column(name, Text) for name in ("run", "key", "kind", "message", "path", "at")))
    runs = Table(
        "runs",
        then,
        *(Column(name, Text) for name in ("id", "target", "kind")),
        *(Column(name, Integer) for name in ("number", "attempt")),
    )
    standing = Table(
        "failed_pictures",
        then,
        Column("target", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("kind", "message", "path", "run")),
        *(Column(name, Integer, nullable=False) for name in ("attempt", "tries")),
        *(Column(name, Instant, nullable=False) for name in ("first_at", "last_at")),
        Column("quarantined_by", Text, nullable=False),
        Column("quarantined_at", Instant),
    )
    Index("failed_pictures_in_order", standing.c.target, func.length(standing.c.key), standing.c.key)
    standing.create(connection, checkfirst=True)
    same = (runs.c.target, kept.c.key)
    latest_first = (kept.c.at.desc(), runs.c.number.desc())
    found = (
        select(
            *(runs.c.target, kept.c.key, kept.c.kind, kept.c.message, kept.c.path, kept.c.run, runs.c.attempt),
            func.count().over(partition_by=same).label("tries"),
            func.min(kept.c.at).over(partition_by=same).label("first_at"),
            kept.c.at.label("last_at"),
            literal("").label("quarantined_by"),
            func.row_number().over(partition_by=same, order_by=latest_first).label("place"),
        )
        .where(runs.c.id == kept.c.run, runs.c.kind == "reembed")
        .subquery()
    )
    columns = [column for column in found.c if column.name != "place"]
    if connection.execute(select(standing.c.key).limit(1)).first() is None:
        names = [column.name for column in columns]
        connection.execute(insert(standing).from_select(names, select(*columns).where(found.c.place == 1)))


def _m003_keep_paces(connection: Connection) -> None:
    """What limits a run used to be nowhere."""
    if not inspect(connection).has_table("runs"):
        return
    then = MetaData()
    Table("runs", then, Column("id", Text, primary_key=True))
    paces = Table(
        "paces",
        then,
        Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        Column("attempt", Integer, nullable=False),
        Column("at", Instant, nullable=False),
        Column("pace", Json, nullable=False),
    )
    paces.create(connection, checkfirst=True)


def _m004_keep_shares(connection: Connection) -> None:
    """An alias' traffic used to go to one collection, whole."""
    columns: list[Column[Any]] = [Column("id", Integer, primary_key=True), Column("at", Instant, nullable=False)]
    columns += [Column(name, Text, nullable=False) for name in ("actor", "alias", "serving", "candidate", "note")]
    columns += [Column("fingerprint", Text, nullable=False), Column("hundredths", Integer, nullable=False)]
    Table("alias_shares", MetaData(), *columns).create(connection, checkfirst=True)


def _m005_share_intakes(connection: Connection) -> None:
    """What is ingested used to belong to one collection; each keeps what was ingested into it."""
    known = inspect(connection)
    if known.has_table("intakes") and "collection" in {column["name"] for column in known.get_columns("intakes")}:
        for statement in (
            "ALTER TABLE intakes RENAME COLUMN collection TO line",
            "CREATE TABLE intake_lines (collection TEXT NOT NULL PRIMARY KEY, line TEXT NOT NULL)",
            "CREATE INDEX ix_intake_lines_line ON intake_lines (line)",
            "INSERT INTO intake_lines SELECT DISTINCT line, line FROM intakes",
        ):
            connection.exec_driver_sql(statement)


def _m006_say_where_words_of_judges_come_from(connection: Connection) -> None:
    """Nobody used to note who entered a word of a judge, or whether it came in a file; of former ones it stays open."""
    known = inspect(connection)
    added = {"judgements": ("actor", "origin", "made_at"), "votes": ("actor",)}
    for table, names in added.items():
        present = {column["name"] for column in known.get_columns(table)} if known.has_table(table) else set(names)
        for name in names:
            if name not in present:
                kind = "TEXT NOT NULL DEFAULT ''"
                if name == "made_at":
                    kind = Instant().compile(connection.dialect)
                connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


STEPS: tuple[Step, ...] = (
    _m001_create_tables,
    _m002_keep_standing_failures,
    _m003_keep_paces,
    _m004_keep_shares,
    _m005_share_intakes,
    _m006_say_where_words_of_judges_come_from,
)
"""Append only. A step's number is its place in this tuple, counted from 1."""
