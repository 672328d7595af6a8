"""The console's own database: one engine, one metadata, numbered schema steps.

SQLite runs in WAL mode and every transaction starts with BEGIN IMMEDIATE: with the driver's default, concurrent
read-modify-write loses updates without an error.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    create_engine,
    event,
    func,
    insert,
    inspect,
    literal,
    select,
)
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from console_core.errors import LedgerUnavailable

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps none, so the zone is put back when it is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """Plain data as compact JSON text with sorted keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


schema_steps = Table(
    "schema_steps",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
)

Step = Callable[[Connection], None]


def _m001_create_tables(connection: Connection) -> None:
    metadata.create_all(connection)


def _m002_keep_standing_failures(connection: Connection) -> None:
    """Failures that stand used to be looked for among those of all runs into a collection."""
    if not inspect(connection).has_table("failures"):
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
    Table(
        "paces",
        then,
        Column("run", Text, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        Column("attempt", Integer, nullable=False),
        Column("at", Instant, nullable=False),
        Column("pace", Json, nullable=False),
    ).create(connection, checkfirst=True)


def _m004_keep_shares(connection: Connection) -> None:
    """An alias' traffic used to go to one collection, whole."""
    columns: list[Column[Any]] = [Column("id", Integer, primary_key=True), Column("at", Instant, nullable=False)]
    columns += [Column(name, Text, nullable=False) for name in ("actor", "alias", "serving", "candidate", "note")]
    columns += [Column("fingerprint", Text, nullable=False), Column("hundredths", Integer, nullable=False)]
    Table("alias_shares", MetaData(), *columns).create(connection, checkfirst=True)


STEPS: tuple[Step, ...] = (_m001_create_tables, _m002_keep_standing_failures, _m003_keep_paces, _m004_keep_shares)
"""Append only. A step's number is its place in this tuple, counted from 1."""


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Database:
    """An engine whose transactions cannot lose updates, with the schema brought up to date."""

    def __init__(self, url: str) -> None:
        """Open or create the database.

        Raises:
            LedgerUnavailable: the URL is wrong, or the database cannot be opened or written.
        """
        self.url = url
        with self._translated():
            self.engine = _engine(url)
            with self.engine.begin() as connection:
                _bring_up_to_date(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction: all or nothing, and alone among writers from its first statement on."""
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view that neither waits for writers nor holds them up. For reading only."""
        with (
            self._translated(),
            self.engine.connect() as connection,
            connection.execution_options(reading=True).begin(),
        ):
            yield connection

    @property
    def location(self) -> str:
        """The URL for people: without its password, and without options, which may carry another."""
        return _shown(self.url)

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, ArgumentError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            shown = _shown(self.url)
            raise LedgerUnavailable(
                f"The ledger at {shown} cannot be used: {cause}.",
                "Check that the file or server exists, is writable, has space left, and is not locked; then try again.",
            ) from error


class Standing(Enum):
    """How far a database is: not made yet, of an older version, or as this version needs it."""

    ABSENT = "absent"
    BEHIND = "behind"
    UP_TO_DATE = "up to date"


def standing(url: str) -> Standing:
    """How far the database at a URL is. Nothing is written.

    Raises:
        LedgerUnavailable: it cannot be reached.
    """
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            names = set(inspect(connection).get_table_names())
            if schema_steps.name not in names:
                return Standing.ABSENT
            applied = set(connection.scalars(select(schema_steps.c.number)))
    except SQLAlchemyError as error:
        raise LedgerUnavailable(
            f"The ledger at {_shown(url)} cannot be used: {getattr(error, 'orig', None) or error}.",
            "Check that the server exists and answers; then try again.",
        ) from error
    finally:
        engine.dispose()
    done = applied >= set(range(1, len(STEPS) + 1)) and names >= {table.name for table in metadata.tables.values()}
    return Standing.UP_TO_DATE if done else Standing.BEHIND


def _shown(url: str | URL) -> str:
    try:
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "the configured URL"


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise LedgerUnavailable(
            "The ledger's URL cannot be understood.",
            "Write CONSOLE_LEDGER_URL as dialect+driver://user@host:port/name, and special characters of a password "
            "percent-encoded.",
        ) from error
    if parsed.get_backend_name() != "sqlite":
        return _server_engine(parsed)
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": 15, "isolation_level": None, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _immediate(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _server_engine(url: URL) -> Engine:
    try:
        return create_engine(url, pool_pre_ping=True)
    except ImportError as error:
        shown, driver = _shown(url), error.name or url.drivername
        raise LedgerUnavailable(
            f"The ledger at {shown} needs the driver {driver}, which is not installed.",
            f"Install {driver} where the console runs, or name another driver in the URL (dialect+driver://…).",
        ) from error


def _bring_up_to_date(connection: Connection) -> None:
    schema_steps.create(connection, checkfirst=True)
    applied = set(connection.scalars(select(schema_steps.c.number)))
    for number, step in enumerate(STEPS, start=1):
        if number not in applied:
            step(connection)
            connection.execute(insert(schema_steps).values(number=number, name=step.__name__, applied_at=now()))
