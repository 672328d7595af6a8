"""Which points a search may answer with, in SQL over the payload."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql


def filter_for(where: Mapping[str, Sequence[Any]] | None) -> tuple[sql.Composable, list[Any]]:
    """A condition and its parameters: the payload has, in every field, one of the values, or a list with one of them.

    "" and None also stand for a missing field.
    """
    conditions: list[sql.Composable] = [sql.SQL("vector IS NOT NULL")]
    parameters: list[Any] = []
    for name, values in (where or {}).items():
        wanted = ["" if value is None else value for value in values]
        either: sql.Composable = sql.SQL("payload -> %s::text @> ANY(%s::jsonb[])")
        parameters += [name, [json.dumps(value) for value in wanted]]
        if "" in wanted:
            missing = sql.SQL("coalesce(payload -> %s::text, 'null') IN ('null', '[]')")
            either = sql.SQL("({} OR {})").format(either, missing)
            parameters.append(name)
        conditions.append(either)
    return sql.SQL(" AND ").join(conditions), parameters
