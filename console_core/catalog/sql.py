"""The catalog of an application: any table or view that SQLAlchemy reaches, read by key and never written."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any

from sqlalchemy import ColumnElement, func, select

from console_core.catalog.columns import FacetColumn, KeyColumn, declared_kind
from console_core.catalog.key_order import check_order
from console_core.catalog.listing import MOST_VALUES, unknown_facet
from console_core.catalog.reflection import SourceDatabase
from console_core.catalog.row_mapping import Query, Record, RowMapping, column
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogSettings

PAGE = 1000
CHUNK = 500
"""How many keys one statement asks for: every database accepts as many bound values."""


class SqlCatalog:
    """Rows of a table or view. Column names come from the database itself, values are always bound.

    Keys are whole numbers, text or UUIDs, and rows come in the database's own order of them.
    """

    def __init__(self, settings: CatalogSettings, *, page: int = PAGE, timeout: float = 15) -> None:
        """Connect, and check the mapping against the table. `timeout`: seconds to wait for a locked SQLite file.

        Raises:
            CatalogUnavailable: the database is missing, unreachable or locked.
            CatalogInvalid: no such table or column, or the key column is not unique or has NULL.
        """
        self._settings = settings
        self._page = page
        self._database = SourceDatabase(settings.location, timeout)
        try:
            self._table = self._database.table(settings.table)
            self._key_column = column(self._table, settings.key)
            self._facets = {name: FacetColumn(column(self._table, name)) for name in settings.facets}
            self._mapping = RowMapping(self._table, settings, self._facets, self._database.is_sqlite)
            self._known_kind = declared_kind(self._key_column, self._database.is_sqlite)
            self._check_key()
        except BaseException:
            self._database.close()
            raise

    def info(self) -> CatalogInfo:
        settings = self._settings
        details = {
            "table": settings.table,
            "key": settings.key,
            "paths": ", ".join(settings.paths),
            "payload": ", ".join(settings.payload) or "none",
            "updated at": settings.updated_at or "not known",
            "database": self._database.engine.dialect.name,
        }
        return CatalogInfo("sql", self._database.location, settings.facets, details)

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of rows in the slice, optionally of those behind a key."""
        key = self._key()
        behind = [self._key_column.is_not(None), *self._filters(part), *self._behind(key, after)]
        counted = select(func.count()).select_from(self._table).where(*behind)
        if part.keys is None:
            return int(self._all(counted)[0][0])
        wanted = _values(key, part.keys)
        return sum(int(self._all(counted.where(key.expression.in_(some)))[0][0]) for some in _chunks(wanted))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Rows in ascending key order, strictly behind `after`; one page of memory, and no transaction between pages.

        Raises:
            CatalogInvalid: two rows have the same key, or a key is not of the column's type.
        """
        key = self._key()
        conditions = self._filters(part)
        rows = self._mapping.select(key).where(*conditions).order_by(key.expression)
        if part.keys is None:
            for records in self._pages(rows, key, after):
                yield from self._mapping.rows(records, key)
            return
        for some in self._ordered(key, part.keys, after):
            behind = rows.where(key.expression.in_(some), *self._behind(key, after))
            yield from self._mapping.rows(self._all(behind), key)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The rows of these keys that exist, in the order asked for."""
        key = self._key()
        rows = self._mapping.select(key)
        found = {
            row.key: row
            for some in _chunks(_values(key, keys))
            for row in self._mapping.rows(self._all(rows.where(key.expression.in_(some))), key)
        }
        return [found[wanted] for wanted in keys if wanted in found]

    def check_keys(self) -> None:
        """Ask the database about all keys at once.

        Raises:
            KeysUnusable: some are NULL, of several types, or not all different.
        """
        check_order(self._database, self._table, self._key_column, self._key())

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of rows."""
        return {name: self._facet_counts(facet) for name, facet in self._facets.items()}

    def close(self) -> None:
        self._database.close()

    def _facet_counts(self, facet: FacetColumn) -> dict[str, int]:
        number = func.count()
        value = facet.grouped.label("value")
        query = select(value, number).select_from(self._table).where(self._key_column.is_not(None))
        groups = self._all(query.group_by(value).order_by(number.desc(), value).limit(MOST_VALUES))
        counts: Counter[str] = Counter()
        for group in groups:
            counts[facet.text(group[0])] += int(group[1])
        return dict(counts)

    def _pages(self, rows: Query, key: KeyColumn, after: str | None) -> Iterator[Sequence[Record]]:
        """Pages of records whose first value is the key. One record more is read, to see a key that occurs twice."""
        behind = self._behind(key, after)
        last: Any = None
        while True:
            records = self._all(rows.where(self._key_column.is_not(None), *behind).limit(self._page + 1))
            for one, other in pairwise((last, *(record[0] for record in records))):
                if one == other:
                    raise self._not_unique(one)
            yield records[: self._page]
            if len(records) <= self._page:
                return
            last = records[self._page - 1][0]
            behind = [key.expression > last]

    def _ordered(self, key: KeyColumn, keys: Iterable[str], after: str | None) -> Iterator[list[Any]]:
        """The wanted keys' values in chunks, in the database's order."""
        wanted = _values(key, keys)
        if len(wanted) <= CHUNK or key.kind is int:
            yield from _chunks(sorted(wanted))
            return
        among = set(wanted)  # how a database orders text is its own affair: ask it
        in_order = self._pages(select(key.expression).order_by(key.expression), key, after)
        yield from _chunks(value for records in in_order for (value,) in records if value in among)

    def _filters(self, part: Slice) -> list[ColumnElement[bool]]:
        for name in part.filters:
            if name not in self._facets:
                raise unknown_facet(name, self._facets)
        return [self._facets[name].is_one_of(values) for name, values in part.filters.items()]

    def _behind(self, key: KeyColumn, after: str | None) -> list[ColumnElement[bool]]:
        if after is None:
            return []
        value = key.parse(after)
        if value is None:
            raise CatalogInvalid(
                f"{after!r} is not a key of {self._settings.table}: {key.name} holds {key.kind.__name__} values.",
                "Start again from the beginning; the catalog's key column was changed.",
            )
        return [key.expression > value]

    def _key(self) -> KeyColumn:
        """The key column with its type of values, asked of the first row where the declaration does not tell."""
        if self._known_kind is None:
            some_key = select(self._mapping.raw(self._key_column)).where(self._key_column.is_not(None))
            first = self._all(some_key.order_by(self._key_column).limit(1))
            if not first:
                return KeyColumn(self._key_column, str)
            self._known_kind = type(first[0][0])
        return KeyColumn(self._key_column, self._known_kind)

    def _check_key(self) -> None:
        key = self._key()
        if self._all(select(self._key_column).where(self._key_column.is_(None)).limit(1)):
            raise CatalogInvalid(
                f"The key column {key.name} of {self._settings.table} is NULL in some rows.",
                "Choose a column that identifies every row, or a view that leaves these rows out.",
            )
        if not self._database.is_unique(self._table, self._key_column):
            next(self._pages(self._mapping.select(key).order_by(key.expression), key, None))

    def _all(self, query: Query) -> Sequence[Record]:
        with self._database.connection() as connection:
            return connection.execute(query).fetchall()

    def _not_unique(self, value: object) -> CatalogInvalid:
        return CatalogInvalid(
            f"The key column {self._settings.key} of {self._settings.table} is not unique: {value} occurs twice.",
            "Choose a column that identifies every row, such as the primary key.",
        )


def _values(key: KeyColumn, keys: Iterable[str]) -> list[Any]:
    """The database's values of the keys that can exist, each once."""
    return list(dict.fromkeys(value for value in map(key.parse, keys) if value is not None))


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    upcoming = iter(values)
    while some := list(islice(upcoming, CHUNK)):
        yield some
