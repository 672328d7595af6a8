"""What is at a location, before it is anybody's catalog: tables, columns, first rows, and what they probably mean."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, LargeBinary, String, Uuid, select
from sqlalchemy.types import TypeEngine

from console_core.catalog.columns import converter
from console_core.catalog.guessing import CanBeKey, Proposal, SeenColumn, looks_like_a_picture, proposal
from console_core.catalog.opening import open_catalog
from console_core.catalog.reflection import SeenTable, SourceDatabase
from console_core.catalog.row_mapping import raw
from console_core.catalog.table_file import TableFile, open_table_file
from console_core.catalog.types import JsonValue
from console_core.settings import CatalogKind, CatalogSettings

SAMPLE = 100
"""Rows that are looked at."""
SHOWN = 10
"""Rows that are shown."""
WIDE = 80
"""Letters of a value that are shown."""
PATIENCE = 5.0
"""Seconds for which a locked SQLite file is waited for."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is at a location. `tables` are those of a database; without a chosen `table` it has no columns and rows.

    A row has the first letters of each column's value. `remarks` are sentences for people.
    """

    kind: CatalogKind
    location: str
    tables: tuple[SeenTable, ...] = ()
    table: str = ""
    columns: tuple[SeenColumn, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    proposal: Proposal | None = None
    remarks: tuple[str, ...] = ()


def preview(kind: CatalogKind, location: str, table: str = "") -> Preview:
    """Look at a database URL, a CSV, TSV or Parquet file, an image list or a folder. Nothing is written.

    Raises:
        CatalogUnavailable: it cannot be read.
        CatalogInvalid: it can, but is not what it should be; or it has no such table.
    """
    match kind:
        case "sql":
            with closing(SourceDatabase(location, PATIENCE)) as database:
                return _of_database(database, table)
        case "table":
            return _of_file(Path(location).absolute())
        case _:
            return _of_pictures(kind, location)


def _of_database(database: SourceDatabase, name: str) -> Preview:
    tables = tuple(database.tables())
    chosen = name or (tables[0].name if len(tables) == 1 else "")
    if not chosen:
        remark = "It has no table." if not tables else "Choose a table to see its columns."
        return Preview("sql", database.location, tables, remarks=(remark,))
    table = database.table(chosen)
    readable = [column for column in table.columns if not isinstance(column.type, LargeBinary)]
    query = select(*(raw(column, database.is_sqlite) for column in readable)).limit(SAMPLE)
    with database.connection() as connection:
        records = [tuple(record) for record in connection.execute(query)]
    convert = [converter(column, database.is_sqlite)[1] for column in readable]
    sample = [
        {column.key: told(value) for column, told, value in zip(readable, convert, record, strict=True)}
        for record in records
    ]
    uniques = database.uniques(table)
    primary = tuple(column.key for column in table.primary_key.columns)
    columns = tuple(_column_of_table(column, sample, uniques, primary) for column in table.columns)
    usable = primary if all(one.why != _TYPE for one in columns if one.name in primary) else ()
    return Preview(
        "sql",
        database.location,
        tables,
        chosen,
        columns,
        _shown([column.name for column in columns], sample),
        proposal(columns, sample, usable),
    )


def _of_file(file: Path) -> Preview:
    table = open_table_file(file)
    names = [name for name in dict.fromkeys(table.names) if table.names.count(name) == 1 and name]
    with closing(_records(table, names)) as records:
        sample = [dict(zip(names, values, strict=True)) for _, values in islice(records, SAMPLE)]
    columns = tuple(
        SeenColumn(name, _type(table.kind(name)), *_by_sample(table.kind(name), name, sample)) for name in names
    )
    remarks = ["Values of this file are text."] if table.unit == "Line" else []
    if table.unit == "Line" and any(looks_like_a_picture(name) for name in table.names):
        remarks.append('Its first line names a picture: without a heading it is an image list, kind = "list".')
    if twice := sorted({name for name in table.names if table.names.count(name) > 1}):
        remarks.append(
            f"Left out, because their names are there twice: {', '.join(name or '(none)' for name in twice)}."
        )
    if table.odd:
        remarks.append(f"Lines that are not UTF-8, such as {table.odd_lines[0]}, have \\xNN in place of some letters.")
    rows, guessed = _shown(names, sample), proposal(columns, sample)
    return Preview("table", str(file), columns=columns, rows=rows, proposal=guessed, remarks=tuple(remarks))


def _records(table: TableFile, names: Sequence[str]) -> Generator[tuple[int, tuple[JsonValue, ...]], None, None]:
    yield from table.records(names)


def _of_pictures(kind: CatalogKind, location: str) -> Preview:
    with closing(open_catalog(CatalogSettings(kind, location))) as catalog:
        sample = [{**row.payload, "key": row.key} for row in islice(catalog.rows(), SHOWN)]
        info, pictures = catalog.info(), catalog.count()
    names = list(sample[0]) if sample else []
    remarks = [f"It has {pictures:,} pictures."]
    remarks += [f"{name.capitalize()}: {told}." for name, told in info.details.items() if name != "pictures"]
    columns = tuple(SeenColumn(name, "text", "yes" if name == "key" else "no", "") for name in names)
    return Preview(kind, info.location, columns=columns, rows=_shown(names, sample), remarks=tuple(remarks))


_TYPE = "It does not hold whole numbers, text or UUIDs."


def _column_of_table(
    column: Column[Any],
    sample: Sequence[Mapping[str, JsonValue]],
    uniques: Sequence[tuple[str, ...]],
    primary: tuple[str, ...],
) -> SeenColumn:
    kind = _type(column.type)
    able, why = _by_sample(column.type, column.key, sample)
    if able == "perhaps" and uniques:
        if (column.name,) in uniques and (not column.nullable or primary == (column.key,)):
            able = "yes"
        elif (column.name,) in uniques:
            able, why = "perhaps", "It may be NULL."
        else:
            able, why = "no", "The database does not keep it from having a value twice."
    return SeenColumn(column.key, kind, able, why)


def _by_sample(kind: TypeEngine[Any], name: str, sample: Sequence[Mapping[str, JsonValue]]) -> tuple[CanBeKey, str]:
    """Whether a column can be the key as far as its type and first values tell, and why not."""
    values = [row.get(name) for row in sample]
    told = [value for value in values if value is not None and value != ""]
    declared = isinstance(kind, Integer | String | Uuid)
    loose = bool(told) and all(isinstance(value, str) or type(value) is int for value in told)
    if isinstance(kind, LargeBinary) or not (declared or loose):
        return "no", _TYPE
    if len(told) < len(values):
        return "no", "It is empty in some rows."
    if len(set(map(str, told))) < len(told):
        return "no", "It has a value twice."
    return "perhaps", ""


def _type(kind: TypeEngine[Any]) -> str:
    try:
        return str(kind).lower()
    except Exception:
        return type(kind).__name__.lower()


def _shown(names: Sequence[str], sample: Sequence[Mapping[str, JsonValue]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_text(row, name) for name in names) for row in sample[:SHOWN])


def _text(row: Mapping[str, JsonValue], name: str) -> str:
    if name not in row:
        return "(bytes)"
    value = row[name]
    text = "" if value is None else str(value)
    return text if len(text) <= WIDE else f"{text[: WIDE - 1]}…"
