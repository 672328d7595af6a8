"""What identifies rows and orders them: one column, or several together, and the one text that a key is elsewhere."""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, tuple_

from console_core.catalog.columns import KeyColumn, bound, is_text, whole_number
from console_core.errors import CatalogInvalid

Values = tuple[Any, ...]
"""The database's values of one key, a value for each column."""


class RowKey:
    """One column, whose value as text is the key; or several, whose values are the key as a JSON array, `["acme",7]`.

    A JSON array can be told apart again whatever the values contain, and has one spelling here.
    """

    def __init__(self, columns: Sequence[KeyColumn]) -> None:
        self.columns = tuple(columns)
        self.name = ", ".join(column.name for column in columns)
        self.expressions = tuple(column.expression for column in columns)
        self.width = len(self.columns)
        self.is_numeric = all(column.kind is int for column in columns)

    @property
    def kinds(self) -> str:
        """The types of the values, for people."""
        return ", ".join(column.kind.__name__ for column in self.columns)

    def parse(self, key: str) -> Values | None:
        """The database's values of a key; None where no row can have this key."""
        if self.width == 1:
            value = self.columns[0].parse(key)
            return None if value is None else (value,)
        try:
            told = json.loads(key)
        except (ValueError, RecursionError):
            return None
        if not isinstance(told, list) or len(told) != self.width or not is_text(key):
            return None
        values = tuple(_value(column, one) for column, one in zip(self.columns, told, strict=True))
        return None if None in values or self.text(values) != key else values

    def text(self, record: Sequence[Any]) -> str:
        """The key of a record whose first values are those of the key.

        Raises:
            CatalogInvalid: one is NULL, or of another type than its column's others.
        """
        if self.width == 1:
            value, column = record[0], self.columns[0]
            return str(value) if value.__class__ is column.kind else column.text(value)
        parts = []
        for column, value in zip(self.columns, record, strict=False):
            text = column.text(value)
            parts.append(text if column.kind is int else quoted(text))
        return f"[{','.join(parts)}]"

    def behind(self, values: Values) -> ColumnElement[bool]:
        """The condition that a row comes after a key in the database's own order."""
        if self.width == 1:
            return self.expressions[0] > bound(values[0], self.expressions[0])
        told = (bound(value, expression) for value, expression in zip(values, self.expressions, strict=True))
        behind: ColumnElement[bool] = tuple_(*self.expressions) > tuple_(*told)
        return behind

    def among(self, keys: Sequence[Values]) -> ColumnElement[bool]:
        """The condition that a row's key is one of these."""
        if self.width == 1:
            told = [values[0] for values in keys]
            return self.expressions[0].in_(bound(told, self.expressions[0], several=True))
        # One condition for each key: SQLite reads the whole table for a row of values that is IN a list.
        return or_(*(self._is(values) for values in keys))

    def _is(self, values: Values) -> ColumnElement[bool]:
        told = zip(self.expressions, values, strict=True)
        return and_(*(expression == bound(value, expression) for expression, value in told))

    def known(self, key: str, where: str) -> Values:
        """The database's values of a key that was read before.

        Raises:
            CatalogInvalid: no row can have it.
        """
        values = self.parse(key)
        if values is None:
            raise CatalogInvalid(
                f"{key!r} is not a key of {where}: {self.name} holds {self.kinds} values.",
                "Start again from the beginning; the catalog's key column was changed.",
            )
        return values


def _value(column: KeyColumn, told: Any) -> Any:
    if column.kind is int:
        return whole_number(str(told)) if told.__class__ is int else None
    return column.parse(told) if told.__class__ is str and is_text(told) else None
