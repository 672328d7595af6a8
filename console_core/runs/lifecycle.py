"""How a run changes its state: submitted, claimed, asked, finished, recovered. One function per change."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from console_core.database import now
from console_core.errors import Refused
from console_core.runs import control, samples, waits
from console_core.runs import tables as t
from console_core.runs.rows import RunRow, counts_of, read, read_working, storable
from console_core.runs.types import TERMINAL, WORKING, Lane, RunState, Verb

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_STOPPED = TERMINAL | {RunState.FAILED, RunState.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Submission:
    """A run that shall be queued; see `Ledger.submit`."""

    kind: str
    lane: Lane
    title: str
    target: str
    spec: Mapping[str, Any]
    actor: str
    migration: str
    selected: int
    writes: bool


def submit(connection: Connection, wanted: Submission) -> str:
    """Queue a new run; returns its id."""
    target, writes = wanted.target, wanted.writes
    if writes:
        holder = connection.execute(select(t.runs).where(t.runs.c.holds == target)).first()
        if holder is not None and not _spent(holder):
            raise _held(target, holder)
        if holder is not None:
            reason = f"{holder.reason} Closed when the next run began, as nothing was left to do."
            _change(connection, holder, RunState.CANCELLED, now(), reason=reason)
    moment, run_id = now(), _new_id(connection)
    row = {
        "kind": wanted.kind,
        "lane": wanted.lane.value,
        "title": wanted.title,
        "spec": wanted.spec,
        "created_by": wanted.actor,
        "migration": wanted.migration,
        "id": run_id,
        "target": target,
        "writes": writes,
        "holds": target if writes else None,
        "state": RunState.QUEUED.value,
        "selected": wanted.selected,
        "skipped": {},
        "failed": {},
        "created_at": moment,
        "queued_at": moment,
    }
    try:
        connection.execute(insert(t.runs).values(row))
    except IntegrityError as error:  # on a server other than PostgreSQL one can come between look and insert
        raise _held(target, None) from error
    return run_id


def claim(connection: Connection, lane: Lane, owner: str, only: str | None, closed: Collection[str] = ()) -> str | None:
    """Open an attempt at the run that has been queued longest in a lane, those that are `closed` left out."""
    waiting = select(t.runs).where(t.runs.c.lane == lane.value, t.runs.c.state == RunState.QUEUED.value)
    if closed:
        waiting = waiting.where(t.runs.c.id.not_in(closed))
    if only is not None:
        waiting = waiting.where(t.runs.c.id == only)
    first = waiting.order_by(t.runs.c.queued_at, t.runs.c.number).limit(1)
    row = connection.execute(first.with_for_update(skip_locked=True)).first()
    if row is None:
        return None
    moment, attempt = now(), row.attempt + 1
    _change(
        connection,
        row,
        RunState.RUNNING,
        moment,
        attempt=attempt,
        started_at=row.started_at or moment,
        heartbeat=moment,
    )
    connection.execute(
        insert(t.attempts).values(
            run=row.id, number=attempt, owner=owner, started_at=moment, done_before=row.done, done=0
        )
    )
    samples.add(connection, row.id, attempt, moment, row.done + sum(row.skipped.values()) + sum(row.failed.values()))
    return str(row.id)


def finish(connection: Connection, run_id: str, to: RunState, *, reason: str, remedy: str, attempt: int | None) -> None:
    """End the open attempt of a run, and with it perhaps the run."""
    row = read_working(connection, run_id, attempt)
    control.require(RunState(row.state), to)
    moment = now()
    _change(connection, row, to, moment, reason=reason, remedy=remedy)
    _close_attempt(connection, row, to, moment)
    if to is RunState.QUEUED:
        waits.count(connection, run_id, moment, goes_on=True)


def ask(connection: Connection, run_id: str, verb: Verb, actor: str) -> None:
    """Write down what a person wants; what needs no worker happens at once."""
    row = read(connection, run_id, to_change=True)
    state = RunState(row.state)
    after = control.following(state, verb)
    if after is state:
        return
    moment = now()
    connection.execute(insert(t.commands).values(run=run_id, verb=verb.value, actor=actor, at=moment))
    place = {"queued_at": moment} if after is RunState.QUEUED else {}
    _change(connection, row, after, moment, reason=_reason(after, actor), remedy="", **place)


def recover(connection: Connection) -> list[str]:
    """End the attempts that nobody works on any more, when a new owner starts; returns the ids of their runs."""
    working = select(t.runs).where(t.runs.c.state.in_([state.value for state in WORKING])).order_by(t.runs.c.number)
    moment, recovered = now(), []
    waits.forget_open(connection)
    for row in connection.execute(working.with_for_update()).all():
        if row.state == RunState.CANCELLING.value:
            after, reason, remedy = RunState.CANCELLED, "Cancelled; the console stopped before it was done.", ""
        else:
            after, reason = RunState.INTERRUPTED, "The console stopped while this run was working."
            remedy = "Resume it: it continues from its last checkpoint."
        _change(connection, row, after, moment, reason=reason, remedy=remedy)
        _close_attempt(connection, row, after, moment)
        recovered.append(str(row.id))
    return recovered


def _spent(run: RunRow) -> bool:
    """Whether a run has failed at its very end: every picture is settled, and resuming it would do nothing."""
    counts = counts_of(run)
    return run.state == RunState.FAILED.value and counts.settled > 0 and counts.pending == 0


def _change(
    connection: Connection,
    row: RunRow,
    to: RunState,
    moment: datetime,
    *,
    reason: str = "",
    remedy: str = "",
    **more: Any,
) -> None:
    values = {"state": to.value, "reason": storable(reason), "remedy": storable(remedy), **more}
    if to in _STOPPED:
        values["finished_at"] = moment
    if to in TERMINAL:
        values["holds"] = None
    if to is RunState.QUEUED:
        values["finished_at"] = None
    if row.state == RunState.QUEUED.value:
        waits.count(connection, row.id, moment)
    connection.execute(update(t.runs).where(t.runs.c.number == row.number).values(values))


def _close_attempt(connection: Connection, row: RunRow, outcome: RunState, moment: datetime) -> None:
    this = (t.attempts.c.run == row.id) & (t.attempts.c.number == row.attempt)
    connection.execute(update(t.attempts).where(this).values(outcome=outcome.value, finished_at=moment))


def _reason(state: RunState, actor: str) -> str:
    if state is RunState.QUEUED:
        return ""
    if state in WORKING:
        return f"{state.capitalize()} at the next checkpoint, as {actor} asked."
    return f"{state.capitalize()} by {actor}."


def _held(target: str, holder: RunRow | None) -> Refused:
    which = f"run {holder.id} ({holder.title}, {holder.state})" if holder else "another run"
    return Refused(
        f"{which[0].upper()}{which[1:]} still writes to {target}.",
        f"Let {holder.id if holder else 'it'} finish, or resume or cancel it, before starting another.",
    )


def _new_id(connection: Connection) -> str:
    while True:
        run_id = "r-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))
        if connection.execute(select(t.runs.c.number).where(t.runs.c.id == run_id)).first() is None:
            return run_id
