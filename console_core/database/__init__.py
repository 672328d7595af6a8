"""The console's own database: one engine, one metadata, numbered schema steps.

Whoever writes is alone among writers from the start of the transaction: what is read and then written loses updates
without an error otherwise. SQLite runs in WAL mode and such a transaction starts with BEGIN IMMEDIATE; on PostgreSQL it
starts with one advisory lock for all ledgers of a database, because a row that is not there yet cannot be locked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, Table, Text, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from console_core.database.columns import Instant as Instant
from console_core.database.columns import Json as Json
from console_core.database.columns import metadata as metadata
from console_core.database.steps import STEPS
from console_core.errors import LedgerUnavailable

schema_steps = Table(
    "schema_steps",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("applied_at", Instant, nullable=False),
)


_PATIENCE = 15
"""Seconds that a writer waits for others."""
_READS: dict[str, Any] = {"reading": True}
_READING = {"postgresql": {**_READS, "isolation_level": "REPEATABLE READ"}}
"""What makes several statements see one state, where the database has to be told."""
_ALONE = f"""
SELECT pg_catalog.set_config('lock_timeout', '{_PATIENCE}s', true),
       pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('embedding-console ledger', 0))
"""


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
        """A transaction: all or nothing, and alone among the writers that use this class from its start on.

        It waits for the others for 15 s at most. On servers other than PostgreSQL it is as alone as they make it.

        Raises:
            LedgerUnavailable: the database cannot be reached or written, or the others took longer.
        """
        with self._translated(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view that neither waits for writers nor holds them up. For reading only."""
        with (
            self._translated(),
            self.engine.connect() as connection,
            connection.execution_options(**_READING.get(self.engine.dialect.name, _READS)).begin(),
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
        with engine.connect().execution_options(**_READS) as connection:
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
    engine = create_engine(
        parsed, connect_args={"timeout": _PATIENCE, "isolation_level": None, "check_same_thread": False}
    )

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
    is_postgres = url.get_backend_name() == "postgresql"
    try:
        # each statement sees what was committed before it: the state behind the lock, not the one before the wait
        engine = create_engine(
            url, pool_pre_ping=True, **({"isolation_level": "READ COMMITTED"} if is_postgres else {})
        )
    except ImportError as error:
        shown, driver = _shown(url), error.name or url.drivername
        raise LedgerUnavailable(
            f"The ledger at {shown} needs the driver {driver}, which is not installed.",
            f"Install {driver} where the console runs, or name another driver in the URL (dialect+driver://…).",
        ) from error
    if is_postgres:

        @event.listens_for(engine, "begin")
        def _alone(connection: Connection) -> None:
            if not connection.get_execution_options().get("reading", False):
                connection.exec_driver_sql(_ALONE)

    return engine


def _bring_up_to_date(connection: Connection) -> None:
    schema_steps.create(connection, checkfirst=True)
    applied = set(connection.scalars(select(schema_steps.c.number)))
    for number, step in enumerate(STEPS, start=1):
        if number not in applied:
            step(connection)
            connection.execute(insert(schema_steps).values(number=number, name=step.__name__, applied_at=now()))
