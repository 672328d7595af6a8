"""The differences that a verification found, as the ledger keeps them: those of a collection's newest one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Row, Table, Text, delete, func, insert, select, update

from console_core.database import Database, Json, metadata
from console_core.migration.difference import Difference, DifferenceKind
from console_core.migration.place import Place
from console_core.runs.rows import storable
from console_core.vectorstore.types import PointId

verifications = Table(
    "verifications",
    metadata,
    Column("run", Text, primary_key=True),
    Column("collection", Text, nullable=False, index=True),
    Column("place", Json, nullable=False),
)

differences = Table(
    "differences",
    metadata,
    Column("run", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("point", Text, nullable=False),
    Column("surplus", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("seen", Text, nullable=False),
    Index("differences_by_kind", "run", "kind", "number"),
    Index("differences_by_point", "run", "point"),
)

TABLES = (verifications, differences)
_CHUNK = 500
_V, _D = verifications.c, differences.c


@dataclass(frozen=True, slots=True)
class Recorded:
    """A difference of a verification. `number` is its place in the order found; the next page begins after it."""

    number: int
    difference: Difference


class Differences:
    """The differences of a ledger's verifications. A verification is named by its run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=TABLES)

    def begin(self, run: str, collection: str) -> Place:
        """Start a verification, over where it was started before."""
        place = Place()
        with self._database.transaction() as connection:
            connection.execute(delete(differences).where(_D.run == run))
            connection.execute(delete(verifications).where(_V.run == run))
            connection.execute(insert(verifications).values(run=run, collection=collection, place=place.as_json()))
        return place

    def place(self, run: str) -> Place | None:
        """How far a verification has come; None where nothing is known of it, or not any more."""
        with self._database.reading() as connection:
            found = connection.scalar(select(_V.place).where(_V.run == run))
        return None if found is None else Place.from_json(found)

    def add(self, run: str, place: Place, found: Iterable[Difference] = ()) -> None:
        """Record differences and how far the verification has come with them, in one transaction."""
        rows = []
        for one in found:
            place.numbered += 1
            rows.append({"run": run, "number": place.numbered, **_columns(one)})
        with self._database.transaction() as connection:
            if rows:
                connection.execute(insert(differences), rows)
            connection.execute(update(verifications).where(_V.run == run).values(place=place.as_json()))

    def settle(self, run: str, place: Place, looked_at: Mapping[int, Difference | None]) -> None:
        """Keep differences by their numbers as they were found again, and forget those that are none any more."""
        with self._database.transaction() as connection:
            for number, one in looked_at.items():
                this = (_D.run == run) & (_D.number == number)
                change = delete(differences) if one is None else update(differences).values(**_columns(one))
                connection.execute(change.where(this))
            connection.execute(update(verifications).where(_V.run == run).values(place=place.as_json()))

    def finished(self, run: str, collection: str) -> None:
        """Forget the differences that earlier verifications of the collection found."""
        with self._database.transaction() as connection:
            older = list(connection.scalars(select(_V.run).where(_V.collection == collection, _V.run != run)))
            for each in older:
                connection.execute(delete(differences).where(_D.run == each))
                connection.execute(delete(verifications).where(_V.run == each))

    def page(
        self,
        run: str,
        *,
        kind: str | None = None,
        surplus: bool | None = None,
        after: int = 0,
        skip: int = 0,
        limit: int = 60,
    ) -> list[Recorded]:
        """A page of a verification's differences behind a number, without the first `skip`, in the order found."""
        query = select(differences).where(_D.run == run, _D.number > after).order_by(_D.number)
        if kind is not None:
            query = query.where(_D.kind == str(kind))
        if surplus is not None:
            query = query.where(_D.surplus.is_(surplus))
        with self._database.reading() as connection:
            return [_recorded(row) for row in connection.execute(query.offset(skip).limit(limit))]

    def counts(self, run: str) -> dict[DifferenceKind, int]:
        """How many differences of each kind a verification found; every kind is in it."""
        query = select(_D.kind, func.count()).where(_D.run == run).group_by(_D.kind)
        with self._database.reading() as connection:
            counted = {row[0]: int(row[1]) for row in connection.execute(query)}
        return {kind: counted.get(kind, 0) for kind in DifferenceKind}

    def surplus(self, run: str) -> int:
        """How many of a verification's differences are points too many."""
        query = select(func.count()).select_from(differences).where(_D.run == run, _D.surplus.is_(True))
        with self._database.reading() as connection:
            return int(connection.scalar(query) or 0)

    def points_among(self, run: str, ids: Collection[PointId]) -> set[PointId]:
        """Those of the points that a difference was recorded for."""
        found: set[PointId] = set()
        wanted = [str(each) for each in ids]
        for start in range(0, len(wanted), _CHUNK):
            query = select(_D.point).where(_D.run == run, _D.point.in_(wanted[start : start + _CHUNK]))
            with self._database.reading() as connection:
                found |= {_point(text) for text in connection.scalars(query)}
        return found

    def examples(self, run: str, each: int) -> dict[str, list[str]]:
        """Up to `each` catalog keys of every kind that was found."""
        kinds = [kind for kind, number in self.counts(run).items() if number]
        return {str(kind): _keys(self.page(run, kind=kind, limit=each)) for kind in kinds}


def _keys(page: Sequence[Recorded]) -> list[str]:
    return [one.difference.key for one in page]


def _columns(one: Difference) -> dict[str, Any]:
    return {
        "kind": str(one.kind),
        "key": storable(one.key),
        "point": str(one.point),
        "surplus": one.is_surplus,
        "detail": storable(one.detail),
        "path": storable(one.path),
        "seen": one.seen,
    }


def _recorded(row: Row[Any]) -> Recorded:
    kind = DifferenceKind(row.kind)
    return Recorded(row.number, Difference(kind, row.key, _point(row.point), row.detail, row.path, row.seen))


def _point(text: str) -> PointId:
    """A point id from its text; only whole numbers consist of digits alone."""
    return int(text) if text.isdecimal() else text
