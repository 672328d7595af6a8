"""A ledger for a dry run: what is written to it leaves no trace."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from console_core.database import Standing, standing
from console_core.errors import LedgerUnavailable
from console_core.runs.file_lock import FileLock
from console_core.runs.owner import lock_file


@contextmanager
def dry_ledger(url: str) -> Iterator[str]:
    """The URL of a ledger with the same content, for the duration of the block.

    A SQLite file is copied: opening one makes files, folds its log in and brings its tables up to date. A file that
    another process works in is kept up to date by that one, and is read in place; so is a server's, if it is up to
    date. A ledger that is not there yet is an empty one.

    Raises:
        LedgerUnavailable: it cannot be copied, or a server's needs to be brought up to date first.
    """
    with tempfile.TemporaryDirectory(prefix="embedding-console-dry-run-") as name:
        yield _readable(url, Path(name) / "ledger.db")


def _readable(url: str, copy: Path) -> str:
    try:
        lock = lock_file(url)
    except (ArgumentError, ValueError):  # opening it says what is wrong
        return url
    if lock is not None:
        return url if FileLock.is_held(lock) else _copied(Path(make_url(url).database or ""), copy)
    if make_url(url).get_backend_name() == "sqlite":
        return url
    match standing(url):
        case Standing.UP_TO_DATE:
            return url
        case Standing.ABSENT:
            return f"sqlite:///{copy}"
        case Standing.BEHIND:
            raise LedgerUnavailable(
                "The ledger is that of an older version of the console, and a dry run may not bring it up to date.",
                "Open the console once, which does; then ask again.",
            )


def _copied(file: Path, copy: Path) -> str:
    try:
        for ending in ("", "-wal"):
            if (part := file.with_name(file.name + ending)).is_file():
                shutil.copyfile(part, copy.with_name(copy.name + ending))
    except OSError as error:
        raise LedgerUnavailable(
            f"The ledger at {file} cannot be copied to {copy.parent.parent} for a dry run: {error}.",
            "Make space there, or set TMPDIR to a folder with more.",
        ) from error
    return f"sqlite:///{copy}"
