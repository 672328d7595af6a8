"""A disk that is really full, and what must be whole on it all the same."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pytest


class SmallDisk:
    """A file system in memory of a size that can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", folder], capture_output=True)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")

    def leave(self, free: int) -> None:
        """Shrink or grow it until about `free` bytes are free."""
        found = os.statvfs(self.folder)
        size = (found.f_blocks - found.f_bfree) * found.f_frsize + free
        subprocess.run(["mount", "-o", f"remount,size={size}", self.folder], check=True)

    def close(self) -> None:
        """Take it away, from those too who still have a file of it open, such as a traceback."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)


def assert_intact(folder: Path) -> None:
    """Every SQLite file of a store or a ledger passes SQLite's own check of its pages.

    That is made on a copy elsewhere: where there is no space at all, SQLite cannot even read a file that has a log.
    """
    files = [*folder.rglob("*.sqlite"), *folder.rglob("ledger.db")]
    assert files
    for file in files:
        with tempfile.TemporaryDirectory() as elsewhere:
            for part in file.parent.glob(f"{file.name}*"):
                if not part.name.endswith("-shm"):
                    shutil.copy(part, elsewhere)
            with closing(sqlite3.connect(Path(elsewhere) / file.name)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], file
