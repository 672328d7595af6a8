"""The decisions about shares of an alias' traffic, append-only: who gave which share to which collection, and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Row, Table, Text, func, insert, select

from console_core.database import Database, Instant, metadata, now
from console_core.rollout.buckets import BUCKETS

shares = Table(
    "alias_shares",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("alias", Text, nullable=False),
    Column("serving", Text, nullable=False),
    Column("candidate", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("hundredths", Integer, nullable=False),
    Column("note", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Share:
    """`hundredths` of a percent of an alias' traffic that a candidate answers; 0 is the end of a share, and `note` why.

    `serving` is what the alias served when that was decided, and `fingerprint` that of the candidate.
    """

    at: datetime
    actor: str
    alias: str
    serving: str
    candidate: str
    fingerprint: str
    hundredths: int
    note: str = ""

    @property
    def percent(self) -> float:
        return self.hundredths * 100 / BUCKETS

    def __str__(self) -> str:
        return self.note or f"{self.percent:g} % of the traffic of {self.alias} to {self.candidate}"


class Shares:
    """All shares of a ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, share: Share, *, instead_of: Share | None) -> bool:
        """Record a share, unless somebody else decided something about the alias since `instead_of` (None: nothing)."""
        newest = select(shares).where(shares.c.alias == share.alias).order_by(shares.c.id.desc()).limit(1)
        values = {name: getattr(share, name) for name in Share.__slots__}
        with self._database.transaction() as connection:
            row = connection.execute(newest).first()
            if (None if row is None else _share(row)) != instead_of:
                return False
            connection.execute(insert(shares).values(values))
            return True

    def newest(self, alias: str) -> Share | None:
        """What was decided last about an alias; None where nothing ever was."""
        return next(iter(self.of(alias, limit=1)), None)

    def given(self) -> list[Share]:
        """The newest decision about each alias, where that gives a share."""
        last = select(func.max(shares.c.id)).group_by(shares.c.alias)
        query = select(shares).where(shares.c.id.in_(last), shares.c.hundredths > 0).order_by(shares.c.alias)
        with self._database.reading() as connection:
            return [_share(row) for row in connection.execute(query)]

    def of(self, alias: str = "", limit: int = 100) -> Sequence[Share]:
        """The decisions about one alias, or about all; the newest first."""
        query = select(shares).order_by(shares.c.id.desc()).limit(limit)
        if alias:
            query = query.where(shares.c.alias == alias)
        with self._database.reading() as connection:
            return [_share(row) for row in connection.execute(query)]


def ended(share: Share, actor: str, note: str) -> Share:
    """The record of a share's end, now."""
    return Share(now(), actor, share.alias, share.serving, share.candidate, share.fingerprint, 0, note)


def _share(row: Row[Any]) -> Share:
    return Share(row.at, row.actor, row.alias, row.serving, row.candidate, row.fingerprint, row.hundredths, row.note)
