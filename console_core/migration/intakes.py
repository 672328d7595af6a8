"""What was ingested into which collections, as the ledger keeps it: their own catalog.

Collections that migrations made of one another are a line, and what is ingested into one of them belongs to all: so
a target gets what its source was given meanwhile, and the former collection what the new one is given.
"""

import secrets
from collections.abc import Collection, Sequence

from sqlalchemy import Boolean, Column, ColumnElement, Connection, Integer, Table, Text, delete, insert, select, update

from console_core.catalog.intake import Ingested, Intake
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.intake_members import Members
from console_core.catalog.joined import JoinedCatalog
from console_core.catalog.types import ImageCatalog
from console_core.database import Database, metadata

intakes = Table(
    "intakes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("line", Text, nullable=False, index=True),
    Column("beside", Boolean, nullable=False),
    Column("namespace", Text, nullable=False),
    Column("kind", Text, nullable=False),  # _EMPTIED: there is no other row of the line
    Column("location", Text, nullable=False),
    Column("recursive", Boolean, nullable=False),
    Column("copy", Text, nullable=False),
)

lines = Table(
    "intake_lines",
    metadata,
    Column("collection", Text, primary_key=True),
    Column("line", Text, nullable=False, index=True),
)

_C, _L = intakes.c, lines.c
_EMPTIED = "emptied"


class Intakes:
    """The intakes of every collection, which is named by its real name.

    A line that held pictures before the first of them has them beside the workspace's catalog.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[intakes, lines])

    def of(self, collection: str) -> list[Intake]:
        """What was ingested into a collection or others of its line; empty where nothing was."""
        return list(self.ingested(collection).intakes)

    def ingested(self, collection: str) -> Ingested:
        """The same, with whether it is beside the workspace's catalog."""
        with self._database.reading() as connection:
            return _ingested(connection, _line(connection, collection))

    def line(self, collection: str) -> list[str]:
        """The collections that what is ingested into this one belongs to, by name: itself at least."""
        with self._database.reading() as connection:
            line = _line(connection, collection)
            return sorted({collection, *connection.scalars(select(_L.collection).where(_L.line == line))})

    def catalog(self, collection: str, workspace: ImageCatalog, members: Members) -> ImageCatalog:
        """Which pictures a collection is to hold: what was ingested into it, together with the `workspace`'s catalog
        where it was made from that, and the workspace's alone where nothing ever was.

        Raises:
            CatalogUnavailable, CatalogInvalid: a folder or a list that was ingested cannot be read.
        """
        found = self.ingested(collection)
        if not found:
            return workspace
        own = IntakeCatalog(found.intakes, members.places, members=members, collection=collection)
        return JoinedCatalog(workspace, own) if found.beside else own

    def add(self, collection: str, intake: Intake, *, beside: bool) -> None:
        """Record an intake as the newest of a collection's line. `beside` counts where it is the line's first.

        Where the line was begun by a migration, its pictures were the workspace's before.
        """
        with self._database.transaction() as connection:
            line = _line(connection, collection) or _begun(connection, collection)
            known = _ingested(connection, line)
            members = connection.scalars(select(_L.collection).where(_L.line == line)).all()
            connection.execute(delete(intakes).where(_C.line == line, *_same(intake)))
            _put(connection, line, [intake], known.beside if known else beside or len(members) > 1)

    def remove(self, collection: str, gone: Collection[Intake]) -> None:
        """These do not belong to the collection's line any more: its pictures that no other intake tells have left the
        catalog. The line keeps a catalog of its own, without any of them if need be. Harmless twice."""
        with self._database.transaction() as connection:
            line = _line(connection, collection)
            known = _ingested(connection, line)
            for one in gone:
                connection.execute(delete(intakes).where(_C.line == line, *_same(one)))
            if known.intakes and not _ingested(connection, line).intakes:
                _empty(connection, line, known.beside)

    def share(self, collection: str, source: str, *, anew: bool) -> None:
        """A collection that is built from another one's pictures is of its line from now on. Harmless twice.

        `anew`: it is made only now, and what stands under its name is of one that is gone; else what was ingested into
        it comes along.
        """
        with self._database.transaction() as connection:
            line, own = _line(connection, source) or _begun(connection, source), _line(connection, collection)
            if line == own:
                return
            here, brought = _ingested(connection, line), Ingested() if anew else _ingested(connection, own)
            _leave(connection, collection)
            connection.execute(insert(lines).values(collection=collection, line=line))
            if brought:
                beside = here.beside or brought.beside or not here
                connection.execute(update(intakes).where(_C.line == line).values(beside=beside))
                _put(connection, line, [one for one in brought.intakes if one not in here.intakes], beside)
                if not here and not brought.intakes:
                    _empty(connection, line, beside)

    def put_back(self, collection: str, ingested: Ingested) -> None:
        """A collection that was made of a copy of another has what was ingested into that one, and a line of its own.

        Harmless twice.
        """
        with self._database.transaction() as connection:
            _leave(connection, collection)
            if ingested:
                line = _begun(connection, collection)
                _put(connection, line, ingested.intakes, ingested.beside)
                if ingested.emptied:
                    _empty(connection, line, ingested.beside)

    def rename(self, collection: str, to: str) -> None:
        """The collection has another name from now on. Harmless twice."""
        with self._database.transaction() as connection:
            if _line(connection, collection):
                _leave(connection, to)
                connection.execute(update(lines).where(_L.collection == collection).values(collection=to))

    def forget(self, collection: str) -> None:
        """The collection is gone, or is about to be made. Harmless twice."""
        with self._database.transaction() as connection:
            _leave(connection, collection)

    def alone(self, collection: str) -> bool:
        """Whether what was ingested is all that a collection is to hold."""
        found = self.ingested(collection)
        return bool(found) and not found.beside


def _line(connection: Connection, collection: str) -> str:
    return connection.scalar(select(_L.line).where(_L.collection == collection)) or ""


def _begun(connection: Connection, collection: str) -> str:
    """A line of this collection alone."""
    line = f"l-{secrets.token_hex(6)}"
    connection.execute(insert(lines).values(collection=collection, line=line))
    return line


def _leave(connection: Connection, collection: str) -> None:
    """Take a collection out of its line; with the last of them goes what was ingested."""
    line = _line(connection, collection)
    connection.execute(delete(lines).where(_L.collection == collection))
    if connection.execute(select(_L.line).where(_L.line == line).limit(1)).first() is None:
        connection.execute(delete(intakes).where(_C.line == line))


def _ingested(connection: Connection, line: str) -> Ingested:
    rows = connection.execute(select(intakes).where(_C.line == line).order_by(_C.number)).all()
    told = [row for row in rows if row.kind != _EMPTIED]
    found = [Intake(row.namespace, row.kind, row.location, row.recursive, row.copy) for row in told]
    return Ingested(tuple(found), any(row.beside for row in rows), emptied=bool(rows) and not found)


def _same(intake: Intake) -> list[ColumnElement[bool]]:
    return [
        _C.namespace == intake.namespace,
        _C.kind == intake.kind,
        _C.location == intake.location,
        _C.recursive == intake.recursive,
        _C.copy == intake.copy,
    ]


def _put(connection: Connection, line: str, found: Sequence[Intake], beside: bool) -> None:
    if found:
        connection.execute(delete(intakes).where(_C.line == line, _C.kind == _EMPTIED))
        connection.execute(insert(intakes), [{"line": line, "beside": beside, **one.as_json()} for one in found])


def _empty(connection: Connection, line: str, beside: bool) -> None:
    """A row that only says that all of the line's intakes were forgotten."""
    none = {"namespace": "", "kind": _EMPTIED, "location": "", "recursive": False, "copy": ""}
    connection.execute(insert(intakes).values(line=line, beside=beside, **none))
