"""Whether keys order rows so that reading page by page behind the last key misses none."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, func, or_, select

from console_core.catalog.columns import KeyColumn
from console_core.catalog.reflection import SourceDatabase
from console_core.catalog.row_key import RowKey
from console_core.errors import KeysUnusable

_SQLITE_NAMES = {int: "integer", str: "text"}


def check_order(database: SourceDatabase, table: Table, columns: Sequence[Column[Any]], key: RowKey) -> None:
    """Ask the database about all keys at once.

    Raises:
        KeysUnusable: some are NULL, of several types, or equal to one another in the database's own eyes.
    """
    _no_null(database, table, columns)
    if database.is_sqlite:
        for column, one in zip(columns, key.columns, strict=True):
            _one_type(database, table, column, one)
    if database.is_sqlite or not database.is_unique(table, columns):
        _all_different(database, table, columns, key)


def named(columns: Sequence[Column[Any]]) -> str:
    """The key in the middle of a sentence: "key column id", "key columns tenant, number"."""
    return f"key column{'s' if len(columns) > 1 else ''} {', '.join(column.key for column in columns)}"


def _no_null(database: SourceDatabase, table: Table, columns: Sequence[Column[Any]]) -> None:
    query = select(func.count()).select_from(table).where(or_(*(column.is_(None) for column in columns)))
    with database.connection() as connection:
        missing = int(connection.execute(query).scalar_one())
    if missing:
        rows = f"{missing:,} row{'s' if missing > 1 else ''}"
        verb = "is" if len(columns) == 1 else "are"
        raise KeysUnusable(
            f"The {named(columns)} of {table.name} {verb} NULL in {rows}, which would be left out.",
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
        f"The {named([column])} of {table.name} holds values of several types: {told}.",
        "Choose a key column with whole numbers only or text only, or cast it in a view.",
    )


def _all_different(database: SourceDatabase, table: Table, columns: Sequence[Column[Any]], key: RowKey) -> None:
    present = (column.is_not(None) for column in columns)
    twice = select(*key.expressions).select_from(table).where(*present)
    with database.connection() as connection:
        found = connection.execute(twice.group_by(*key.expressions).having(func.count() > 1).limit(1)).first()
        if found is None:
            return
        equal = and_(*(one == value for one, value in zip(key.expressions, found, strict=True)))
        alike = select(*key.expressions).select_from(table).where(equal).limit(100)
        same = [tuple(record) for record in connection.execute(alike)]
    first, other = _shown(found), next((record for record in same if record != tuple(found)), None)
    verb = "is" if len(columns) == 1 else "are"
    if other is None:
        raise KeysUnusable(
            f"The {named(columns)} of {table.name} {verb} not unique: {first} occurs {len(same)} times.",
            "Choose a column that identifies every row, such as the primary key.",
        )
    raise KeysUnusable(
        f"The {named(columns)} of {table.name} {'has' if len(columns) == 1 else 'have'} different keys that the "
        f"collation takes for the same: {_quoted(found)} and {_quoted(other)}.",
        "Compare the column byte by byte (COLLATE BINARY in SQLite, a deterministic collation elsewhere), or choose "
        "another key.",
    )


def _shown(record: Sequence[Any]) -> str:
    return ", ".join(map(str, record))


def _quoted(record: Sequence[Any]) -> str:
    return ", ".join(map(repr, record))
