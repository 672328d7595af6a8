"""Pages of rows of a table or view by their keys: counted, listed, looked up, and told by facets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice, pairwise
from typing import Any, Protocol

from sqlalchemy import Column, ColumnElement, Connection, Table, func, select

from console_core.catalog.columns import FacetColumn, KeyColumn, declared_kind
from console_core.catalog.key_order import named
from console_core.catalog.listing import MOST_VALUES, unknown_facet
from console_core.catalog.row_key import RowKey, Values
from console_core.catalog.row_mapping import Query, Record, raw
from console_core.catalog.types import EVERYTHING, ImageRow, Slice
from console_core.errors import CatalogInvalid

PAGE = 1000
CHUNK = 500
"""How many keys one statement asks for: every database accepts as many bound values."""


class Readable(Protocol):
    """A database that is read. Safe to use from several threads."""

    @property
    def is_sqlite(self) -> bool: ...

    def connection(self) -> AbstractContextManager[Connection]:
        """A connection for one statement or a few, with the driver's errors translated.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        ...


class Mapped(Protocol):
    """Which columns are read, and how a record of them becomes a row."""

    def select(self, key: RowKey) -> Query: ...

    def rows(self, records: Iterable[Record], key: RowKey) -> Iterator[ImageRow]: ...


class TableRows:
    """The rows of a table or view in the database's own order of their keys. Memory is bounded by one page.

    Keys are whole numbers, text or UUIDs, or several such columns together.
    """

    def __init__(
        self,
        database: Readable,
        table: Table,
        key: Sequence[Column[Any]],
        facets: Mapping[str, FacetColumn],
        mapping: Mapped,
        *,
        title: str,
        page: int = PAGE,
    ) -> None:
        """`title` is what the table is called for people."""
        self._database = database
        self._table = table
        self._columns = tuple(key)
        self._facets = facets
        self._mapping = mapping
        self._title = title
        self._page = page
        self._kinds = [declared_kind(column, database.is_sqlite) for column in key]

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of rows in the slice, optionally of those behind a key."""
        key = self.key()
        behind = [*self._present(), *self._filters(part), *self._behind(key, after)]
        counted = select(func.count()).select_from(self._table).where(*behind)
        if part.keys is None:
            return int(self._all(counted)[0][0])
        wanted = _values(key, part.keys)
        return sum(int(self._all(counted.where(key.among(some)))[0][0]) for some in _chunks(wanted))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Rows in ascending key order, strictly behind `after`; one page of memory, and no transaction between pages.

        Raises:
            CatalogInvalid: two rows have the same key, or a key is not of its column's type.
        """
        key = self.key()
        rows = self._mapping.select(key).where(*self._filters(part)).order_by(*key.expressions)
        if part.keys is None:
            for records in self._pages(rows, key, after):
                yield from self._mapping.rows(records, key)
            return
        for some in self._ordered(key, part.keys, after):
            behind = rows.where(key.among(some), *self._behind(key, after))
            yield from self._mapping.rows(self._all(behind), key)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The rows of these keys that exist, in the order asked for."""
        key = self.key()
        rows = self._mapping.select(key)
        found = {
            row.key: row
            for some in _chunks(_values(key, keys))
            for row in self._mapping.rows(self._all(rows.where(key.among(some))), key)
        }
        return [found[wanted] for wanted in keys if wanted in found]

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of rows."""
        return {name: self._facet_counts(facet) for name, facet in self._facets.items()}

    def check_key(self, *, is_unique: bool) -> None:
        """Look whether every row has a key, and, where the database does not say so, whether the first are different.

        Raises:
            CatalogInvalid: a key is NULL, not unique, or not of a type that keys can have.
        """
        key = self.key()
        doubtful = [column for column in self._columns if column.nullable]
        for column in doubtful:
            if self._all(select(column).where(column.is_(None)).limit(1)):
                raise CatalogInvalid(
                    f"The {named([column])} of {self._title} is NULL in some rows.",
                    "Choose a column that identifies every row, or a view that leaves these rows out.",
                )
        if not is_unique:
            next(self._pages(self._mapping.select(key).order_by(*key.expressions), key, None))

    def key(self) -> RowKey:
        """The key with its types of values, asked of the first row where the declaration does not tell."""
        if None in self._kinds:
            told = [raw(column, self._database.is_sqlite) for column in self._columns]
            first = self._all(select(*told).where(*self._present()).order_by(*self._columns).limit(1))
            if not first:
                return self._key_of([kind or str for kind in self._kinds])
            self._kinds = [kind or type(value) for kind, value in zip(self._kinds, first[0], strict=True)]
        return self._key_of([kind or str for kind in self._kinds])

    def _key_of(self, kinds: Sequence[type]) -> RowKey:
        return RowKey([KeyColumn(column, kind) for column, kind in zip(self._columns, kinds, strict=True)])

    def _facet_counts(self, facet: FacetColumn) -> dict[str, int]:
        number = func.count()
        value = facet.grouped.label("value")
        query = select(value, number).select_from(self._table).where(*self._present())
        groups = self._all(query.group_by(value).order_by(number.desc(), value).limit(MOST_VALUES))
        counts: Counter[str] = Counter()
        for group in groups:
            counts[facet.text(group[0])] += int(group[1])
        return dict(counts)

    def _pages(self, rows: Query, key: RowKey, after: str | None) -> Iterator[Sequence[Record]]:
        """Pages of records that begin with the key. One record more is read, to see a key that occurs twice."""
        behind = self._behind(key, after)
        last: Values | None = None
        width = key.width
        while True:
            records = self._all(rows.where(*self._present(), *behind).limit(self._page + 1))
            for one, other in pairwise((last, *(record[:width] for record in records))):
                if one == other:
                    raise self._not_unique(other)
            yield records[: self._page]
            if len(records) <= self._page:
                return
            last = records[self._page - 1][:width]
            behind = [key.behind(last)]

    def _ordered(self, key: RowKey, keys: Iterable[str], after: str | None) -> Iterator[list[Values]]:
        """The wanted keys' values in chunks, in the database's order."""
        wanted = _values(key, keys)
        if len(wanted) <= CHUNK or key.is_numeric:
            yield from _chunks(sorted(wanted))
            return
        among = set(wanted)  # how a database orders text is its own affair: ask it
        in_order = self._pages(select(*key.expressions).order_by(*key.expressions), key, after)
        yield from _chunks(tuple(values) for records in in_order for values in records if tuple(values) in among)

    def _present(self) -> list[ColumnElement[bool]]:
        return [column.is_not(None) for column in self._columns]

    def _filters(self, part: Slice) -> list[ColumnElement[bool]]:
        for name in part.filters:
            if name not in self._facets:
                raise unknown_facet(name, self._facets)
        return [self._facets[name].is_one_of(values) for name, values in part.filters.items()]

    def _behind(self, key: RowKey, after: str | None) -> list[ColumnElement[bool]]:
        return [] if after is None else [key.behind(key.known(after, self._title))]

    def _all(self, query: Query) -> Sequence[Record]:
        with self._database.connection() as connection:
            return fetched(connection, query, is_sqlite=self._database.is_sqlite)

    def _not_unique(self, values: Values | None) -> CatalogInvalid:
        shown = ", ".join(map(str, values or ()))
        verb = "is" if len(self._columns) == 1 else "are"
        return CatalogInvalid(
            f"The {named(self._columns)} of {self._title} {verb} not unique: {shown} occurs twice.",
            "Choose a column that identifies every row, such as the primary key.",
        )


def fetched(connection: Connection, query: Query, *, is_sqlite: bool) -> Sequence[Record]:
    """All records of a query. Those of SQLite as they are: all that is read of it is of no declared type."""
    result = connection.execute(query)
    if is_sqlite and result.cursor is not None:
        return result.cursor.fetchall()
    return [tuple(record) for record in result.fetchall()]


def _values(key: RowKey, keys: Iterable[str]) -> list[Values]:
    """The database's values of the keys that can exist, each once."""
    return list(dict.fromkeys(values for values in map(key.parse, keys) if values is not None))


def _chunks(values: Iterable[Values]) -> Iterator[list[Values]]:
    upcoming = iter(values)
    while some := list(islice(upcoming, CHUNK)):
        yield some
