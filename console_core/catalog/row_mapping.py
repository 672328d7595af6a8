"""Which columns of a table are read, and how a record of them becomes a row of the catalog."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, select, type_coerce
from sqlalchemy.types import NullType

from console_core.catalog.columns import FacetColumn, converter
from console_core.catalog.row_key import RowKey
from console_core.catalog.types import ImageRow, JsonValue
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogSettings

Record = tuple[Any, ...]
Query = Select[*tuple[Any, ...]]


class RowMapping:
    """The configured columns: where the paths stand, what goes into the payload, what tells of changes."""

    def __init__(
        self, table: Table, settings: CatalogSettings, facets: Mapping[str, FacetColumn], is_sqlite: bool
    ) -> None:
        """Find the columns.

        Raises:
            CatalogInvalid: one of them is not in the table, or no column of paths is configured.
        """
        if not settings.paths:
            raise no_path_columns(table.name, table.c.keys())
        self._is_sqlite = is_sqlite
        named = dict.fromkeys(filter(None, (*settings.paths, *settings.carried, settings.updated_at)))
        self._columns = [column(table, name) for name in named]
        first = len(settings.key_columns)
        self._facets = tuple(
            (name, place, facet.text) for place, (name, facet) in enumerate(facets.items(), first + len(named))
        )
        self._grouped = [facet.grouped for facet in facets.values()]
        place = {name: number for number, name in enumerate(named, start=first)}
        self._paths = tuple(place[name] for name in settings.paths)
        self._payload = tuple((name, place[name], *converter(table.c[name], is_sqlite)) for name in settings.carried)
        self._by_name = sorted(set(settings.carried))
        self._names = blake2b("\0".join(self._by_name).encode(), digest_size=16).digest()
        self._updated_at = place.get(settings.updated_at)

    def select(self, key: RowKey) -> Query:
        """A query for the records that `rows` understands; the key comes first."""
        columns = [raw(source, self._is_sqlite) for source in (*key.expressions, *self._columns)]
        return select(*columns, *self._grouped)

    def rows(self, records: Iterable[Record], key: RowKey) -> Iterator[ImageRow]:
        """The rows of records. A revision is a hash of the candidates, the payload and the updated-at column.

        Raises:
            CatalogInvalid: a key is of another type than the column's others.
        """
        paths, columns, by_name, updated_at = self._paths, self._payload, self._by_name, self._updated_at
        facets, names, key_of = self._facets, self._names, key.text
        for record in records:  # a million times: what is plain already is not converted by a call
            candidates: list[str] = []
            for place in paths:
                path = record[place]
                if path:
                    if path.__class__ is not str:
                        path = str(path)
                    if not path.isspace() and path not in candidates:
                        candidates.append(path)
            payload: dict[str, JsonValue] = {}
            for name, place, plain, convert in columns:
                value: Any = record[place]
                if value.__class__ not in plain:
                    value = convert(value)
                payload[name] = value
            updated = None if updated_at is None else str(record[updated_at])
            tried = tuple(candidates)
            said = ascii((tried, [payload[name] for name in by_name], updated))
            revision = blake2b(said.encode("ascii"), digest_size=8, key=names).hexdigest()
            told: dict[str, str] = {}
            for name, place, text in facets:
                value = record[place]
                told[name] = value if value.__class__ is str else text(value)
            yield ImageRow(key_of(record), tried, payload, revision, told)


def raw(source: ColumnElement[Any], is_sqlite: bool) -> ColumnElement[Any]:
    """The column without SQLAlchemy's idea of its type where that is SQLite: its files hold what they like."""
    return type_coerce(source, NullType()) if is_sqlite else source


def column(table: Table, name: str) -> Column[Any]:
    """The table's column of that name.

    Raises:
        CatalogInvalid: there is none.
    """
    if name not in table.c:
        raise no_column(table.name, name, table.c.keys())
    return table.c[name]


def no_column(where: str, name: str, existing: Iterable[str]) -> CatalogInvalid:
    return CatalogInvalid(f"{where} has no column {name!r}.", f"Its columns are: {', '.join(existing)}.")


def no_path_columns(where: str, existing: Iterable[str]) -> CatalogInvalid:
    return CatalogInvalid(
        f"It is not said which columns of {where} hold the paths of pictures.",
        f"Set paths in [catalog]; the columns are: {', '.join(existing)}.",
    )
