"""All backups of a workspace: what there is, what it is worth, and how one is removed."""

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from console_core.backup.archive import Archive
from console_core.backup.draft import beginning_of
from console_core.backup.durable import sync_folder, writing
from console_core.backup.manifest import Manifest
from console_core.backup.proof import Proof, proof_of
from console_core.database import now
from console_core.errors import BackupDamaged, BackupError, BackupNotProven, NotFound

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
SNAPSHOTS = "snapshots"
"""A folder beside the archives: what was brought here of the server's own snapshots."""
_DELETED = ".deleted-"


class BackupState(StrEnum):
    UNFINISHED = "unfinished"
    DAMAGED = "damaged"
    UNPROVEN = "unproven"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Backup:
    """One archive at a glance: its manifest was read, and its parts are there in their sizes.

    Their bytes are compared only where they are read: by a proof, a restore or a check. `taken_at` is when reading
    began; `bytes` is what it takes on disk. `problem` says why it is not proven, "" where it is or was never tried.
    """

    id: str
    folder: Path
    collection: str
    state: BackupState
    bytes: int
    taken_at: datetime | None
    manifest: Manifest | None
    proof: Proof | None
    problem: str = ""

    @property
    def points(self) -> int:
        return self.manifest.points if self.manifest else 0

    @property
    def proven(self) -> bool:
        return self.state is BackupState.PROVEN

    @property
    def finished(self) -> bool:
        return self.state in (BackupState.UNPROVEN, BackupState.PROVEN)


class Backups:
    """The folder of backups. It need not exist before the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new_id(self, collection: str) -> str:
        """A name for a backup that begins now."""
        name = _UNSAFE.sub("-", collection)[:100].strip("-.") or "collection"
        return f"{name}-{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"

    def all(self, collection: str | None = None) -> list[Backup]:
        """The newest first; with `collection` only those of one."""
        try:
            folders = [entry for entry in self.folder.iterdir() if _is_backup(entry)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise BackupError(
                f"The backup folder {self.folder} cannot be read: {error.strerror or error}.",
                "Check that it is a folder that this user may read.",
            ) from error
        found = [_look_at(folder) for folder in folders]
        found = [backup for backup in found if collection in (None, backup.collection)]
        return sorted(found, key=_age, reverse=True)

    def get(self, backup: str) -> Backup:
        """One of them by its id.

        Raises:
            NotFound
        """
        folder = self.folder / backup
        if not _is_backup(folder) or folder.name != backup:
            raise NotFound(f"There is no backup {backup}.", "Look at the list of backups; it may have been deleted.")
        return _look_at(folder)

    def open(self, backup: str) -> Archive:
        """The archive, its manifest and the sizes of its parts checked.

        Raises:
            NotFound, BackupDamaged, BackupUnavailable
        """
        return Archive.open(self.get(backup).folder)

    def newest_proven(self, collection: str) -> Backup | None:
        """The newest backup of a collection, by its real name, that a restore has proven."""
        return next((backup for backup in self.all(collection) if backup.proven), None)

    def require_proven(self, backup: str) -> Backup:
        """The backup, if a restore has proven it.

        Raises:
            NotFound, BackupNotProven
        """
        found = self.get(backup)
        if not found.proven:
            why = f" {found.problem}" if found.problem else ""
            raise BackupNotProven(f"The backup {backup} is {found.state}.{why}", "Prove it first, or take another one.")
        return found

    def delete(self, backup: str) -> None:
        """Remove an archive: at once for everybody who looks, then from the disk.

        Raises:
            NotFound, BackupUnavailable
        """
        folder = self.get(backup).folder
        with writing(self.folder):
            gone = folder.with_name(_DELETED + folder.name)
            folder.rename(gone)
            sync_folder(self.folder)
            shutil.rmtree(gone)

    def sweep(self) -> None:
        """Finish deletions that a crash cut short."""
        for left in self.folder.glob(f"{_DELETED}*"):
            shutil.rmtree(left, ignore_errors=True)

    def surplus(self, collection: str, keep: int) -> list[Backup]:
        """What may go so that the newest `keep` proven backups stay: finished ones older than the oldest of those.

        Nothing where fewer are proven, so the only proven one never goes; nor anything unfinished or damaged.
        """
        found = self.all(collection)
        proven = [backup for backup in found if backup.proven]
        if keep < 1 or len(proven) < keep:
            return []
        oldest_kept = _age(proven[keep - 1])
        return [backup for backup in found if backup.finished and _age(backup) < oldest_kept]


def _is_backup(folder: Path) -> bool:
    return bool(_NAME.fullmatch(folder.name)) and folder.name != SNAPSHOTS and folder.is_dir()


def _look_at(folder: Path) -> Backup:
    size = sum(map(_size, folder.iterdir()))
    try:
        manifest = Archive.open(folder).manifest
    except BackupError as error:
        return _unusable(folder, size, error)
    proof = proof_of(folder)
    proven = proof is not None and proof.holds
    problem = f"A restore differed in {proof.differences:,} points." if proof is not None and not proven else ""
    return Backup(
        id=folder.name,
        folder=folder,
        collection=manifest.collection.name,
        state=BackupState.PROVEN if proven else BackupState.UNPROVEN,
        bytes=size,
        taken_at=manifest.began,
        manifest=manifest,
        proof=proof,
        problem=problem,
    )


def _unusable(folder: Path, size: int, error: BackupError) -> Backup:
    beginning = beginning_of(folder)
    damage = error.damage if isinstance(error, BackupDamaged) else ""
    return Backup(
        id=folder.name,
        folder=folder,
        collection=beginning.collection.name if beginning else _collection_in(folder.name),
        state=BackupState.UNFINISHED if damage == "unfinished" else BackupState.DAMAGED,
        bytes=size,
        taken_at=beginning.began if beginning else _moment_in(folder.name),
        manifest=None,
        proof=None,
        problem=error.message,
    )


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # a draft that became a part meanwhile
        return 0


def _age(backup: Backup) -> tuple[float, str]:
    return (backup.taken_at.timestamp() if backup.taken_at else 0.0, backup.id)


_PARTS_OF_NAME = re.compile(r"(.+)-(\d{8}-\d{6})-[0-9a-f]{6}")


def _collection_in(name: str) -> str:
    """The collection that the name of a folder tells of, where its manifest cannot be believed."""
    told = _PARTS_OF_NAME.fullmatch(name)
    return told[1] if told else ""


def _moment_in(name: str) -> datetime | None:
    told = _PARTS_OF_NAME.fullmatch(name)
    try:
        return datetime.strptime(f"{told[2]}+0000", "%Y%m%d-%H%M%S%z") if told else None
    except ValueError:
        return None
