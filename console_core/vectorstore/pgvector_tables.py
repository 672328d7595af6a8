"""An application's own tables as they are now: their columns, and what tells their rows apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from console_core.errors import StoreRefused
from console_core.settings import TableSettings
from console_core.vectorstore.pgvector_places import KeyKind
from console_core.vectorstore.pgvector_server import Connection, PostgresServer
from console_core.vectorstore.pgvector_words import LONGEST_NAME, OPERATORS, relation

PAYLOAD = "_console"
"""How the names of columns end that the console adds beside vectors, for what belongs to them."""

_KEYS: dict[str, KeyKind] = {"int2": "number", "int4": "number", "int8": "number", "uuid": "uuid"}
_NOT_SHOWN = frozenset({"vector", "halfvec", "sparsevec", "bit", "varbit", "bytea", "tsvector"})
"""Types of columns that are no payload."""

_FIND = """
SELECT n.nspname, c.relname, c.relkind::text
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS wanted (schema, name, place)
     JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
     JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY wanted.place LIMIT 1
"""
_COLUMNS = """
SELECT a.attname, t.typname, a.atttypmod, a.attnotnull, a.attgenerated <> '', a.attnum,
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
               AND i.indnkeyatts = 1 AND i.indisunique AND i.indisvalid AND i.indpred IS NULL)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column. `length` is that of a vector type, -1 where it is left open."""

    name: str
    type: str
    length: int
    required: bool
    generated: bool
    number: int
    unique: bool


@dataclass(frozen=True, slots=True)
class Home:
    """A table that vectors are in, as it was when it was looked at; it keeps its columns until the transaction ends."""

    settings: TableSettings
    schema: str
    relation: str
    attributes: dict[str, Attribute]

    @property
    def table(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.relation)

    @property
    def shown_name(self) -> str:
        return f"{self.schema}.{self.relation}"

    @property
    def key_kind(self) -> KeyKind:
        return _KEYS[self.attributes[self.settings.key].type]

    @property
    def vectors(self) -> list[Attribute]:
        return [column for column in self.attributes.values() if column.type == "vector" and not column.generated]

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns that are a row's payload."""
        if self.settings.payload:
            return self.settings.payload
        ours = {payload_column(column.name) for column in self.vectors}
        others = {name: column for name, column in self.attributes.items() if name not in ours and "%" not in name}
        return tuple(
            name for name, column in others.items() if column.type not in _NOT_SHOWN and not name.endswith(PAYLOAD)
        )


def payload_column(own: str) -> str:
    """The name of the column with the payload of a vector column that is called so while nobody searches it."""
    return relation(f"{own}{PAYLOAD}")


def check(settings: Sequence[TableSettings]) -> None:
    """Refuse what no database could mend.

    Raises:
        StoreRefused
    """
    for table in settings:
        if table.distance not in OPERATORS:
            raise StoreRefused(
                f'[store.tables.{table.name}] has "{table.distance}", which is not a distance.',
                f"Use one of: {', '.join(OPERATORS)}.",
            )


class Tables:
    """Finds the tables of the settings. Once found, a table keeps its columns' names until the transaction ends."""

    def __init__(self, server: PostgresServer, settings: Sequence[TableSettings]) -> None:
        self._server = server
        self.settings = {table.name: table for table in settings}
        self._found: dict[str, tuple[str, str]] = {}

    def of(self, name: str) -> tuple[TableSettings, str] | None:
        """The settings and the column of a collection or alias that is called `table.column`; None where none is."""
        label, dot, column = name.partition(".")
        return (self.settings[label], column) if dot and column and label in self.settings else None

    def look(self, connection: Connection, settings: TableSettings, mode: str = "ACCESS SHARE") -> Home:
        """A table, locked against changes of its columns, or in a stronger mode.

        Raises:
            StoreRefused: it does not exist, or is nothing that vectors can be kept in as configured.
        """
        schema, name = self._found.get(settings.name) or self._find(connection, settings)
        table = sql.Identifier(schema, name)
        connection.execute(sql.SQL("LOCK TABLE {} IN {} MODE").format(table, sql.SQL(mode)))
        attributes = {row[0]: Attribute(*row) for row in connection.execute(_COLUMNS, (table.as_string(),))}
        self._found[settings.name] = schema, name
        home = Home(settings, schema, name, attributes)
        _check(home)
        return home

    def _find(self, connection: Connection, settings: TableSettings) -> tuple[str, str]:
        text = settings.table
        dots = [place for place, letter in enumerate(text) if letter == "."]
        candidates = [("public", text), *((text[:dot], text[dot + 1 :]) for dot in dots)]
        row = connection.execute(_FIND, ([one[0] for one in candidates], [one[1] for one in candidates])).fetchone()
        where = f"[store.tables.{settings.name}]"
        if row is None:
            raise StoreRefused(
                f"{where} names the table {text}, which {self._server.location} does not have.",
                'Write table = "schema.table"; without a schema it is looked for in public.',
            )
        schema, name, kind = row
        if kind != "r":
            raise StoreRefused(
                f"{where}: {text} is {_KINDS[kind]}, and vector columns can only be added to an ordinary table.",
                "Name the table that it reads, or build a collection of the console's own beside it.",
            )
        return schema, name


_KINDS = {"p": "a partitioned table", "v": "a view", "m": "a materialized view", "f": "a foreign table"}


def _check(home: Home) -> None:
    settings = home.settings
    where = f"[store.tables.{settings.name}]"
    for name in (settings.key, settings.vector, *settings.payload):
        if name not in home.attributes:
            known = ", ".join(home.attributes)
            raise StoreRefused(f'{where}: {home.shown_name} has no column "{name}".', f"Its columns are: {known}.")
    for name in (home.schema, home.relation, settings.key, settings.vector, *settings.payload):
        if "%" in name:  # the driver would take it for the place of a parameter
            raise StoreRefused(f'{where}: the console cannot work with "{name}", because of its "%".', "Rename it.")
    key, vector = home.attributes[settings.key], home.attributes[settings.vector]
    if key.type not in _KEYS or not key.required or not key.unique:
        raise StoreRefused(
            f'{where}: the column "{key.name}" of {home.shown_name} ({key.type}) cannot tell its rows apart.',
            "Name a column of whole numbers or UUIDs that is unique and NOT NULL; with another kind of key, build a "
            "collection of the console's own beside the table.",
        )
    if vector.type != "vector" or vector.generated:
        raise StoreRefused(
            f'{where}: the column "{vector.name}" of {home.shown_name} is {vector.type}, not vector.',
            "Name the column of type vector that applications search.",
        )


def check_name(own: str) -> None:
    """Refuse a name that no column can have.

    Raises:
        StoreRefused
    """
    if "%" in own:
        raise StoreRefused(f'"{own}" has a "%", which the console does not give a column.', "Choose another name.")
    if len(own.encode()) > LONGEST_NAME:
        raise StoreRefused(
            f'"{own}" cannot be the name of a column: PostgreSQL keeps {LONGEST_NAME} bytes of one.',
            "Choose a shorter name for the target.",
        )
