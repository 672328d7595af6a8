"""Indexes over a vector column as PostgreSQL has them, whoever made them."""

from dataclasses import dataclass
from typing import Any

from console_core.vectorstore.pgvector_places import Place
from console_core.vectorstore.pgvector_server import Connection
from console_core.vectorstore.pgvector_words import OPERATOR_CLASSES

_FIND = """
SELECT c.relname, m.amname, o.opcname, coalesce(c.reloptions, '{}'), i.indisvalid
FROM pg_catalog.pg_index i
     JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
     JOIN pg_catalog.pg_am m ON m.oid = c.relam
     JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0]
     JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attname = %s
     JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                                AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum
WHERE i.indrelid = to_regclass(%s) AND m.amname IN ('hnsw', 'ivfflat')
ORDER BY i.indisvalid DESC, m.amname, c.relname LIMIT 1
"""
"""Also an index over an expression, such as half-precision copies, depends on the column."""

_WORDS = {"m": "m", "ef_construction": "ef_construct", "lists": "lists"}


@dataclass(frozen=True, slots=True)
class Built:
    """An index. `valid` is False while it is built, and after a build that was broken off. `distance` is "" where its
    operators are none that the console knows."""

    settings: dict[str, int]
    valid: bool
    method: str = "hnsw"
    distance: str = "cosine"
    name: str = ""

    @property
    def words(self) -> str:
        """What it is, for people: "ivfflat, lists 100, cosine"."""
        settings = [f"{name} {value}" for name, value in self.settings.items()]
        return ", ".join((self.method, *settings, *([self.distance] if self.distance else [])))


def index_on(connection: Connection, place: Place) -> Built | None:
    """The index over the vectors of a place; None where there is none. Of several a valid one, HNSW first."""
    row = connection.execute(_FIND, (place.vector, place.table.as_string())).fetchone()
    if row is None:
        return None
    name, method, operators, options, valid = row
    settings: dict[str, Any] = dict(option.split("=", 1) for option in options)
    return Built(
        settings={_WORDS[option]: int(value) for option, value in settings.items() if option in _WORDS},
        valid=valid,
        method=method,
        distance=next((word for word, ending in OPERATOR_CLASSES.items() if operators.endswith(ending)), ""),
        name=name,
    )
