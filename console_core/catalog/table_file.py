"""What a CSV, TSV or Parquet file is to its catalog and to a preview, and how it is read into an index."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import BigInteger, Boolean, Column, Float, MetaData, String, Table
from sqlalchemy.types import TypeEngine

from console_core.catalog.delimited import DelimitedFile, lines_in_words
from console_core.catalog.index import file_unavailable
from console_core.catalog.row_mapping import no_column
from console_core.catalog.types import JsonValue
from console_core.errors import CatalogInvalid

_PARQUET = b"PAR1"
_KINDS: Mapping[str, type[TypeEngine[Any]]] = {kind.__name__: kind for kind in (BigInteger, Boolean, Float, String)}


class TableFile(Protocol):
    """A file of records with named columns. `unit` is what a record's number counts: lines or rows."""

    unit: str
    names: list[str]

    @property
    def odd_lines(self) -> Sequence[int]: ...

    @property
    def odd(self) -> int: ...

    def kind(self, name: str) -> TypeEngine[Any]: ...

    def records(self, names: Sequence[str]) -> Iterator[tuple[int, tuple[JsonValue, ...]]]: ...


def open_table_file(file: Path, wanted: Sequence[str] = ()) -> TableFile:
    """The reader of a file, told by how it begins.

    Raises:
        CatalogUnavailable: it cannot be read.
        CatalogInvalid: it is not what it should be.
    """
    try:
        with file.open("rb") as stream:
            beginning = stream.read(len(_PARQUET))
    except OSError as error:
        raise file_unavailable(file, error) from error
    if beginning == _PARQUET:
        from console_core.catalog.parquet import ParquetFile

        return ParquetFile(file)
    if file.suffix.lower() in (".parquet", ".pq"):
        raise CatalogInvalid(f"{file} is no Parquet file: it does not begin like one.", "Write the file again.")
    return DelimitedFile(file, wanted)


def fill(file: Path, names: Sequence[str], key: Sequence[str], connection: sqlite3.Connection) -> dict[str, object]:
    """Read the columns of these names, those of the key among them, into a database.

    Raises:
        CatalogUnavailable: the file cannot be read.
        CatalogInvalid: a column is missing or there twice, a record has no key or another's, or a line is malformed.
    """
    table = open_table_file(file, names)
    for name in names:
        if name not in table.names:
            raise no_column(str(file), name, table.names)
        if table.names.count(name) > 1:
            raise CatalogInvalid(
                f"{file} has {table.names.count(name)} columns of the name {name}.", "Give each a name of its own."
            )
    columns = [f"c{place}" for place in range(len(names))]
    keys = [names.index(name) for name in key]
    connection.execute(f"CREATE TABLE rows (line INTEGER PRIMARY KEY, {', '.join(columns)})")
    statement = f"INSERT INTO rows VALUES ({', '.join('?' * (len(columns) + 1))})"
    try:
        connection.executemany(statement, _with_keys(table, file, names, keys))
    except OverflowError as error:
        raise CatalogInvalid(
            f"{file} has a whole number that takes more than 64 bits.", "Write such numbers as text."
        ) from error
    by_key = ", ".join(columns[place] for place in keys)
    try:
        connection.execute(f"CREATE UNIQUE INDEX by_key ON rows ({by_key})")
    except sqlite3.IntegrityError as error:
        raise _repeated(connection, file, table.unit, by_key, key) from error
    kinds = [type(table.kind(name)).__name__ for name in names]
    return {"columns": list(names), "kinds": kinds, "odd": lines_in_words(table.odd_lines, table.odd)}


def reflected(remembered: Mapping[str, Any]) -> Table:
    """The table that `fill` made, with its columns by their names in the file."""
    columns = [
        Column(f"c{place}", _KINDS[kind](), key=name, nullable=False)
        for place, (name, kind) in enumerate(zip(remembered["columns"], remembered["kinds"], strict=True))
    ]
    return Table("rows", MetaData(), *columns)


def _with_keys(
    table: TableFile, file: Path, names: Sequence[str], keys: Sequence[int]
) -> Iterable[tuple[JsonValue, ...]]:
    for number, record in table.records(names):
        for place in keys:
            if record[place] is None or record[place] == "":
                raise CatalogInvalid(
                    f"{table.unit} {number:,} of {file} has no {names[place]}, which is the key.",
                    "Give every record a key, or name another column as key in [catalog].",
                )
        yield number, *record


def _repeated(connection: sqlite3.Connection, file: Path, unit: str, by_key: str, key: Sequence[str]) -> CatalogInvalid:
    twice = connection.execute(
        f"SELECT {by_key}, min(line) AS first FROM rows GROUP BY {by_key} HAVING count(*) > 1 ORDER BY first LIMIT 1"
    ).fetchone()
    *values, first = twice
    equal = " AND ".join(f"{name} = ?" for name in by_key.split(", "))
    ((second,),) = connection.execute(f"SELECT min(line) FROM rows WHERE {equal} AND line > ?", (*values, first))
    shown = ", ".join(map(str, values))
    return CatalogInvalid(
        f"{unit} {first:,} and {unit.lower()} {second:,} of {file} have the same {', '.join(key)}: {shown}.",
        "Remove one of them, or name a column as key in [catalog] that identifies every record.",
    )
