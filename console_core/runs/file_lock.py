"""Ownership of a SQLite ledger: an advisory lock on a file beside it, which the kernel gives back when we die."""

import fcntl
import os
import weakref
from pathlib import Path

from console_core.errors import LedgerUnavailable
from console_core.runs.holder import Holder, refusal


class FileLock:
    """A held lock. The file stays when it is released: deleting it would let two processes lock two files."""

    def __init__(self, path: Path, holder: Holder) -> None:
        """Take the lock, and write into the file who has it.

        Raises:
            LedgerOwned: another process has it.
            LedgerUnavailable: the file cannot be made or written.
        """
        self._path, self._descriptor = path, -1
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            while not self.held():
                self.release()
                self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, holder.as_text().encode(), 0)
        except BlockingIOError as error:
            self.release()
            raise refusal(Holder.from_text(path.read_text(errors="replace"))) from error
        except OSError as error:
            self.release()
            raise LedgerUnavailable(
                f"The lock file {path} cannot be used: {error}.",
                "Check that the folder is writable, has space left, and is on a disk of this machine.",
            ) from error
        _held.add(self)

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether anybody has the lock of that file."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def held(self) -> bool:
        """Whether we still have it: the file that we locked is still the one at its path."""
        if self._descriptor < 0:
            return False
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except OSError:
            return False

    def release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_held: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _let_go_in_child() -> None:
    """A forked child shares the lock: left open there, it would outlive its owner."""
    for lock in list(_held):
        lock.release()


os.register_at_fork(after_in_child=_let_go_in_child)
