"""Ownership of a ledger on a database server: a row with an end, renewed by a thread while we live."""

import logging
import os
import secrets
import threading
import time
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from console_core.database import Database, metadata, now
from console_core.errors import LedgerUnavailable
from console_core.runs import tables as t
from console_core.runs.holder import Holder, refusal

log = logging.getLogger(__name__)
_SLOT = 1


class Lease:
    """A held lease. Clocks of the machines that share the database may differ by much less than `seconds`."""

    def __init__(self, database: Database, holder: Holder, seconds: float) -> None:
        """Take the lease if it is free or has run out.

        Raises:
            LedgerOwned: another process has it.
            LedgerUnavailable
        """
        self._database, self._seconds, self._token = database, seconds, secrets.token_hex(8)
        self._pid, self._lost, self._released = os.getpid(), False, threading.Event()
        self._renewed = time.monotonic()
        self._take(holder)
        self._thread = threading.Thread(target=self._keep, name="ledger-lease", daemon=True)
        self._thread.start()

    @staticmethod
    def is_held(database: Database) -> bool:
        """Whether anybody has a lease that has not run out."""
        with database.transaction() as connection:
            metadata.create_all(connection, tables=[t.owner])
            return connection.execute(select(t.owner).where(t.owner.c.expires > now())).first() is not None

    @staticmethod
    def holder(database: Database) -> Holder | None:
        """Who has a lease that has not run out. Nothing is written."""
        with database.reading() as connection:
            row = connection.execute(select(t.owner).where(t.owner.c.expires > now())).first()
        return None if row is None else Holder(row.name, row.pid, row.host, row.since)

    def held(self) -> bool:
        """Whether we still have it. False also when it could not be renewed in time."""
        return not self._lost and not self._released.is_set() and time.monotonic() - self._renewed < self._seconds

    def release(self) -> None:
        if self._released.is_set() or os.getpid() != self._pid:
            return
        self._released.set()
        self._thread.join()
        try:
            with self._database.transaction() as connection:
                connection.execute(delete(t.owner).where(t.owner.c.token == self._token))
        except LedgerUnavailable as error:
            log.warning("The lease was not given back and ends by itself: %s", error.message)

    def _take(self, holder: Holder) -> None:
        moment = now()
        values = {"slot": _SLOT, "token": self._token, "name": holder.name, "pid": holder.pid, "host": holder.host}
        values |= {"since": holder.since, "expires": moment + timedelta(seconds=self._seconds)}
        with self._database.transaction() as connection:
            metadata.create_all(connection, tables=[t.owner])
            row = connection.execute(select(t.owner).where(t.owner.c.slot == _SLOT).with_for_update()).first()
            if row is not None and row.expires > moment:
                raise refusal(Holder(row.name, row.pid, row.host, row.since), free_at=row.expires)
            try:
                if row is None:
                    connection.execute(insert(t.owner).values(values))
                else:
                    connection.execute(update(t.owner).where(t.owner.c.slot == _SLOT).values(values))
            except (
                IntegrityError
            ) as error:  # on a server other than PostgreSQL another can come between the look and the insert
                raise refusal(None) from error

    def _keep(self) -> None:
        while not self._released.wait(self._seconds / 3):
            started = time.monotonic()
            try:
                with self._database.transaction() as connection:
                    mine = update(t.owner).where(t.owner.c.token == self._token)
                    expires = now() + timedelta(seconds=self._seconds)
                    self._lost = connection.execute(mine.values(expires=expires)).rowcount == 0
            except LedgerUnavailable as error:
                log.warning("The lease could not be renewed: %s", error.message)
                continue
            if self._lost:
                log.error("Another process took the ledger over; this one must stop working.")
                return
            self._renewed = started
