"""A server's own snapshots as runs: made and brought here, and recovered into a new collection."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from console_core.backup.backups import SNAPSHOTS
from console_core.backup.durable import sync_folder, write_durably, writing
from console_core.errors import BackupDiffers, NotFound, StoreRefused, StoreUnavailable
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.snapshots import Snapshot, Snapshots, snapshots_of
from console_core.vectorstore.types import VectorStore

PATIENCE = 3600.0
"""Seconds that a server may take to make a snapshot."""
_POLL = 1.0
_BLOCK = 1 << 20


def require_snapshots(store: VectorStore) -> Snapshots:
    """The snapshots of a store.

    Raises:
        StoreRefused: it has none.
    """
    found = snapshots_of(store)
    if found is None:
        raise StoreRefused(
            f"{store.info().kind} has no snapshots.", "Back the collection up into a portable archive instead."
        )
    return found


class LocalSnapshots:
    """Snapshots that were brought to this machine, each with a note of its checksum and points."""

    def __init__(self, backups: Path) -> None:
        self._folder = backups / SNAPSHOTS

    def file(self, collection: str, name: str) -> Path:
        """Where a snapshot's file lies or would lie.

        Raises:
            NotFound: the names are none of a snapshot.
        """
        if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in (collection, name)):
            raise NotFound(f"There is no snapshot {name} of {collection}.", "Look at the list of snapshots.")
        return self._folder / collection / name

    def has(self, collection: str, name: str) -> bool:
        return self.file(collection, name).exists()

    def require(self, collection: str, name: str) -> Path:
        """The file.

        Raises:
            NotFound: it was never brought here.
        """
        if not self.has(collection, name):
            raise NotFound(f"The snapshot {name} of {collection} is not on this machine.", "Download it first.")
        return self.file(collection, name)

    def remove(self, collection: str, name: str) -> None:
        """Delete the file and its note, where they are."""
        file = self.file(collection, name)
        with writing(file.parent):
            file.unlink(missing_ok=True)
            _note(file).unlink(missing_ok=True)

    def note(self, snapshot: Snapshot, points: list[int]) -> None:
        """Write down what it should be; `points` are the collection's before and after it was made, where known."""
        file = self.file(snapshot.collection, snapshot.name)
        write_durably(_note(file), json.dumps({"checksum": digest_of(file), "points": points}))
        sync_folder(file.parent)

    def checked(self, collection: str, name: str) -> tuple[Path, str, list[int]]:
        """The file, its SHA-256, which was compared with the note, and the noted points.

        Raises:
            NotFound: it was never brought here.
            StoreRefused: the file is not what was brought here.
        """
        file = self.require(collection, name)
        try:
            told = json.loads(_note(file).read_text(encoding="utf-8"))
            digest = digest_of(file)
        except (OSError, ValueError) as error:
            raise NotFound(f"Nothing says what {name} should be: {error}.", "Download it again.") from error
        if digest != told["checksum"]:
            raise StoreRefused(f"The file of the snapshot {name} was changed since.", "Download it again.")
        return file, digest, told["points"]


class TakeSnapshot:
    """Ask the server for a snapshot, wait until it is complete, and bring it here; or only bring `name` here.

    `done` counts snapshots. A resumed run goes on waiting, or downloads again.
    """

    kind: ClassVar[str] = "snapshot"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        store: VectorStore,
        backups: Path,
        collection: str,
        name: str = "",
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._local = LocalSnapshots(backups)
        self._collection = collection
        self._name = name
        self._pause = pause

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            StoreRefused: the store has no snapshots, or what came is not what was made.
            StoreUnavailable: the snapshot did not come in time.
            BackupFull, BackupUnavailable
        """
        snapshots = require_snapshots(self._store)
        try:
            counts = replace(counts, selected=max(counts.selected, 1))
            reached: dict[str, Any] = json.loads(checkpoint) if checkpoint else {"name": self._name}
            while not reached["name"]:
                reached = self._asked(snapshots, reached)
                yield Progress(json.dumps(reached), counts, note="The server makes the snapshot.")
            wanted = [one for one in snapshots.list(self._collection) if one.name == reached["name"]]
            if not wanted:
                raise NotFound(
                    f"The server has no snapshot {reached['name']} of {self._collection} any more.",
                    "Cancel this run and take another one.",
                )
            file = self._local.file(self._collection, wanted[0].name)
            with writing(file.parent):
                file.parent.mkdir(parents=True, exist_ok=True)
                for size in snapshots.download(wanted[0], file):
                    if size % (64 * _BLOCK) < _BLOCK:
                        yield Progress(json.dumps(reached), counts, note=f"{size / 1e6:,.0f} MB are here.")
                before = reached.get("points")
                self._local.note(wanted[0], [] if before is None else [before, self._store.count(self._collection)])
            result = {"snapshot": wanted[0].name, "bytes": file.stat().st_size, "file": str(file)}
            yield Progress(json.dumps(reached), replace(counts, done=1), result=result)
        finally:
            snapshots.close()

    def _asked(self, snapshots: Snapshots, reached: dict[str, Any]) -> dict[str, Any]:
        """Ask once, then look once a second; asked again by an attempt that finds nothing of an earlier one."""
        names = {one.name for one in snapshots.list(self._collection)}
        if "known" not in reached:
            snapshots.begin(self._collection)
            points = self._store.count(self._collection)
            return {"name": "", "known": sorted(names), "since": time.time(), "points": points}
        if new := sorted(names - set(reached["known"])):
            return {"name": new[-1], "points": reached["points"]}
        if time.time() - reached["since"] > PATIENCE:
            raise StoreUnavailable(
                f"The server has not finished a snapshot of {self._collection} within {PATIENCE / 60:.0f} minutes.",
                "Look into its log and at its disk, then cancel this run and take another one.",
            )
        self._pause(_POLL)
        return reached


class RecoverSnapshot:
    """Make a new collection on the server from a snapshot that was brought here, and count its points.

    `done` counts snapshots. A run that died meanwhile cannot tell whether the server went on: it must be cancelled.
    """

    kind: ClassVar[str] = "recover"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(self, store: VectorStore, backups: Path, collection: str, name: str, into: str) -> None:
        self._store = store
        self._local = LocalSnapshots(backups)
        self._collection = collection
        self._name = name
        self._into = into

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            StoreRefused, NotFound, CollectionExists: before anything was created.
            BackupDiffers: the collection has another number of points than the snapshot.
        """
        snapshots = require_snapshots(self._store)
        try:
            counts = replace(counts, selected=max(counts.selected, 1))
            file, checksum, points = self._local.checked(self._collection, self._name)
            yield Progress("checked", counts, note="The snapshot is being sent to the server.")
            snapshots.recover(file, self._into, checksum)
            found = self._store.count(self._into)
            if points and not min(points) <= found <= max(points):
                raise BackupDiffers(
                    f"{self._into} has {found:,} points; {self._collection} had {points[0]:,} to {points[1]:,} when "
                    "the snapshot was taken.",
                    "It was written to meanwhile, or the server lost points. Look at it before you use it.",
                )
            result = {"snapshot": self._name, "points": found}
            yield Progress("recovered", replace(counts, done=1), result=result)
        finally:
            snapshots.close()


def digest_of(file: Path) -> str:
    """SHA-256, a block at a time."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _note(file: Path) -> Path:
    return file.with_name(file.name + ".json")
