"""Which collections are kept in step with the catalog, since when and until when, as the ledger keeps it."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Boolean, Column, Row, Table, Text, delete, insert, select, update

from console_core.catalog.types import EVERYTHING, Slice
from console_core.database import Database, Instant, Json, metadata, now

follows = Table(
    "follows",
    metadata,
    Column("id", Text, primary_key=True),
    Column("collection", Text, nullable=False, index=True),
    Column("model", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("part", Json, nullable=False),
    Column("alias", Text, nullable=False),
    Column("beside", Text, nullable=False),
    Column("migration", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("ended_at", Instant),
    Column("stocked", Boolean, nullable=False),
    Column("checked_at", Instant),
    Column("lag", Json),
    Column("note", Text, nullable=False),
)

accepted = Table(
    "follow_accepted",
    metadata,
    Column("follow", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("revision", Text, nullable=False),
)

_F, _A = follows.c, accepted.c
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Lag:
    """How many pictures of the catalog a collection is behind: added, edited and deleted since."""

    added: int = 0
    edited: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        return self.added + self.edited + self.deleted

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{name: int(data.get(name, 0)) for name in cls.__slots__})

    def __str__(self) -> str:
        said = [f"{number:,} {word}" for word, number in asdict(self).items() if number]
        return ", ".join(said) or "none"


@dataclass(frozen=True, slots=True)
class Follow:
    """A collection that is kept in step with the catalog's slice `part`.

    `model` with `fingerprint` embeds what changed. A `stocked` follow knows what was odd when it began and leaves
    that as it was: gaps, orphans, and points that do not say their revision. `beside` is the collection that served
    then; it tells what changed since `since`. `until` None: as long as its migration waits. `checked_at` and `lag`
    are of the last look, None before it; `note` says why it waits or why it ended.
    """

    id: str
    collection: str
    model: str
    fingerprint: str
    part: Slice
    alias: str
    beside: str
    migration: str
    since: datetime
    until: datetime | None
    ended_at: datetime | None
    stocked: bool
    checked_at: datetime | None
    lag: Lag | None
    note: str


class Follows:
    """All follows of a ledger. A collection has at most one that has not ended."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=[follows, accepted])

    def begin(
        self,
        collection: str,
        *,
        model: str,
        fingerprint: str,
        part: Slice = EVERYTHING,
        alias: str = "",
        beside: str = "",
        migration: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        stocked: bool = False,
    ) -> Follow:
        """Follow a collection; where it is followed already, that goes on with the later end."""
        with self._database.transaction() as connection:
            row = connection.execute(_active(collection).with_for_update()).first()
            if row is None:
                identifier = f"f-{secrets.token_hex(3)}"
                values = {"id": identifier, "collection": collection, "model": model, "fingerprint": fingerprint}
                values |= {"alias": alias, "beside": beside, "migration": migration, "note": ""}
                connection.execute(
                    insert(follows).values(
                        **values, part=asdict(part), since=since or now(), until=until, stocked=stocked
                    )
                )
            else:
                identifier = row.id
                later = None if until is None else max(until, row.until or until)
                connection.execute(update(follows).where(_F.id == identifier).values(until=later))
        return self.get(identifier)

    def get(self, identifier: str) -> Follow:
        with self._database.reading() as connection:
            return _follow(connection.execute(select(follows).where(_F.id == identifier)).one())

    def active(self) -> list[Follow]:
        """Those that have not ended; the ones that must take stock first lead."""
        query = select(follows).where(_F.ended_at.is_(None)).order_by(_F.stocked, _F.since)
        with self._database.reading() as connection:
            return [_follow(row) for row in connection.execute(query)]

    def of(self, collection: str) -> Follow | None:
        """The newest follow of a collection, ended or not."""
        query = select(follows).where(_F.collection == collection).order_by(_F.since.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _follow(row)

    def checked(self, identifier: str, lag: Lag | None, note: str = "") -> None:
        """Write down the last look; `lag` None: there was none, for the reason in `note`."""
        values: dict[str, Any] = {"note": note}
        if lag is not None:
            values |= {"lag": asdict(lag), "checked_at": now()}
        self._change(identifier, values)

    def end(self, identifier: str, note: str) -> None:
        """Follow no longer. What was accepted is kept, so that its lag can still be told exactly."""
        self._change(identifier, {"ended_at": now(), "note": note})

    def took_stock(self, identifier: str) -> None:
        self._change(identifier, {"stocked": True})

    def accept(self, identifier: str, revisions: Mapping[str, str]) -> None:
        """Accept pictures as they stand in the collection, for as long as the catalog has them at this revision.

        The revision "" stands for a picture that the catalog does not have.
        """
        rows = [{"follow": identifier, "key": key, "revision": revision} for key, revision in revisions.items()]
        with self._database.transaction() as connection:
            for some in _chunks(list(revisions)):
                connection.execute(delete(accepted).where(_A.follow == identifier, _A.key.in_(some)))
            if rows:
                connection.execute(insert(accepted), rows)

    def forget(self, identifier: str, keys: Sequence[str]) -> None:
        """Accept these pictures no longer: what was accepted of them has been changed."""
        with self._database.transaction() as connection:
            for some in _chunks(keys):
                connection.execute(delete(accepted).where(_A.follow == identifier, _A.key.in_(some)))

    def accepted(self, identifier: str, keys: Sequence[str]) -> dict[str, str]:
        """Key → revision of those of the keys that were accepted."""
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for some in _chunks(keys):
                query = select(_A.key, _A.revision).where(_A.follow == identifier, _A.key.in_(some))
                found |= {row.key: row.revision for row in connection.execute(query)}
        return found

    def _change(self, identifier: str, values: Mapping[str, Any]) -> None:
        with self._database.transaction() as connection:
            connection.execute(update(follows).where(_F.id == identifier).values(**values))


def _active(collection: str) -> Any:
    return select(follows).where(_F.collection == collection, _F.ended_at.is_(None))


def _chunks(keys: Sequence[str]) -> list[list[str]]:
    return [list(keys[start : start + _CHUNK]) for start in range(0, len(keys), _CHUNK)]


def _follow(row: Row[Any]) -> Follow:
    fields = {name: getattr(row, name) for name in Follow.__slots__}
    fields["part"] = Slice.from_json(row.part)
    fields["lag"] = None if row.lag is None else Lag.from_json(row.lag)
    return Follow(**fields)
