"""Writing vectors into an application's own table: a batch in one transaction, and nothing else there is touched."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from console_core.catalog.embedding_column import ColumnVector, EmbeddingColumn, as_bytes
from console_core.catalog.reflection import lenient_text
from console_core.catalog.watched_rows import WatchedRows
from console_core.errors import CatalogInvalid, CatalogUnavailable

_LOCK_TIMEOUT = "55P03"
_DEADLOCK = "40P01"
_DENIED = ("42501", "25006")
"""What PostgreSQL says to a role that may not write, and to a session that can only read."""


class ColumnWriter:
    """Writes to an embedding column, over a connection apart from the one that it is read by.

    A SQLite file keeps its journal mode, and is locked for the time of a batch. For one thread.

    `moved` are the rows, by their keys, whose updated-at column the last write changed, and nothing else that the
    catalog reads: by a trigger of the application's, or ON UPDATE. Each with its revision before and after. They are
    locked meanwhile, so that nobody's edit is among them.
    """

    def __init__(self, column: EmbeddingColumn) -> None:
        """Prepare to write to a column; nothing is opened yet."""
        self._column = column
        self._engine = _engine(column)
        self._watched = WatchedRows(column) if column.settings.updated_at else None
        self.moved: Mapping[str, tuple[str, str]] = {}

    def write(self, vectors: Sequence[tuple[str, ColumnVector]], model: str) -> int:
        """Write vectors by their rows' keys, with the model's name beside each; all of them, or none.

        Returns the number of rows that were there to be written. Writing a batch again is harmless.

        Raises:
            CatalogUnavailable: another program keeps the table or the file locked, or the database is away.
            CatalogInvalid: it refuses to be written: a file or a role that may only read, a view, a constraint.
        """
        self.moved = {}
        column, key = self._column, self._column.key()
        rows = [
            {"new_vector": as_bytes(vector), "new_model": model, **_named(values)}
            for name, vector in vectors
            if (values := key.parse(name)) is not None
        ]
        if not rows:
            return 0
        this_row = [own == bindparam(f"key_{number}") for number, own in enumerate(key.expressions)]
        change = (
            update(column.table)
            .where(*this_row)
            .values({column.vector: bindparam("new_vector"), column.model: bindparam("new_model")})
        )
        with self._transaction() as connection:
            if self._watched is None:
                return max(connection.execute(change, rows).rowcount, 0)
            keys = [name for name, _ in vectors]
            before = self._watched.locked(connection, keys)
            written = max(connection.execute(change, rows).rowcount, 0)
            moved = self._watched.moved(connection, before)
        self.moved = moved
        return written

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> "ColumnWriter":
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(text(f"SET LOCAL lock_timeout = {int(self._column.timeout * 1000)}"))
                yield connection
        except SQLAlchemyError as error:
            raise self._translated(error) from error

    def _translated(self, error: SQLAlchemyError) -> CatalogInvalid | CatalogUnavailable:
        origin = getattr(error, "orig", None) or error
        cause = " ".join(str(origin).split()).rstrip(".")
        state = getattr(origin, "sqlstate", None)
        where = f"{self._column.title} at {self._column.database.location}"
        if state in (_LOCK_TIMEOUT, _DEADLOCK) or "locked" in cause:
            return CatalogUnavailable(
                f"{where} is locked by another program: {cause}.",
                "Wait until it has finished writing, then resume: what was written stays, the rest follows.",
            )
        if state in _DENIED or "readonly" in cause or "permission denied" in cause:
            return CatalogInvalid(
                f"{where} may not be written: {cause}.",
                "Let the console's user write these two columns: the file and its folder in SQLite, "
                f"GRANT UPDATE ON {self._column.settings.table} in PostgreSQL. Then resume.",
            )
        if type(error).__name__ in ("OperationalError", "InterfaceError"):
            return CatalogUnavailable(
                f"{where} cannot be written now: {cause}.",
                "Check that the database is running and its disk has space, then resume.",
            )
        return CatalogInvalid(
            f"{where} refuses what was to be written: {cause}.",
            "Check what the table demands of these columns (constraints, triggers; a view takes nothing), then resume.",
        )


def _named(values: Sequence[Any]) -> dict[str, Any]:
    return {f"key_{number}": value for number, value in enumerate(values)}


def _engine(column: EmbeddingColumn) -> Engine:
    url = make_url(column.settings.location)
    if not column.database.is_sqlite:
        return create_engine(url, pool_pre_ping=True)
    file = Path(url.database or "").absolute()

    def connect() -> sqlite3.Connection:
        # Transactions are begun by hand: the driver would begin them only at the first change, too late to wait.
        connection = sqlite3.connect(
            f"{file.as_uri()}?mode=rw", uri=True, timeout=column.timeout, check_same_thread=False, isolation_level=None
        )
        connection.text_factory = lenient_text
        return connection

    engine = create_engine(url.set(query={}), creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
