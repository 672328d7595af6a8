"""The folder of the embedded store, without the engine: whether another process has it, and a copy of it."""

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from console_core.errors import StoreUnavailable
from console_core.vectorstore.qdrant_errors import in_use


@contextmanager
def alone(folder: Path, place: str) -> Iterator[None]:
    """Keep other processes from opening the folder, where one has ever been opened; changes nothing.

    Raises:
        StoreUnavailable: another process has it open.
    """
    import portalocker  # looks for writable folders when it is imported, so not before it is needed

    lock = folder / ".lock"
    if not lock.exists():
        yield
        return
    with _opened(lock) as stream:
        try:
            portalocker.lock(stream, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.exceptions.LockException as error:
            raise in_use(place) from error
        try:
            yield
        finally:
            portalocker.unlock(stream)


def _opened(lock: Path) -> IO[str]:
    try:
        return lock.open("r+")  # some network file systems lock only what may be written
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        return lock.open()


@contextmanager
def copied(folder: Path, place: str, copy_file: Callable[[Path, Path], object] | None = None) -> Iterator[Path]:
    """A copy of the folder, empty where that is not there yet, for the duration of the block.

    `copy_file` copies one file; left out, whole files are copied.

    Raises:
        StoreUnavailable: another process has it open, or there is no room for the copy.
    """
    with tempfile.TemporaryDirectory(prefix="embedding-console-dry-run-") as name:
        copy = Path(name) / "store"
        try:
            with alone(folder, place):
                if folder.is_dir():
                    ignored = shutil.ignore_patterns(".lock", "*-shm")
                    by = copy_file or shutil.copy2
                    shutil.copytree(folder, copy, ignore=ignored, copy_function=lambda a, b: by(Path(a), Path(b)))
        except (OSError, shutil.Error) as error:
            raise StoreUnavailable(
                f"{place} cannot be copied to {tempfile.gettempdir()} for a dry run: {error}.",
                "Make space there, or set TMPDIR to a folder with more; the copy is as large as the store.",
            ) from error
        yield copy
