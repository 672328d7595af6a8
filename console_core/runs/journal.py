"""Who did what, when: append only."""

from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from console_core.database import now
from console_core.runs import tables as t
from console_core.runs.rows import storable
from console_core.runs.types import JournalEntry


def add(connection: Connection, actor: str, action: str, subject: str, detail: str, outcome: str) -> JournalEntry:
    values: dict[str, Any] = {"at": now(), "actor": actor, "action": action, "subject": storable(subject)}
    values |= {"detail": storable(detail), "outcome": outcome}
    number = connection.scalar(insert(t.journal).values(values).returning(t.journal.c.id))
    return JournalEntry(id=int(number or 0), **values)


def entries(
    connection: Connection,
    *,
    limit: int,
    subject: str | None,
    before: int | None,
    actor: str | None,
    action: str | None = None,
) -> list[JournalEntry]:
    query = select(t.journal)
    if action is not None:
        query = query.where(t.journal.c.action == action)
    if actor is not None:
        query = query.where(t.journal.c.actor == actor)
    if subject is not None:
        query = query.where(t.journal.c.subject == subject)
    if before is not None:
        query = query.where(t.journal.c.id < before)
    return [_entry(row) for row in connection.execute(query.order_by(t.journal.c.id.desc()).limit(limit))]


def actors(connection: Connection) -> list[str]:
    return list(connection.scalars(select(t.journal.c.actor).distinct().order_by(t.journal.c.actor)))


def subjects(connection: Connection, *, limit: int) -> list[str]:
    latest = func.max(t.journal.c.id).desc()
    named = select(t.journal.c.subject).where(t.journal.c.subject != "")
    return list(connection.scalars(named.group_by(t.journal.c.subject).order_by(latest).limit(limit)))


def _entry(row: Row[Any]) -> JournalEntry:
    return JournalEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
        outcome=row.outcome,
    )
