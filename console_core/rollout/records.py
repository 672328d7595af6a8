"""The decisions about an alias, append-only: introduced, cut over, rolled back; who, when, from what to what."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Integer, Row, Table, Text, delete, insert, select

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
        self,
        kind: MoveKind,
        alias: str,
        before: str,
        after: str,
        *,
        actor: str,
        migration: str = "",
        since: datetime | None = None,
    ) -> Iterator[Move]:
        """Record a move, then make it in the body; where the body fails, the record is taken back.

        The record comes first so that a crash between the two can never leave a cut-over without a way back. Where
        nobody knows whether the move was made (OutcomeUnknown), the record stays: one that was not made is passed
        over by `cutover.way_back`. A run that a crash kept from making its move passes the time `since` which it has
        been wanted: what it recorded then is not recorded again.
        """
        number, move = self._begun(Move(now(), actor, kind, alias, before, after, migration), since)
        try:
            yield move
        except OutcomeUnknown:
            raise
        except BaseException:
            with suppress(LedgerError), self._database.transaction() as connection:
                connection.execute(delete(moves).where(moves.c.id == number))
            raise

    def _begun(self, move: Move, since: datetime | None) -> tuple[int, Move]:
        """The record of a move that is about to be made, and its number: a new one, or the newest where that says the
        same and was written `since`."""
        with self._database.transaction() as connection:
            newest = connection.execute(
                select(moves).where(moves.c.alias == move.alias).order_by(moves.c.id.desc()).limit(1)
            ).first()
            if newest is not None and since is not None and newest.at >= since:
                known = _move(newest)
                if replace(known, at=move.at) == move:
                    return int(newest.id), known
            values = {"at": move.at, "actor": move.actor, "kind": move.kind.value, "alias": move.alias}
            values |= {"from_collection": move.before, "to_collection": move.after, "migration": move.migration}
            number = connection.scalar(insert(moves).values(values).returning(moves.c.id))
            return int(number or 0), move

    def of(self, alias: str = "", limit: int = 100) -> list[Move]:
        """The moves of one alias, or of all; the newest first."""
        query = select(moves).order_by(moves.c.id.desc()).limit(limit)
        if alias:
            query = query.where(moves.c.alias == alias)
        with self._database.reading() as connection:
            return [_move(row) for row in connection.execute(query)]


def _move(row: Row[Any]) -> Move:
    kind, before, after = MoveKind(row.kind), row.from_collection, row.to_collection
    return Move(row.at, row.actor, kind, row.alias, before, after, row.migration)
