"""Whether a column's values order rows so that reading page by page behind the last key misses none."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Table, func, select

from console_core.catalog.columns import KeyColumn
from console_core.catalog.reflection import SourceDatabase
from console_core.errors import KeysUnusable

_SQLITE_NAMES = {int: "integer", str: "text"}


def check_order(database: SourceDatabase, table: Table, column: Column[Any], key: KeyColumn) -> None:
    """Ask the database about all keys at once.

    Raises:
        KeysUnusable: some are NULL, of several types, or equal to one another in the database's own eyes.
    """
    _no_null(database, table, column)
    if database.is_sqlite:
        _one_type(database, table, column, key)
    if database.is_sqlite or not database.is_unique(table, column):
        _all_different(database, table, column, key.expression)


def _no_null(database: SourceDatabase, table: Table, column: Column[Any]) -> None:
    query = select(func.count()).select_from(table).where(column.is_(None))
    with database.connection() as connection:
        missing = int(connection.execute(query).scalar_one())
    if missing:
        rows = f"{missing:,} row{'s' if missing > 1 else ''}"
        raise KeysUnusable(
            f"The key column {column.name} of {table.name} is NULL in {rows}, which would be left out.",
            "Choose a column that identifies every row, or a view that leaves these rows out.",
        )


def _one_type(database: SourceDatabase, table: Table, column: Column[Any], key: KeyColumn) -> None:
    """SQLite keeps values of any type in any column, and puts numbers before text."""
    kind: ColumnElement[str] = func.typeof(column)
    query = select(kind, func.count()).select_from(table).where(column.is_not(None)).group_by(kind)
    with database.connection() as connection:
        found = {str(name): int(number) for name, number in connection.execute(query)}
    if set(found) <= {_SQLITE_NAMES.get(key.kind, "text")}:
        return
    told = " and ".join(f"{number:,} {name}" for name, number in sorted(found.items()))
    raise KeysUnusable(
        f"The key column {column.name} of {table.name} holds values of several types: {told}.",
        "Choose a key column with whole numbers only or text only, or cast it in a view.",
    )


def _all_different(database: SourceDatabase, table: Table, column: Column[Any], key: ColumnElement[Any]) -> None:
    twice = select(key).where(column.is_not(None)).group_by(key).having(func.count() > 1).limit(1)
    with database.connection() as connection:
        found = connection.execute(twice).first()
        if found is None:
            return
        same = [row[0] for row in connection.execute(select(key).where(key == found[0]).limit(100))]
    other = next((value for value in same if value != found[0]), None)
    if other is None:
        raise KeysUnusable(
            f"The key column {column.name} of {table.name} is not unique: {found[0]} occurs {len(same)} times.",
            "Choose a column that identifies every row, such as the primary key.",
        )
    raise KeysUnusable(
        f"The key column {column.name} of {table.name} has different keys that its collation takes for the same: "
        f"{found[0]!r} and {other!r}.",
        "Compare the column byte by byte (COLLATE BINARY in SQLite, a deterministic collation elsewhere), or choose "
        "another key.",
    )
