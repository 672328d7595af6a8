"""A database in which vectors are plain bytes: its transactions, and what its errors mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from console_core.errors import (
    SettingsError,
    StoreDenied,
    StoreError,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)
from console_core.vectorstore import refusals

EXAMPLES = "sqlite:///app.db, blob:postgresql+psycopg://user@host/database"
_WRITES = "console_writes"


class BlobDatabase:
    """An engine whose transactions say whether they write. Safe to use from several threads.

    An application's SQLite file keeps its journal mode. A transaction that writes takes SQLite's lock when it begins,
    so that none loses what another wrote.
    """

    def __init__(self, url: str, *, password: str = "", timeout: int = 30, dry: bool = False) -> None:
        """Prepare to connect. `timeout` is how many seconds to wait for a lock; `dry` promises that nothing is written.

        Raises:
            SettingsError: the URL cannot be understood, or names a database without a driver here.
        """
        try:
            found = make_url(url.removeprefix("blob:"))
            if password and not found.password and found.get_backend_name() != "sqlite":
                found = found.set(password=password)
            self.is_sqlite = found.get_backend_name() == "sqlite"
            self.engine = _engine(_known(found), timeout)
        except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
            raise SettingsError(
                f"The store's URL cannot be used: {type(error).__name__}.",
                f"Install the database's driver, and percent-encode special characters of a password. Examples: "
                f"{EXAMPLES}.",
            ) from error
        self.location = found.database or "memory" if self.is_sqlite else found.render_as_string(hide_password=True)
        self.place = f"The database {self.location}"
        self.answered: bool | None = None
        self._dry = dry

    @contextmanager
    def reading(self, name: str = "") -> Iterator[Connection]:
        """A transaction that sees one moment; `name` is the collection for people.

        Raises:
            StoreError
        """
        with self._transaction(name, writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self, name: str = "") -> Iterator[Connection]:
        """A transaction that is durable when the block is left.

        Raises:
            StoreError: nothing was changed.
        """
        with self._transaction(name, writes=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, name: str, *, writes: bool) -> Iterator[Connection]:
        try:
            with self.engine.connect() as opened:
                connection = opened.execution_options(**{_WRITES: writes})
                if self.is_sqlite:
                    opened.connection.execute(f"PRAGMA query_only = {'ON' if self._dry or not writes else 'OFF'}")
                with connection.begin():
                    yield connection
            self.answered = True
        except StoreError:
            raise
        except SQLAlchemyError as error:
            raise self._translated(error, name) from error

    def refusal(self) -> StoreError | None:
        """Why nothing could be written, as far as it is known without a write."""
        if not self.is_sqlite or not self.engine.url.database:
            return None
        return refusals.read_only([Path(self.engine.url.database)], self.place)

    def size(self) -> int | None:
        """Bytes of an SQLite file, which holds more than vectors; None elsewhere."""
        if not self.is_sqlite or not self.engine.url.database:
            return None
        file = Path(self.engine.url.database)
        return file.stat().st_size if file.exists() else 0

    def version(self) -> str:
        """The database's own, once it was asked something; "" before."""
        found = self.engine.dialect.server_version_info
        return ".".join(map(str, found)) if found else ""

    def close(self) -> None:
        self.engine.dispose()

    def _translated(self, error: SQLAlchemyError, name: str) -> StoreError:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")
        about = f' ("{name}")' if name else ""
        lowered = said.lower()
        if isinstance(error, PoolTimeout) or "locked" in lowered or "lock timeout" in lowered:
            return StoreUnavailable(f"{self.place} is locked by another program{about}.", "Try again in a moment.")
        if "full" in lowered or "no space" in lowered:
            return StoreFull(f"{self.place} has no space left: {said}.", "Free disk space, then resume.")
        if any(
            word in lowered for word in ("readonly", "read-only", "permission denied", "query_only", "must be owner")
        ):
            return StoreDenied(f"{self.place} takes no writes{about}: {said}.", "Let the console's user write to it.")
        if "unable to open" in lowered or (isinstance(error, DBAPIError) and error.connection_invalidated):
            self.answered = False
            return StoreUnavailable(
                f"{self.place} cannot be opened: {said}.", "Check that it is there, and the network."
            )
        if not self.is_sqlite and "connection" in lowered:
            self.answered = False
            return StoreUnavailable(f"{self.place} cannot be reached: {said}.", "Check host, port, role and network.")
        return StoreRefused(f"{self.place} refused{about}: {said}.", "Change the request as these words say.")


def _known(url: URL) -> URL:
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingsError(
            f"Vectors as bytes are kept in SQLite or PostgreSQL, not in {url.get_backend_name()}.",
            f"Examples: {EXAMPLES}.",
        )
    return url


def _engine(url: URL, timeout: int) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": timeout, "check_same_thread": False} if sqlite else {"connect_timeout": 10}
    engine = create_engine(url, connect_args=arguments)
    if not sqlite:
        return engine

    @event.listens_for(engine, "connect")
    def _by_hand(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver would begin by itself, and too late

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        how = "IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "DEFERRED"
        connection.exec_driver_sql(f"BEGIN {how}")

    return engine
