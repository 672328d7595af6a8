"""An application's database, opened for reading only, and one of its tables or views as it is now."""

import sqlite3
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from operator import methodcaller
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Column, Connection, Engine, Inspector, MetaData, Table, create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import ReflectedUniqueConstraint
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SAWarning, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import NullPool

from console_core.errors import CatalogInvalid, CatalogUnavailable

_CONNECT_SECONDS = 10
lenient_text = methodcaller("decode", "utf-8", "backslashreplace")
"""Text of SQLite files: by default one caption that is not UTF-8 makes its whole page unreadable."""
_SYSTEM_SCHEMAS = frozenset({"information_schema", "pg_catalog", "mysql", "performance_schema", "sys"})


TableKind = Literal["table", "view"]


@dataclass(frozen=True, slots=True)
class SeenTable:
    """A table or view: its name as it is written in [catalog], and how many columns it has."""

    name: str
    kind: TableKind
    columns: int


class SourceDatabase:
    """An engine that can only read. Safe to use from several threads; no transaction outlives a call."""

    def __init__(self, url: str, timeout: float) -> None:
        """Prepare to connect; `timeout` is how many seconds to wait for a locked SQLite file.

        Raises:
            CatalogInvalid: the URL is malformed, or names a database without a driver here.
            CatalogUnavailable: the SQLite file is not there.
        """
        try:
            parsed = make_url(url)
            self.location = shown(parsed)
            self.engine = _engine(parsed, timeout)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise CatalogInvalid(
                f"The catalog's location cannot be used: {error}.",
                "Write an SQLAlchemy URL such as sqlite:///app.db or postgresql+psycopg://user@host/name, and install "
                "the database's driver.",
            ) from error
        self.is_sqlite = parsed.get_backend_name() == "sqlite"

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection for one statement or a few, with the driver's errors translated.

        Raises:
            CatalogUnavailable: the database cannot be reached, or is locked.
            CatalogInvalid: it refuses the statement (a table or column that was dropped, no permission).
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error, UnicodeError) as error:
            raise self._translated(error) from error

    def table(self, name: str) -> Table:
        """The table or view of that name, `schema.name` included.

        Raises:
            CatalogInvalid: there is none.
        """
        with self.connection() as connection:
            inspector = inspect(connection)
            found = next((one for one in _readings(name) if inspector.has_table(one[1], schema=one[0])), None)
            if found is None:
                existing = ", ".join(sorted(one.name for one, _, _ in _listed(inspector, self.is_sqlite))) or "none"
                raise CatalogInvalid(f"{self.location} has no table or view {name}.", f"It has: {existing}.")
            with _unread_types():
                return Table(found[1], MetaData(), schema=found[0], autoload_with=connection, resolve_fks=False)

    def tables(self) -> list[SeenTable]:
        """All tables and views, by name."""
        with self.connection() as connection, _unread_types():
            return sorted(_counted(inspect(connection), self.is_sqlite), key=lambda one: one.name)

    def is_unique(self, table: Table, columns: Sequence[Column[Any]]) -> bool:
        """Whether the database guarantees that no two rows have the same values there, unless one is NULL."""
        names = {column.name for column in columns}
        return any(set(unique) <= names for unique in self.uniques(table))

    def uniques(self, table: Table) -> list[tuple[str, ...]]:
        """The columns, or columns together, that the database keeps from having the same values twice."""
        primary = tuple(column.name for column in table.primary_key.columns)
        with self.connection() as connection:
            inspector = inspect(connection)
            constraints: list[ReflectedUniqueConstraint] = []
            with suppress(NotImplementedError):
                constraints = inspector.get_unique_constraints(table.name, schema=table.schema)
            indexes = [
                index
                for index in inspector.get_indexes(table.name, schema=table.schema)
                if index["unique"] and not any(option.endswith("_where") for option in index.get("dialect_options", {}))
            ]
        found = [primary, *(tuple(one["column_names"]) for one in constraints)]
        for index in indexes:
            names = tuple(name for name in index["column_names"] if name is not None)
            if len(names) == len(index["column_names"]):  # and no expression among them
                found.append(names)
        return [unique for unique in found if unique]

    def close(self) -> None:
        self.engine.dispose()

    def _translated(self, error: Exception) -> CatalogInvalid | CatalogUnavailable:
        cause = str(getattr(error, "orig", None) or error).strip().rstrip(".")
        where = f"The catalog at {self.location}"
        if "locked" in cause:
            return CatalogUnavailable(
                f"{where} is locked by another program: {cause}.", "Wait until it has finished writing, and try again."
            )
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        if lost or isinstance(error, PoolTimeout) or (_is_operational(error) and not cause.startswith("no such")):
            return CatalogUnavailable(
                f"{where} cannot be reached: {cause}.", "Check that the database is running and the address is right."
            )
        return CatalogInvalid(
            f"{where} cannot be read as configured: {cause}.",
            "Check the table and column names in [catalog], and that the user may read them.",
        )


def shown(url: URL) -> str:
    """The URL for people: no password, no parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


@contextmanager
def _unread_types() -> Iterator[None]:
    """Columns may be of types of extensions, which are not read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


def _readings(name: str) -> Iterator[tuple[str | None, str]]:
    """The schemas and tables that a name may mean; both may have dots in their names."""
    yield None, name
    for place, letter in enumerate(name):
        if letter == "." and 0 < place < len(name) - 1:
            yield name[:place], name[place + 1 :]


def _listed(inspector: Inspector, is_sqlite: bool) -> Iterator[tuple[SeenTable, str | None, str]]:
    """All tables and views as a person may write them, with no column counted, and their schemas and names."""
    usual = inspector.default_schema_name
    schemas = [usual] if is_sqlite else [name for name in inspector.get_schema_names() if name not in _SYSTEM_SCHEMAS]
    for schema in schemas:
        views = list(inspector.get_view_names(schema=schema))
        with suppress(NotImplementedError):
            views += inspector.get_materialized_view_names(schema=schema)
        kinds: dict[str, TableKind] = dict.fromkeys(inspector.get_table_names(schema=schema), "table")
        kinds.update((name, "view") for name in views)
        for name, kind in kinds.items():
            yield SeenTable(name if schema == usual else f"{schema}.{name}", kind, 0), schema, name


def _counted(inspector: Inspector, is_sqlite: bool) -> Iterator[SeenTable]:
    for one, schema, name in _listed(inspector, is_sqlite):
        with suppress(SQLAlchemyError) if is_sqlite else nullcontext():  # of a view whose table was dropped
            yield replace(one, columns=len(inspector.get_columns(name, schema=schema)))


def _is_operational(error: Exception) -> bool:
    return type(error).__name__ in ("OperationalError", "InterfaceError")


def _engine(url: URL, timeout: float) -> Engine:
    backend = url.get_backend_name()
    if backend != "sqlite":
        arguments = {"connect_timeout": _CONNECT_SECONDS} if backend in ("postgresql", "mysql", "mariadb") else {}
        options = {"postgresql_readonly": True} if backend == "postgresql" else {}
        return create_engine(url, pool_pre_ping=True, connect_args=arguments, execution_options=options)
    if not url.database or url.database == ":memory:":
        raise CatalogInvalid("The catalog is an SQLite database in memory.", "Name a file: sqlite:///app.db.")
    file = Path(url.database).absolute()
    if not file.is_file():
        raise CatalogUnavailable(f"There is no database file {file}.", "Check the location in [catalog].")

    def connect() -> sqlite3.Connection:
        clears_up = _logs_ahead(file)
        uri = f"{file.as_uri()}?mode={'rw' if clears_up else 'ro'}"
        connection = sqlite3.connect(uri, uri=True, timeout=timeout, check_same_thread=False)
        if clears_up:
            connection.execute("PRAGMA query_only=ON")
        connection.text_factory = lenient_text
        return connection

    # No pool: a kept connection would go on reading a file that was deleted or replaced by a newer one.
    return create_engine(url.set(query={}), creator=connect, poolclass=NullPool)


def _logs_ahead(file: Path) -> bool:
    """Whether the file is in WAL mode with nothing in its log.

    A connection that may only read makes the log's files and leaves them behind; one that may write clears them up
    when it is the last to close, and has nothing to fold in. Where there is something, that is left to its owner.
    """
    try:
        with file.open("rb") as stream:
            if stream.read(20)[18:20] != b"\x02\x02":
                return False
        log = file.with_name(file.name + "-wal")
        return not log.exists() or log.stat().st_size == 0
    except OSError:
        return False
