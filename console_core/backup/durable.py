"""Files that are there whole or not at all, also after a power cut; and what a full or forbidden disk means."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console_core.errors import BackupError, BackupFull, BackupUnavailable

DRAFT = ".tmp"
"""The ending of a file that is being written."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Errors of the file system become BackupFull or BackupUnavailable."""
    try:
        yield
    except BackupError:
        raise
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> BackupError:
    """What a failed write to the backups means for people."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return full(folder, error.strerror or str(error))
    return BackupUnavailable(
        f"The backup folder {folder} cannot be used: {error.strerror or error}.",
        "Check that it exists and may be written, then resume; finished parts are kept.",
    )


def full(folder: Path, why: str) -> BackupFull:
    return BackupFull(
        f"There is no space left for the backup in {folder}: {why}.",
        "Free disk space there or add some, then resume; finished parts are kept.",
    )


def write_durably(file: Path, content: str) -> None:
    """The file with this content, or as it was."""
    draft = file.with_name(file.name + DRAFT)
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        put_in_place(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def put_in_place(draft: Path, file: Path) -> None:
    """Rename a synced draft, and make the renaming durable."""
    draft.replace(file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
