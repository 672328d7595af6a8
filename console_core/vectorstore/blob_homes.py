"""An application's tables in a database that keeps vectors as bytes, as they are now."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Uuid,
    func,
    inspect,
    select,
)

from console_core.errors import StoreRefused
from console_core.settings import TableSettings
from console_core.vectorstore.blob_places import BYTES


@dataclass(frozen=True, slots=True)
class Home:
    """An application's table, as it is now."""

    settings: TableSettings
    table: Table

    @property
    def alias(self) -> str:
        return f"{self.settings.name}.{self.settings.vector}"


def home_of(connection: Connection, settings: TableSettings) -> Home:
    """A table of the settings.

    Raises:
        StoreRefused: it is not there, or is nothing that vectors can be kept in as configured.
    """
    known = inspect(connection)
    where = f"[store.tables.{settings.name}]"
    schema, dot, name = "", "", settings.table
    if not known.has_table(name):
        schema, dot, name = settings.table.partition(".")
        if not dot or not known.has_table(name, schema=schema):
            raise StoreRefused(
                f"{where} names the table {settings.table}, which the database does not have.",
                'Write table = "…" as the database has it, with its schema where it is not the usual one.',
            )
    table = Table(name, MetaData(), schema=schema or None, autoload_with=connection, resolve_fks=False)
    for column in (settings.key, settings.vector, *settings.payload):
        if column not in table.c:
            raise StoreRefused(
                f'{where}: {settings.table} has no column "{column}".', f"Its columns are: {', '.join(table.c.keys())}."
            )
    key, vector = table.c[settings.key], table.c[settings.vector]
    if not isinstance(key.type, Integer | BigInteger | SmallInteger | Uuid) or isinstance(key.type, Boolean):
        raise StoreRefused(
            f'{where}: the column "{key.name}" ({key.type}) cannot tell rows apart for the console.',
            "Name a column of whole numbers (in PostgreSQL also of UUIDs) that is unique.",
        )
    if not isinstance(vector.type, LargeBinary):
        raise StoreRefused(
            f'{where}: the column "{vector.name}" is {vector.type}, and not bytes.',
            "Name the column of type BLOB or bytea that holds vectors as float32.",
        )
    return Home(settings, table)


def length_of(connection: Connection, home: Home, column: Column[Any]) -> int:
    """How many numbers the first vector of a column has; 0 where there is none."""
    query = select(func.length(column)).where(column.is_not(None)).limit(1)
    return int(connection.execute(query).scalar() or 0) // BYTES.itemsize


def own_name(connection: Connection, home: Home, searched: str = "") -> str:
    """What the searched column is called once another takes its place."""
    if searched:
        return searched
    length = length_of(connection, home, home.table.c[home.settings.vector])
    stem = f"{home.settings.vector}_{length or 'former'}"
    number, own = 1, stem
    while own in home.table.c:
        number += 1
        own = f"{stem}_{number}"
    return own


def altered(connection: Connection, home: Home, how: str) -> None:
    """Change a table's columns."""
    table = connection.dialect.identifier_preparer.format_table(home.table)
    connection.exec_driver_sql(f"ALTER TABLE {table} {how}")


def quoted(connection: Connection, name: str) -> str:
    """A column's name in a statement; in PostgreSQL the driver takes a "%" for a parameter unless it is doubled."""
    return connection.dialect.identifier_preparer.quote(name)


def type_of(connection: Connection, kind: str) -> str:
    """A type as this database calls it."""
    return "bytea" if kind == "BLOB" and connection.dialect.name == "postgresql" else kind
