"""The column of an application's table that keeps the vectors of its pictures, read beside the catalog.

A vector is float32, little endian, one number after the other; another column names the model that made it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, ColumnElement, LargeBinary, String, Table, and_, case, func, select, type_coerce
from sqlalchemy.types import NullType

from console_core.catalog.columns import KeyColumn, declared_kind
from console_core.catalog.reflection import SourceDatabase
from console_core.catalog.row_key import RowKey
from console_core.catalog.row_mapping import column
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogSettings

NUMBERS = np.dtype("<f4")
CHUNK = 500
"""How many keys one statement asks for: every database accepts as many bound values."""
MOST_MODELS = 200
"""Models that are counted by name; rows of further ones are counted as OTHERS."""
OTHERS = "(other)"

ColumnVector = NDArray[np.float32]
"""Shape (n,), float32, of whatever length the column has."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the column has for one row: a vector, or nothing, or bytes that are none, and then `problem` says why.

    `model` is what the row says made it, "" where it says nothing.
    """

    key: str
    model: str = ""
    vector: ColumnVector | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """The rows of a table by what the column has for them, as the database counts them.

    `with_vector` have bytes of the asked length under the asked model's name, `with_bytes` have any, of which
    `wrong_length` have another length. `by_model` counts those with any by what they say made them.
    """

    total: int
    with_bytes: int
    with_vector: int
    wrong_length: int
    by_model: Mapping[str, int] = field(default_factory=dict)


class EmbeddingColumn:
    """Reads the column by keys, and counts it. Nothing is written, and no transaction outlives a call.

    Safe to use from several threads.
    """

    def __init__(self, settings: CatalogSettings, *, timeout: float = 15) -> None:
        """Find the columns. `timeout`: seconds to wait for a locked SQLite file.

        Raises:
            CatalogUnavailable: the database is missing, unreachable or locked.
            CatalogInvalid: no such column, one of another type, or a key of which a value may occur twice.
        """
        self.settings = settings
        self.timeout = timeout
        self.database = SourceDatabase(settings.location, timeout)
        try:
            self.table = self.database.table(settings.table)
            self._key_columns = [column(self.table, name) for name in settings.key_columns]
            self.vector = _binary(self.table, settings.embedding, self.database.is_sqlite)
            self.model = _text(self.table, settings.embedding_model, self.database.is_sqlite)
            self._refuse_ambiguous_key()
        except BaseException:
            self.database.close()
            raise
        self._kinds = [declared_kind(one, self.database.is_sqlite) for one in self._key_columns]

    @property
    def title(self) -> str:
        """What it is called for people."""
        return f"{self.settings.embedding} of {self.settings.table}"

    def at(self, keys: Iterable[str]) -> dict[str, Held]:
        """What the column has for those of the rows that exist.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        key = self.key()
        read = select(*map(self._raw, (*key.expressions, self.model, self.vector)))
        found: dict[str, Held] = {}
        for some in chunks(values for values in map(key.parse, keys) if values is not None):
            for record in self._all(read.where(key.among(some))):
                held = _held(key.text(record), *record[-2:])
                found[held.key] = held
        return found

    def counts(self, model: str, dimension: int) -> ColumnCounts:
        """All rows of the table by what they have; a vector is looked for by a model's name and length.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        length = self._length()
        there, right = length > 0, length == dimension * NUMBERS.itemsize
        named = func.coalesce(self._raw(self.model), "")
        number = func.count()
        totals = select(
            number, _count(there), _count(and_(right, named == model)), _count(and_(there, length != 4 * dimension))
        )
        ((total, with_bytes, with_vector, wrong),) = self._all(totals.select_from(self.table))
        groups = select(named.label("made_by"), length.label("size"), number).select_from(self.table).where(there)
        ranked = groups.group_by("made_by", "size").order_by(number.desc(), "made_by").limit(MOST_MODELS)
        by_model: dict[str, int] = {}
        for name, _, rows in self._all(ranked):
            by_model[str(name)] = by_model.get(str(name), 0) + int(rows)
        if rest := int(with_bytes) - sum(by_model.values()):
            by_model[OTHERS] = by_model.get(OTHERS, 0) + max(rest, 0)
        return ColumnCounts(int(total), int(with_bytes), int(with_vector), int(wrong), by_model)

    def key(self) -> RowKey:
        """The key with its types of values, asked of the first row where the declaration does not tell."""
        if None in self._kinds:
            some = select(*map(self._raw, self._key_columns)).where(*(one.is_not(None) for one in self._key_columns))
            first = self._all(some.order_by(*self._key_columns).limit(1))
            if not first:
                return self._key_of([kind or str for kind in self._kinds])
            self._kinds = [kind or type(value) for kind, value in zip(self._kinds, first[0], strict=True)]
        return self._key_of([kind or str for kind in self._kinds])

    def _key_of(self, kinds: Sequence[type]) -> RowKey:
        return RowKey([KeyColumn(one, kind) for one, kind in zip(self._key_columns, kinds, strict=True)])

    def close(self) -> None:
        self.database.close()

    def _length(self) -> ColumnElement[int]:
        """How many bytes a row has, 0 where none. Text or a number, which SQLite keeps in any column, counts as one."""
        size = func.coalesce(func.length(self._raw(self.vector)), 0)
        if not self.database.is_sqlite:
            return size
        return case((func.typeof(self.vector) == "blob", size), (self.vector.is_(None), 0), else_=1)

    def _raw(self, source: ColumnElement[Any]) -> ColumnElement[Any]:
        return type_coerce(source, NullType()) if self.database.is_sqlite else source

    def _refuse_ambiguous_key(self) -> None:
        if not self.database.is_unique(self.table, self._key_columns):
            key = ", ".join(self.settings.key_columns)
            raise CatalogInvalid(
                f"{key} of {self.settings.table} is not declared as unique, so that a vector could be written to "
                "several rows.",
                "Name the table itself, not a view, with its primary key or a column that has a unique index.",
            )

    def _all(self, query: Any) -> Sequence[Any]:
        with self.database.connection() as connection:
            return connection.execute(query).fetchall()


def as_bytes(vector: ColumnVector) -> bytes:
    """A vector as the column has it."""
    return vector.astype(NUMBERS).tobytes()


def _held(key: str, model: Any, value: Any) -> Held:
    name = "" if model is None else str(model)
    if value is None:
        return Held(key, name)
    if not isinstance(value, bytes | bytearray | memoryview):
        return Held(key, name, problem=f"It holds {type(value).__name__}, not bytes.")
    raw = bytes(value)
    if len(raw) % NUMBERS.itemsize:
        return Held(key, name, problem=f"It holds {len(raw):,} bytes, which is no multiple of {NUMBERS.itemsize}.")
    return Held(key, name, np.frombuffer(raw, NUMBERS).astype(np.float32) if raw else None)


def _binary(table: Table, name: str, is_sqlite: bool) -> Column[Any]:
    found = column(table, name)
    if not isinstance(found.type, LargeBinary) and not (is_sqlite and isinstance(found.type, NullType)):
        raise _another_type(found, "bytes", "embedding", "BLOB in SQLite, bytea in PostgreSQL")
    return found


def _text(table: Table, name: str, is_sqlite: bool) -> Column[Any]:
    found = column(table, name)
    if not isinstance(found.type, String) and not (is_sqlite and isinstance(found.type, NullType)):
        raise _another_type(found, "text", "embedding_model", "TEXT or VARCHAR")
    return found


def _another_type(found: Column[Any], wanted: str, setting: str, such: str) -> CatalogInvalid:
    kind = "a type that is not known here" if isinstance(found.type, NullType) else str(found.type)
    return CatalogInvalid(
        f"The column {found.name!r} of {found.table.name} is {kind}, but {setting} in [catalog] needs one of {wanted}.",
        f"Name a column of {wanted} ({such}), or add one to the table.",
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(case((condition, 1)))


def chunks(values: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    """Keys by as many as one statement asks for."""
    upcoming = iter(values)
    while some := list(islice(upcoming, CHUNK)):
        yield some
