"""Which collections and aliases there are in a database that keeps vectors as bytes.

As in PostgreSQL with pgvector, `table.column` is a column of an application's table and `table.embedding`, the name of
the column that applications search, an alias.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    insert,
    inspect,
    select,
)
from sqlalchemy import delete as delete_from

from console_core.errors import StoreError
from console_core.settings import TableSettings
from console_core.vectorstore import refusals
from console_core.vectorstore.blob_homes import Home, altered, home_of, length_of, own_name, quoted, type_of
from console_core.vectorstore.blob_places import OwnTable, Place, TableColumn, own_table
from console_core.vectorstore.types import CollectionSpec, ModelStamp

PAYLOAD = "_console"
_TABLES = MetaData()
_COLLECTIONS = Table(
    "console_collections",
    _TABLES,
    Column("name", Text, primary_key=True),
    Column("relation", Text, nullable=False),
    *(Column(name, Text, nullable=False) for name in ("distance", "vector_name", "model", "fingerprint", "preprocess")),
    Column("dimension", Integer, nullable=False),
    Column("index", JSON, nullable=False),
    Column("quantization", JSON, nullable=False),
)
_ALIASES = Table(
    "console_aliases",
    _TABLES,
    Column("alias", Text, primary_key=True),
    Column("collection", Text, nullable=False),
)
OURS = ("console_collections", "console_aliases")


@dataclass(frozen=True, slots=True)
class Kept:
    """A collection. `index` and `quantization` are as they were asked for."""

    name: str
    place: Place
    dimension: int
    distance: str
    vector_name: str = ""
    stamp: ModelStamp | None = None
    index: Mapping[str, Any] = field(default_factory=dict)
    quantization: Mapping[str, Any] = field(default_factory=dict)

    @property
    def own(self) -> str:
        """The name of a column while nobody searches it."""
        return self.name.partition(".")[2]


class BlobRegistry:
    """Reads and changes what there is, in transactions that the caller has opened."""

    def __init__(self, place: str, tables: Sequence[TableSettings]) -> None:
        self._place = place
        self._tables = {table.name: table for table in tables}

    def make(self, connection: Connection) -> None:
        _TABLES.create_all(connection)

    def made(self, connection: Connection) -> bool:
        known = inspect(connection)
        return all(known.has_table(name) for name in OURS)

    def home(self, connection: Connection, name: str) -> tuple[Home, str] | None:
        """The table, and the column, that a name means: `table.column`."""
        label, dot, column = name.partition(".")
        if not (dot and column and label in self._tables):
            return None
        return home_of(connection, self._tables[label]), column

    def aliases(self, connection: Connection) -> dict[str, str]:
        """Alias → collection."""
        rows = connection.execute(select(_ALIASES)).all() if self.made(connection) else ()
        found = {row[0]: row[1] for row in rows}
        for settings in self._tables.values():
            home = home_of(connection, settings)
            found.setdefault(home.alias, f"{settings.name}.{own_name(connection, home)}")
        return found

    def collections(self, connection: Connection) -> list[Kept]:
        names = connection.execute(select(_COLLECTIONS.c.name)).scalars().all() if self.made(connection) else []
        own = [self.kept(connection, name) for name in names if self.home(connection, name) is None]
        homes = [home_of(connection, settings) for settings in self._tables.values()]
        return own + [kept for home in homes for kept in self._within(connection, home)]

    def kept(self, connection: Connection, name: str) -> Kept:
        """A collection by its name or an alias.

        Raises:
            CollectionNotFound
        """
        name = self.aliases(connection).get(name, name)
        if (found := self.home(connection, name)) is not None:
            for kept in self._within(connection, found[0]):
                if kept.name == name:
                    return kept
        elif (row := self._row(connection, name)) is not None:
            return _kept(name, OwnTable(own_table(row["relation"])), row)
        raise self.missing(name)

    def missing(self, name: str) -> StoreError:
        return refusals.not_found(name, self._place)

    def add(self, connection: Connection, name: str, spec: CollectionSpec) -> None:
        """Make an empty collection: a table of its own, or a column of an application's."""
        if (found := self.home(connection, name)) is not None:
            home, own = found
            for column, kind in ((own, "BLOB"), (f"{own}{PAYLOAD}", "TEXT")):
                altered(connection, home, f"ADD COLUMN {quoted(connection, column)} {type_of(connection, kind)}")
            self._keep_searched(connection, home)
            self._put(connection, name, home.table.name, spec)
            return
        table = own_table(name)
        self._put(connection, name, table.name, spec)
        table.create(connection)

    def taken(self, connection: Connection, name: str) -> bool:
        """Whether a column's or a table's name is used by something that the console did not make."""
        if (found := self.home(connection, name)) is not None:
            home, own = found
            return own in home.table.c or f"{own}{PAYLOAD}" in home.table.c
        return inspect(connection).has_table(name) or name in OURS

    def stamp(self, connection: Connection, kept: Kept, stamp: ModelStamp) -> None:
        self.make(connection)
        if (found := self.home(connection, kept.name)) is not None:
            self._keep_searched(connection, found[0])
        spec = CollectionSpec(
            kept.dimension, kept.distance, stamp, kept.index, kept.quantization, vector_name=kept.vector_name
        )
        self._put(connection, kept.name, str(kept.place.table.name), spec)

    def remember(self, connection: Connection, kept: Kept) -> None:
        """Write down what is known of a column of the application's, before it is no longer the searched one."""
        if self._row(connection, kept.name) is None:
            spec = CollectionSpec(kept.dimension, kept.distance, kept.stamp, kept.index, kept.quantization)
            self._put(connection, kept.name, str(kept.place.table.name), spec)

    def drop(self, connection: Connection, kept: Kept) -> None:
        if (found := self.home(connection, kept.name)) is not None:
            home, own = found
            for column in (own, f"{own}{PAYLOAD}"):
                if column in home.table.c:
                    altered(connection, home, f"DROP COLUMN {quoted(connection, column)}")
        elif isinstance(kept.place, OwnTable):
            kept.place.table.drop(connection)
        if self.made(connection):
            connection.execute(delete_from(_COLLECTIONS).where(_COLLECTIONS.c.name == kept.name))

    def point(self, connection: Connection, alias: str, to: str) -> None:
        connection.execute(delete_from(_ALIASES).where(_ALIASES.c.alias == alias))
        connection.execute(insert(_ALIASES).values(alias=alias, collection=to))

    def with_payload(self, connection: Connection, kept: Kept) -> Kept:
        """A collection that payloads can be written to."""
        found = self.home(connection, kept.name)
        if found is None or not isinstance(kept.place, TableColumn) or kept.place.payload is not None:
            return kept
        name = quoted(connection, f"{kept.own}{PAYLOAD}")
        altered(connection, found[0], f"ADD COLUMN {name} {type_of(connection, 'TEXT')}")
        return self.kept(connection, kept.name)

    def _within(self, connection: Connection, home: Home) -> list[Kept]:
        searched = own_name(connection, home, self._searched(connection, home))
        found = []
        for column in home.table.c:
            if isinstance(column.type, LargeBinary):
                own = searched if column.name == home.settings.vector else column.name
                found.append(self._column(connection, home, column, own))
        return found

    def _column(self, connection: Connection, home: Home, column: Column[Any], own: str) -> Kept:
        name = f"{home.settings.name}.{own}"
        row = self._row(connection, name)
        length = length_of(connection, home, column)
        if row is not None and length not in (0, row["dimension"]):  # somebody else filled it anew
            row = {**row, "dimension": length, "fingerprint": ""}
        row = row or {"dimension": length, "distance": home.settings.distance, "fingerprint": "", "vector_name": ""}
        shown = home.settings.payload or tuple(
            one.name for one in home.table.c if not isinstance(one.type, LargeBinary) and not one.name.endswith(PAYLOAD)
        )
        place = TableColumn(
            table=home.table,
            key=home.table.c[home.settings.key],
            vector=column,
            payload=home.table.c.get(f"{own}{PAYLOAD}"),
            shown=tuple(home.table.c[one] for one in shown),
            dimension=row["dimension"],
            keyed_by_uuid=isinstance(home.table.c[home.settings.key].type, Uuid),
        )
        return _kept(name, place, row)

    def _searched(self, connection: Connection, home: Home) -> str:
        if not self.made(connection):
            return ""
        query = select(_ALIASES.c.collection).where(_ALIASES.c.alias == home.alias)
        return (connection.execute(query).scalar() or "").partition(".")[2]

    def _keep_searched(self, connection: Connection, home: Home) -> None:
        """Write down what the searched column is called otherwise, before anything depends on it."""
        if not self._searched(connection, home):
            self.point(connection, home.alias, f"{home.settings.name}.{own_name(connection, home)}")

    def _row(self, connection: Connection, name: str) -> dict[str, Any] | None:
        if not self.made(connection):
            return None
        row = connection.execute(select(_COLLECTIONS).where(_COLLECTIONS.c.name == name)).mappings().first()
        return dict(row) if row is not None else None

    def _put(self, connection: Connection, name: str, relation: str, spec: CollectionSpec) -> None:
        stamp = spec.stamp or ModelStamp("", "")
        connection.execute(delete_from(_COLLECTIONS).where(_COLLECTIONS.c.name == name))
        connection.execute(
            insert(_COLLECTIONS).values(
                name=name,
                relation=relation,
                distance=spec.distance,
                vector_name=spec.vector_name,
                model=stamp.model,
                fingerprint=stamp.fingerprint,
                preprocess=stamp.preprocess,
                dimension=spec.dimension,
                index=dict(spec.index),
                quantization=dict(spec.quantization),
            )
        )


def _kept(name: str, place: Place, row: Mapping[str, Any]) -> Kept:
    stamp = ModelStamp(row["model"], row["fingerprint"], row["preprocess"]) if row["fingerprint"] else None
    return Kept(
        name=name,
        place=place,
        dimension=row["dimension"],
        distance=row["distance"],
        vector_name=row["vector_name"],
        stamp=stamp,
        index=row.get("index", {}),
        quantization=row.get("quantization", {}),
    )
