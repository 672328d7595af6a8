"""What was ingested travels with a collection's archive: intakes in its manifest, and copies of lists beside that."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from console_core.backup.damage import Damage, damaged
from console_core.backup.durable import DRAFT, put_in_place, writing
from console_core.backup.manifest import COPY, Manifest
from console_core.catalog.intake import Ingested
from console_core.errors import BackupUnavailable, CatalogUnavailable


@dataclass(frozen=True, slots=True)
class Carried:
    """Asks what was ingested into a collection, puts that back for another, and knows where lists are copied to.

    By default nothing was ingested anywhere.
    """

    ingested: Callable[[str], Ingested] = lambda collection: Ingested()
    put_back: Callable[[str, Ingested], object] = lambda collection, ingested: None
    copies: Path = Path()

    def save(self, ingested: Ingested, folder: Path) -> tuple[str, ...]:
        """Copy the lists into the folder of an archive; the names of those that the workspace still has.

        Raises:
            BackupFull, BackupUnavailable
        """
        found = [name for name in _names(ingested) if (self.copies / name).is_file()]
        for name in found:
            with writing(folder.parent):
                _copied(self.copies / name, folder / name)
        return tuple(found)

    def restore(self, manifest: Manifest, folder: Path, collection: str) -> None:
        """Let a collection that was restored from an archive have what was ingested. Harmless twice.

        Raises:
            CatalogUnavailable: a list cannot be copied into the workspace.
            LedgerUnavailable
        """
        try:
            for name in manifest.lists:
                self.copies.mkdir(exist_ok=True)
                if not (self.copies / name).exists():
                    _copied(folder / name, self.copies / name)
        except OSError as error:
            raise CatalogUnavailable(
                f"The lists of {manifest.archive} cannot be copied into {self.copies}: {error.strerror or error}.",
                "Check that the workspace may be written and has space left, then resume.",
            ) from error
        self.put_back(collection, manifest.ingested)


def check_lists(manifest: Manifest, folder: Path) -> None:
    """Compare the lists in an archive with their names, which are digests of them.

    Raises:
        BackupDamaged, BackupUnavailable
    """
    for name in manifest.lists:
        try:
            sound = bool(COPY.fullmatch(name)) and digest_of(folder / name) == name.partition(".")[0]
        except FileNotFoundError as error:
            raise damaged(manifest.archive, Damage.LIST_MISSING, f"the list {name} is not there.") from error
        except OSError as error:
            raise BackupUnavailable(
                f"{folder / name} cannot be read: {error.strerror or error}.", "Check the permissions of its folder."
            ) from error
        if not sound:
            raise damaged(manifest.archive, Damage.LIST_CHANGED, f"the list {name} is not as it was saved.")


def digest_of(file: Path) -> str:
    """What the copy of a list is called after; it is read a little at a time.

    Raises:
        OSError
    """
    digest = blake2b(digest_size=12)
    with file.open("rb") as stream:
        while some := stream.read(1 << 20):
            digest.update(some)
    return digest.hexdigest()


def _names(ingested: Ingested) -> list[str]:
    return sorted({one.copy for one in ingested.intakes if COPY.fullmatch(one.copy)})


def _copied(file: Path, to: Path) -> None:
    draft = to.with_name(f"{to.name}{DRAFT}")
    try:
        with file.open("rb") as source, draft.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())
        put_in_place(draft, to)
    finally:
        draft.unlink(missing_ok=True)
