"""Exactly one process works on a ledger. Whoever wants to work takes ownership first, and is told who has it."""

from pathlib import Path
from socket import gethostname
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

from console_core.database import Database, now
from console_core.runs.file_lock import FileLock
from console_core.runs.holder import Holder
from console_core.runs.lease import Lease

LEASE = 30.0
"""After how many seconds without a sign of life a server's ledger can be taken over."""


class Owner:
    """Ownership of a ledger: given back by `release`, by the end of a `with` block, or by the death of the process."""

    def __init__(self, holder: Holder, claim: FileLock | Lease) -> None:
        self.holder, self._claim = holder, claim

    @classmethod
    def acquire(cls, database: Database, name: str, *, lease: float = LEASE) -> Self:
        """Become the owner. `name` says to others what this is: "console on port 8501".

        A SQLite file is owned by a lock on "<file>.lock"; anything else by a lease of `lease` seconds.

        Raises:
            LedgerOwned: another process is the owner; the message says which, the remedy what to do.
            LedgerUnavailable
        """
        holder, file = Holder.this_process(name), lock_file(database.url)
        return cls(holder, FileLock(file, holder) if file else Lease(database, holder, lease))

    def held(self) -> bool:
        """Whether this process still is the owner; a worker stops where it is not."""
        return self._claim.held()

    def release(self) -> None:
        """Give it back; harmless when repeated."""
        self._claim.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def is_owned(database: Database) -> bool:
    """Whether some process, be it this one, owns a ledger now. Nothing is taken or written.

    Raises:
        LedgerUnavailable
    """
    file = lock_file(database.url)
    return FileLock.is_held(file) if file else Lease.is_held(database)


def holder_of(url: str, database: Database) -> Holder | None:
    """The process that owns the ledger at a URL now, this one included; None where nobody does. Nothing is written.

    Raises:
        LedgerUnavailable
    """
    file = lock_file(url)
    if file is None:
        return Lease.holder(database)
    if not FileLock.is_held(file):
        return None
    return Holder.from_text(file.read_text(errors="replace")) or Holder("another process", 0, gethostname(), now())


def lock_file(url: str) -> Path | None:
    """The lock file of a SQLite ledger; None for servers and for databases in memory."""
    parsed = make_url(url)
    name = parsed.database or ""
    if parsed.get_backend_name() != "sqlite" or name in ("", ":memory:") or name.startswith("file:"):
        return None
    file = Path(name).resolve()
    return file.with_name(file.name + ".lock")
