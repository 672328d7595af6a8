"""The near points that a search for duplicates has found, as the ledger keeps them."""

from collections.abc import Sequence

from sqlalchemy import Column, Connection, Float, Integer, Table, Text, delete, func, insert, inspect, select

from console_core.database import Database, Json, metadata
from console_core.querylab.grouping import Near

near_points = Table(
    "near_points",
    metadata,
    Column("run", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("collection", Text, nullable=False, index=True),
    Column("one", Json, nullable=False),
    Column("other", Json, nullable=False),
    Column("cosine", Float, nullable=False),
)

_C = near_points.c


class DuplicateRecords:
    """Pairs of near points by run. Of a collection, named by its real name, only the latest run's are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, collection: str) -> None:
        """Forget what earlier runs found in the collection. Harmless twice."""
        with self._database.transaction() as connection:
            _make(connection)
            connection.execute(delete(near_points).where(_C.collection == collection))

    def add(self, run: str, collection: str, pairs: Sequence[Near]) -> None:
        """Record pairs behind those that the run has found before."""
        if not pairs:
            return
        with self._database.transaction() as connection:
            _make(connection)
            before = connection.scalar(select(func.max(_C.number)).where(_C.run == run)) or 0
            rows = [
                {"run": run, "number": number, "collection": collection, **pair._asdict()}
                for number, pair in enumerate(pairs, start=before + 1)
            ]
            connection.execute(insert(near_points), rows)

    def of(self, run: str) -> list[Near]:
        """What a run has found so far, in the order found."""
        query = select(_C.one, _C.other, _C.cosine).where(_C.run == run).order_by(_C.number)
        with self._database.reading() as connection:
            if not inspect(connection).has_table(near_points.name):
                return []
            return [Near(row.one, row.other, row.cosine) for row in connection.execute(query)]


def _make(connection: Connection) -> None:
    """A database may have been opened before this table was known."""
    metadata.create_all(connection, tables=[near_points])
