"""What was done and what is to be done, durably. Every change is one transaction; any thread may call anything."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from console_core.database import Database, metadata, now
from console_core.runs import failed_pictures, failures, journal, lifecycle, paces, samples, waits
from console_core.runs import tables as t
from console_core.runs.lifecycle import Submission
from console_core.runs.manners_records import MannersRecords
from console_core.runs.rows import read, read_working, run_of, storable
from console_core.runs.types import (
    Attempt,
    Command,
    FailedPicture,
    Failure,
    JournalEntry,
    Lane,
    Progress,
    RecordedPace,
    Run,
    RunState,
    Sample,
    Verb,
)

_ASKED = {RunState.PAUSING: Verb.PAUSE, RunState.CANCELLING: Verb.CANCEL}
_ADDED = (
    update(t.attempts)
    .where(t.attempts.c.run == bindparam("of"), t.attempts.c.number == bindparam("nth"))
    .values(done=bindparam("total") - t.attempts.c.done_before)
)


class Ledger:
    """Runs, attempts, checkpoints, failures, commands and journal of one workspace.

    `manners` are those of its runs, `waits` what they waited for.
    Every method can raise LedgerUnavailable; those that take a run's id, NotFound.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.manners = MannersRecords(database)
        self.waits = waits.Waits(database)
        with database.transaction() as connection:  # a database may have been opened before these tables were known
            metadata.create_all(connection, tables=t.TABLES)

    # What a person or a page does

    def submit(
        self,
        *,
        kind: str,
        lane: Lane,
        title: str,
        target: str,
        spec: Mapping[str, Any],
        actor: str,
        migration: str = "",
        selected: int = 0,
        writes: bool,
    ) -> Run:
        """Queue a run.

        Raises:
            Refused: it writes, and another run that is not finished writes to the same target.
        """
        wanted = Submission(kind, lane, title, target, spec, actor, migration, selected, writes)
        return self.submit_together([wanted])[0]

    def submit_together(self, wanted: Sequence[Submission]) -> list[Run]:
        """Queue several runs, all or none, so that a worker finds them together. Raises as `submit`."""
        with self.database.transaction() as connection:
            return [_run(connection, lifecycle.submit(connection, one)) for one in wanted]

    def ask(self, run_id: str, verb: Verb, actor: str) -> Run:
        """Pause, resume or cancel. A working run obeys at its next checkpoint; asking the same twice is harmless.

        Raises:
            IllegalTransition: a run in this state cannot do that.
        """
        with self.database.transaction() as connection:
            lifecycle.ask(connection, run_id, verb, actor)
            return _run(connection, run_id)

    def get(self, run_id: str) -> Run:
        with self.database.reading() as connection:
            return _run(connection, run_id)

    def runs(
        self,
        *,
        states: Collection[RunState] | None = None,
        kinds: Collection[str] | None = None,
        migration: str | None = None,
        target: str | None = None,
        writes: bool | None = None,
        limit: int = 50,
    ) -> list[Run]:
        """Runs, the newest first; with `writes` those that write to their target, or those that only look at it."""
        query = select(t.runs).order_by(t.runs.c.number.desc()).limit(limit)
        if states is not None:
            query = query.where(t.runs.c.state.in_([state.value for state in states]))
        if kinds is not None:
            query = query.where(t.runs.c.kind.in_(list(kinds)))
        if migration is not None:
            query = query.where(t.runs.c.migration == migration)
        if target is not None:
            query = query.where(t.runs.c.target == target)
        if writes is not None:
            query = query.where(t.runs.c.writes.is_(writes))
        with self.database.reading() as connection:
            return [run_of(row) for row in connection.execute(query)]

    def holder(self, target: str) -> Run | None:
        """The run that is not finished and writes to a target; there is at most one."""
        with self.database.reading() as connection:
            row = connection.execute(select(t.runs).where(t.runs.c.holds == target)).first()
            return None if row is None else run_of(row)

    # What the worker does

    def claim(self, lane: Lane, owner: str, *, only: str | None = None) -> Run | None:
        """Open an attempt at the run queued longest in a lane (or at `only` that one); None where there is none.

        Runs that are outside their allowed hours stay in the queue, and say so. Atomic: of several that claim at
        once, each gets another run.
        """
        with self.database.reading() as connection:
            queue = waits.look(connection, lane)
        if not queue.ready and not queue.news:
            return None
        with self.database.transaction() as connection:
            if queue.news:
                waits.tell_queue(connection, queue)
            run_id = lifecycle.claim(connection, lane, owner, only, closed=queue.closed)
            return None if run_id is None else _run(connection, run_id)

    def record(self, run_id: str, progress: Progress, *, attempt: int | None = None) -> None:
        """Write down a step, all of it or nothing. Doing it again counts nothing twice.

        Raises:
            IllegalTransition: no attempt is open, or not the one given: someone else has the run now.
        """
        counts, moment = progress.counts, now()
        with self.database.transaction() as connection:
            row = read_working(connection, run_id, attempt)
            values: dict[str, Any] = {
                "checkpoint": progress.checkpoint,
                "selected": counts.selected,
                "done": counts.done,
                "skipped": dict(counts.skipped),
                "failed": dict(counts.failed),
                "heartbeat": moment,
            }
            if progress.result is not None:
                values["result"] = dict(progress.result)
            if row.state == RunState.RUNNING.value:
                values["reason"] = storable(progress.note)
            connection.execute(update(t.runs).where(t.runs.c.number == row.number), values)
            connection.execute(_ADDED, {"of": run_id, "nth": row.attempt, "total": counts.done})
            failures.put(connection, run_id, progress.failures)
            if row.writes:
                failed_pictures.settle(connection, row, progress)
            samples.add(connection, run_id, row.attempt, moment, counts.settled)
            if progress.pace is not None:
                paces.put(connection, run_id, row.attempt, moment, progress.pace)

    def asked(self, run_id: str) -> Verb | None:
        """What the worker of a run must obey now."""
        with self.database.reading() as connection:
            return _ASKED.get(RunState(read(connection, run_id).state))

    def finish(self, run_id: str, to: RunState, *, reason: str, remedy: str = "", attempt: int | None = None) -> Run:
        """End the open attempt. A run that goes back to the queue, for its hours are over, keeps its place there.

        Raises:
            IllegalTransition: the run cannot go there from its state, or the attempt is not open any more.
        """
        with self.database.transaction() as connection:
            lifecycle.finish(connection, run_id, to, reason=reason, remedy=remedy, attempt=attempt)
            return _run(connection, run_id)

    def recover(self, owner: str) -> list[Run]:
        """End all attempts that the last owner left open. Call it once, as the owner, before working."""
        with self.database.transaction() as connection:
            found = [_run(connection, run_id) for run_id in lifecycle.recover(connection)]
            for run in found:
                journal.add(connection, owner, "recover", run.id, run.reason, str(run.state))
            return found

    # What is known of a run

    def attempts(self, run_id: str) -> list[Attempt]:
        query = select(t.attempts).where(t.attempts.c.run == run_id).order_by(t.attempts.c.number)
        with self.database.reading() as connection:
            return [
                Attempt(row.number, row.owner, row.started_at, row.finished_at, row.outcome, row.done)
                for row in connection.execute(query)
            ]

    def commands(self, run_id: str) -> list[Command]:
        """What people asked of a run, oldest first."""
        query = select(t.commands).where(t.commands.c.run == run_id).order_by(t.commands.c.id)
        with self.database.reading() as connection:
            return [Command(Verb(row.verb), row.actor, row.at) for row in connection.execute(query)]

    def samples(self, run_id: str, latest: int | None = None) -> list[Sample]:
        """How far a run was when, oldest first; with `latest` only so many of the newest."""
        with self.database.reading() as connection:
            return samples.of(connection, run_id, latest)

    def pace(self, run_id: str) -> RecordedPace | None:
        """How fast the stages of a run were when it was last recorded; None for one that embeds nothing."""
        with self.database.reading() as connection:
            return paces.of(connection, run_id)

    def failures(self, run_id: str, *, kind: str | None = None, limit: int = 100, after: str = "") -> list[Failure]:
        """Failures of a run behind a key, in key order: the shorter first, so that numbers are in their order."""
        with self.database.reading() as connection:
            return failures.of(connection, run_id, kind=kind, limit=limit, after=after)

    def failure_counts(self, run_id: str) -> dict[str, int]:
        """Number of failed pictures by class, the most frequent first."""
        with self.database.reading() as connection:
            return failures.counted(connection, run_id)

    def failed_among(self, target: str, keys: Sequence[str]) -> dict[str, FailedPicture]:
        """Those of these catalog keys whose failure in a collection stands, by key; see `failed_pictures`."""
        with self.database.reading() as connection:
            return failed_pictures.among(connection, target, keys)

    # The journal

    def note(self, actor: str, action: str, subject: str, detail: str = "", outcome: str = "done") -> JournalEntry:
        with self.database.transaction() as connection:
            return journal.add(connection, actor, action, subject, detail, outcome)

    def journal(
        self,
        limit: int = 100,
        subject: str | None = None,
        before: int | None = None,
        actor: str | None = None,
        action: str | None = None,
    ) -> list[JournalEntry]:
        """Entries, the newest first, optionally those older than the entry with the id `before`."""
        with self.database.reading() as connection:
            return journal.entries(connection, limit=limit, subject=subject, before=before, actor=actor, action=action)

    def journal_actors(self) -> list[str]:
        """Everybody who is named in the journal, by name."""
        with self.database.reading() as connection:
            return journal.actors(connection)

    def journal_subjects(self, limit: int = 200) -> list[str]:
        """What the journal's entries are about, each subject once, those of the newest entries first."""
        with self.database.reading() as connection:
            return journal.subjects(connection, limit=limit)


def _run(connection: Connection, run_id: str) -> Run:
    return run_of(read(connection, run_id))
