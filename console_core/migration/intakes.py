"""What was ingested into which collection, as the ledger keeps it: the collection's own catalog."""

from collections.abc import Sequence

from sqlalchemy import Boolean, Column, ColumnElement, Connection, Integer, Table, Text, delete, insert, select, update

from console_core.catalog.intake import Intake, IntakeCatalog, Places
from console_core.catalog.joined import JoinedCatalog
from console_core.catalog.types import ImageCatalog
from console_core.database import Database, metadata

intakes = Table(
    "intakes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("collection", Text, nullable=False, index=True),
    Column("beside", Boolean, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("recursive", Boolean, nullable=False),
    Column("copy", Text, nullable=False),
)

_C = intakes.c


class Intakes:
    """The intakes of every collection, each with the newest one last. A collection is named by its real name.

    A collection that held pictures before the first of them has them `beside` the workspace's catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before this table was known
            metadata.create_all(connection, tables=[intakes])

    def of(self, collection: str) -> list[Intake]:
        """What was ingested into a collection; empty where nothing was."""
        query = select(intakes).where(_C.collection == collection).order_by(_C.number)
        with self._database.reading() as connection:
            return [
                Intake(row.namespace, row.kind, row.location, row.recursive, row.copy)
                for row in connection.execute(query)
            ]

    def add(self, collection: str, intake: Intake, *, beside: bool) -> None:
        """Record an intake as the newest. `beside` counts where it is the collection's first."""
        with self._database.transaction() as connection:
            first = connection.execute(select(_C.beside).where(_C.collection == collection).limit(1)).first()
            connection.execute(delete(intakes).where(_C.collection == collection, *_same(intake)))
            _put(connection, collection, [intake], beside if first is None else first.beside)

    def catalog(self, collection: str, workspace: ImageCatalog, places: Places) -> ImageCatalog:
        """Which pictures a collection is to hold: what was ingested into it, together with the `workspace`'s catalog
        where it was made from that, and the workspace's alone where nothing was ingested.

        Raises:
            CatalogUnavailable, CatalogInvalid: a folder or a list that was ingested cannot be read.
        """
        found = self.of(collection)
        if not found:
            return workspace
        own = IntakeCatalog(found, places)
        return JoinedCatalog(workspace, own) if self._beside(collection) else own

    def inherit(self, collection: str, source: str) -> None:
        """A collection that is built from another one's pictures has the same catalog. Harmless twice."""
        found = self.of(source)
        with self._database.transaction() as connection:
            connection.execute(delete(intakes).where(_C.collection == collection))
            _put(connection, collection, found, bool(found) and self._beside(source))

    def rename(self, collection: str, to: str) -> None:
        """The collection has another name from now on. Harmless twice."""
        with self._database.transaction() as connection:
            connection.execute(update(intakes).where(_C.collection == collection).values(collection=to))

    def forget(self, collection: str) -> None:
        """The collection is gone. Harmless twice."""
        with self._database.transaction() as connection:
            connection.execute(delete(intakes).where(_C.collection == collection))

    def alone(self, collection: str) -> bool:
        """Whether what was ingested is all that a collection is to hold."""
        return bool(self.of(collection)) and not self._beside(collection)

    def _beside(self, collection: str) -> bool:
        with self._database.reading() as connection:
            row = connection.execute(select(_C.beside).where(_C.collection == collection).limit(1)).first()
            return row is not None and bool(row.beside)


def _same(intake: Intake) -> list[ColumnElement[bool]]:
    return [
        _C.namespace == intake.namespace,
        _C.kind == intake.kind,
        _C.location == intake.location,
        _C.recursive == intake.recursive,
        _C.copy == intake.copy,
    ]


def _put(connection: Connection, collection: str, found: Sequence[Intake], beside: bool) -> None:
    if found:
        rows = [{"collection": collection, "beside": beside, **one.as_json()} for one in found]
        connection.execute(insert(intakes), rows)
