"""The manners of runs, kept: those of each run that has its own, and the defaults for all others."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from console_core.database import Database
from console_core.errors import LedgerUnavailable, Refused
from console_core.runs import tables as t
from console_core.runs.manners import NONE, Hours, Manners, changed
from console_core.runs.rows import read
from console_core.runs.types import TERMINAL, RunState

DEFAULTS = ""
"""Stands for all runs that have no manners of their own, where a run's id is asked for."""


@dataclass(frozen=True, slots=True)
class MannersChange:
    """What was set. `own` says whether the run has manners of its own now; the defaults are nobody's own."""

    run: str
    before: Manners
    after: Manners
    own: bool

    def __str__(self) -> str:
        whose = "" if self.run else "Defaults: "
        how = " (follows the defaults)" if self.run and not self.own else ""
        return f"{whose}{changed(self.before, self.after) or 'nothing changed'}{how}"


class MannersRecords:
    """Reads and writes manners. Every method can raise LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, run_id: str) -> Manners:
        """Those that hold for a run: its own, else the defaults."""
        with self._database.reading() as connection:
            return of(connection, [run_id])[run_id]

    def own(self, run_id: str) -> Manners | None:
        """A run's own, or None where it follows the defaults."""
        with self._database.reading() as connection:
            row = connection.execute(select(t.manners).where(t.manners.c.run == run_id)).one_or_none()
            return None if row is None else _manners(row)

    def put(self, run_id: str, manners: Manners | None) -> MannersChange:
        """Set a run's own, or the defaults; None forgets them. A run that works obeys before its next step.

        Raises:
            NotFound: there is no such run.
            Refused: the run is finished.
        """
        with self._database.transaction() as connection:
            if run_id != DEFAULTS and RunState(state := read(connection, run_id, to_change=True).state) in TERMINAL:
                raise Refused(f"Run {run_id} is {state}: it waits for nobody any more.", "Choose another run.")
            before = of(connection, [run_id])[run_id]
            connection.execute(delete(t.manners).where(t.manners.c.run == run_id))
            if manners is not None:
                connection.execute(insert(t.manners).values(run=run_id, **_values(manners)))
            after = of(connection, [run_id])[run_id]
            return MannersChange(run_id, before, after, own=manners is not None)


class BatchSize:
    """The batch size that a run's manners say now, else the planned one, or less where a rate is to be kept to: then
    what is done in SECONDS at that rate. Called before each batch."""

    SECONDS = 2.0

    def __init__(self, records: MannersRecords, run_id: str, planned: int) -> None:
        self._records, self._run, self._planned = records, run_id, planned
        self._last = planned

    def __call__(self) -> int:
        with suppress(LedgerUnavailable):  # the worker waits for the ledger after the batch; the last word holds
            manners = self._records.of(self._run)
            self._last = manners.batch_size or self._planned
            if manners.rate and not manners.batch_size:
                self._last = min(self._last, max(1, int(manners.rate * self.SECONDS)))
        return self._last


def of(connection: Connection, run_ids: Collection[str]) -> dict[str, Manners]:
    """The manners that hold for each of these runs."""
    rows = connection.execute(select(t.manners).where(t.manners.c.run.in_([DEFAULTS, *run_ids])))
    known = {row.run: _manners(row) for row in rows}
    return {run_id: known.get(run_id, known.get(DEFAULTS, NONE)) for run_id in run_ids}


def _values(manners: Manners) -> dict[str, Any]:
    hours = manners.hours
    return {
        "batch_size": manners.batch_size,
        "rate": manners.rate,
        "polite": manners.polite,
        "opens": hours.opens.isoformat("minutes") if hours else "",
        "closes": hours.closes.isoformat("minutes") if hours else "",
    }


def _manners(row: Row[Any]) -> Manners:
    hours = Hours(time.fromisoformat(row.opens), time.fromisoformat(row.closes)) if row.opens else None
    return Manners(row.batch_size, row.rate, row.polite, hours)
