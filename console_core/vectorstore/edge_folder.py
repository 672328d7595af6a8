"""The folder of an edge store: one process has it, a shard each in a folder of its own, and no left-overs.

.lock          who has it open
registry.db    collections and aliases
shards/<id>/   one collection each
building/<id>/ a copy of a shard that is being indexed; worth nothing after a crash
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from console_core.errors import StoreFull, StoreUnavailable
from console_core.vectorstore.edge_registry import FILE, Registry

LOCK = ".lock"
PATIENCE = 3.0
"""Seconds to wait for the folder: the engine of a console that was killed ends a moment after it."""
RESERVE = 200_000_000
"""Bytes that stay free on the disk: the engine writes into mapped files, and a full disk there kills the process."""


class EdgeFolder:
    """The folder, locked for this process."""

    def __init__(self, path: Path, place: str) -> None:
        """Take the folder, which is made if it is missing.

        Raises:
            StoreUnavailable: another process has it open, or it lost its registry.
            OSError: it cannot be made or written.
        """
        self.path, self.place = path, place
        path.mkdir(parents=True, exist_ok=True)
        self._lock = _locked(path / LOCK, place)
        try:
            for part in (self.shards, self.building):
                part.mkdir(exist_ok=True)
            self._refuse_nameless()
            self.registry = Registry(path)
            try:
                self._clean()
            except BaseException:
                self.registry.close()
                raise
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def shards(self) -> Path:
        return self.path / "shards"

    @property
    def building(self) -> Path:
        return self.path / "building"

    def _refuse_nameless(self) -> None:
        """Without the registry every shard would look like a left-over."""
        file = self.path / FILE
        if not file.exists() and any(self.shards.iterdir()):
            raise StoreUnavailable(
                f"{self.place} has collections in {self.shards}, but {FILE}, which tells their names, is gone.",
                f"Restore {file} from a backup of the folder, or choose another folder; nothing was changed.",
            )

    def _clean(self) -> None:
        """Delete what a crash left half made or half deleted."""
        known = self.registry.shards()
        for left in [one for one in self.shards.iterdir() if one.name not in known]:
            shutil.rmtree(left)
        for left in self.building.iterdir():
            shutil.rmtree(left)
        self.registry.forget_half_made()

    def close(self) -> None:
        self.registry.close()
        os.close(self._lock)


def room_for(folder: EdgeFolder, needed: int) -> None:
    """Refuse a write for which there is certainly no space.

    Raises:
        StoreFull
    """
    free = shutil.disk_usage(folder.path).free
    if free < needed + RESERVE:
        raise StoreFull(
            f"{folder.place} has no space left: {free / 1e6:,.0f} MB are free, and it leaves {RESERVE / 1e6:,.0f} MB.",
            "Free disk space or add some, then resume; what was acknowledged is kept.",
        )


def size_of(folder: Path) -> int:
    """Bytes that a folder takes on the disk; the engine's files have holes, which take nothing."""
    return sum(_blocks(file) for file in files(folder))


def files(folder: Path) -> Iterator[Path]:
    """Every file in a folder and those below it."""
    for where, _, names in os.walk(folder):
        yield from (Path(where) / name for name in names)


def copy_file(source: Path, target: Path) -> None:
    """A copy that has holes where the file has them."""
    with source.open("rb") as reading, target.open("wb") as writing:
        size = os.fstat(reading.fileno()).st_size
        os.truncate(writing.fileno(), size)
        at = 0
        while at < size:
            try:
                start = os.lseek(reading.fileno(), at, os.SEEK_DATA)
            except OSError:  # only a hole is left
                return
            at = os.lseek(reading.fileno(), start, os.SEEK_HOLE)
            reading.seek(start)
            writing.seek(start)
            for place in range(start, at, 1 << 20):
                writing.write(reading.read(min(1 << 20, at - place)))


def _blocks(file: Path) -> int:
    try:
        return file.stat().st_blocks * 512
    except OSError:  # deleted meanwhile
        return 0


def _locked(file: Path, place: str) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    until = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= until:
                    raise _in_use(place, os.pread(descriptor, 200, 0)) from error
                time.sleep(0.05)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"engine": os.getpid(), "console": os.getppid()}).encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _in_use(place: str, holder: bytes) -> StoreUnavailable:
    try:
        who = f"process {int(json.loads(holder)['console'])}"
    except (ValueError, KeyError, TypeError):
        who = "another process"
    return StoreUnavailable(
        f"{place} is open already: {who} has it, the console or another command, or a notebook or script.",
        "Stop that one, or do the same in the console that has it open; several at a time need a Qdrant server.",
    )
