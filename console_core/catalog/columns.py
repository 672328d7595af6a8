"""Columns of any type as the console's words: keys as text and back, payload values as JSON, facet values as text."""

import json
import math
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Integer,
    String,
    Uuid,
    bindparam,
    cast,
    false,
    func,
    or_,
)
from sqlalchemy import type_coerce as coerced
from sqlalchemy.types import NullType, TypeEngine

from console_core.catalog.types import JsonValue
from console_core.errors import CatalogInvalid

_PLAIN: frozenset[Any] = frozenset({str, int, bool, type(None)})
_KEY_TYPES: dict[type, Callable[[], TypeEngine[Any]]] = {int: BigInteger, str: String, UUID: Uuid}


class KeyColumn:
    """A column that identifies rows and orders them, alone or with others; of whole numbers, text or UUIDs."""

    def __init__(self, column: Column[Any], kind: type) -> None:
        if kind not in _KEY_TYPES:
            raise CatalogInvalid(
                f"The key column {column.key} holds {kind.__name__} values.",
                "Choose a column of whole numbers, text or UUIDs as the key.",
            )
        self.name = column.key
        self.kind = kind
        self.expression: ColumnElement[Any] = coerced(column, _KEY_TYPES[kind]())

    def parse(self, key: str) -> Any:
        """The database's value of a key; None where no row can have this key."""
        if self.kind is int:
            return whole_number(key)
        if self.kind is UUID:
            try:
                value = UUID(key)
            except ValueError:
                return None
            return value if str(value) == key else None
        return key if is_text(key) else None

    def text(self, value: Any) -> str:
        """The key of a database value.

        Raises:
            CatalogInvalid: NULL, or a value of another type than the column's others.
        """
        if value.__class__ is not self.kind:
            raise CatalogInvalid(
                f"The key column {self.name} holds {value!r}, which is not {self.kind.__name__}.",
                "Choose a key column with one type of value and no NULL.",
            )
        return str(value)


def declared_kind(column: Column[Any], is_sqlite: bool) -> type | None:
    """The Python type of the column's values; None where only the values can tell."""
    if isinstance(column.type, Integer):
        return int
    if isinstance(column.type, String):
        return str
    if isinstance(column.type, NullType) or is_sqlite:
        return None
    try:
        return column.type.python_type
    except NotImplementedError:
        return None


def whole_number(text: str) -> int | None:
    """The 64-bit integer that is written exactly like this, if any."""
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 20:
        return None
    value = int(text)
    return value if str(value) == text and -(2**63) <= value < 2**63 else None


def json_value(value: Any) -> JsonValue:
    """A database value as JSON has it: times as ISO text, decimals as float, structures as JSON text, bytes as None."""
    if value.__class__ in _PLAIN:
        return value  # type: ignore[no-any-return]
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return None
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str, sort_keys=True)
    return str(value)


def converter(column: Column[Any], is_sqlite: bool) -> tuple[frozenset[Any], Callable[[Any], JsonValue]]:
    """Types of values that stay as they are, and how others of the column become JSON.

    SQLite stores truth as 0 and 1, and times as whatever was written.
    """
    if is_sqlite and isinstance(column.type, Boolean):
        return frozenset(), lambda value: bool(value) if value in (0, 1) else json_value(value)
    if is_sqlite and isinstance(column.type, DateTime):
        return frozenset(), _iso
    return _PLAIN, json_value


def _iso(value: Any) -> JsonValue:
    try:
        return datetime.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return json_value(value)


def bound(value: Any, like: ColumnElement[Any], *, several: bool = False) -> BindParameter[Any]:
    """A value, or several for IN, of an expression's type. It is not named after a column, whose name may have letters
    that SQLAlchemy cannot take apart again."""
    return bindparam("value", value, type_=like.type, unique=True, expanding=several)


class FacetColumn:
    """A column that a slice may filter by. NULL and "" are the same facet value, ""."""

    def __init__(self, column: Column[Any]) -> None:
        self._column = column
        self._is_text = not isinstance(column.type, Integer | Boolean)
        self._is_truth = isinstance(column.type, Boolean)
        self._expression = _comparable(column)

    @property
    def grouped(self) -> ColumnElement[Any]:
        """What to group by, and to read from a row."""
        return func.coalesce(self._expression, "") if self._is_text else self._expression

    def text(self, value: Any) -> str:
        """The facet value of a group or row."""
        if value.__class__ is str:
            return value
        if value is None:
            return ""
        if self._is_truth:  # SQLite has numbers for it
            return "true" if value else "false"
        return str(value)

    def is_one_of(self, values: tuple[str, ...]) -> ColumnElement[bool]:
        """The condition that a row's facet value is one of these."""
        wanted = [parsed for parsed in map(self._parse, values) if parsed is not None]
        condition = self._expression.in_(bound(wanted, self._expression, several=True)) if wanted else false()
        return or_(condition, self._column.is_(None)) if "" in values else condition

    def _parse(self, value: str) -> Any:
        if isinstance(self._column.type, Boolean):
            return {"true": True, "false": False}.get(value)
        if isinstance(self._column.type, Integer):
            return whole_number(value)
        return value if is_text(value) else None


def _comparable(column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, Integer):
        return coerced(column, BigInteger())  # a driver would refuse to look for a number that the column cannot hold
    return column if isinstance(column.type, String | Boolean) else cast(column, String)


def is_text(text: str) -> bool:
    """Whether a database can be asked for it: no lone surrogates, no NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
