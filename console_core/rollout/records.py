"""The decisions about an alias, append-only: introduced, cut over, rolled back; who, when, from what to what."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Integer, Table, Text, delete, insert, select

from console_core.database import Database, Instant, metadata, now
from console_core.errors import LedgerError, OutcomeUnknown

moves = Table(
    "alias_moves",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alias", Text, nullable=False, index=True),
    Column("from_collection", Text, nullable=False),
    Column("to_collection", Text, nullable=False),
    Column("migration", Text, nullable=False),
)


class MoveKind(StrEnum):
    INTRODUCED = "introduced"
    CUT_OVER = "cut over"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class Move:
    """One change of an alias. `before` is "" where the alias was introduced."""

    at: datetime
    actor: str
    kind: MoveKind
    alias: str
    before: str
    after: str
    migration: str


class Moves:
    """All moves of a ledger's aliases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def recorded(
        self, kind: MoveKind, alias: str, before: str, after: str, *, actor: str, migration: str = ""
    ) -> Iterator[Move]:
        """Record a move, then make it in the body; where the body fails, the record is taken back.

        The record comes first so that a crash between the two can never leave a cut-over without a way back. Where
        nobody knows whether the move was made (OutcomeUnknown), the record stays: one that was not made is passed
        over by `cutover.way_back`.
        """
        move = Move(now(), actor, kind, alias, before, after, migration)
        values = {"at": move.at, "actor": actor, "kind": kind.value, "alias": alias, "migration": migration}
        with self._database.transaction() as connection:
            row = connection.execute(
                insert(moves).values(**values, from_collection=before, to_collection=after)
            ).inserted_primary_key
        try:
            yield move
        except OutcomeUnknown:
            raise
        except BaseException:
            with suppress(LedgerError), self._database.transaction() as connection:
                connection.execute(delete(moves).where(moves.c.id == (row or (0,))[0]))
            raise

    def of(self, alias: str = "", limit: int = 100) -> list[Move]:
        """The moves of one alias, or of all; the newest first."""
        query = select(moves).order_by(moves.c.id.desc()).limit(limit)
        if alias:
            query = query.where(moves.c.alias == alias)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Move(r.at, r.actor, MoveKind(r.kind), r.alias, r.from_collection, r.to_collection, r.migration)
            for r in rows
        ]
