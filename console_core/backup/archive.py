"""A finished archive, opened: nothing of it is believed before it was checked against its manifest."""

from collections.abc import Iterator
from pathlib import Path

from console_core.backup import manifest as manifests
from console_core.backup.damage import Damage, damaged
from console_core.backup.lists import check_lists
from console_core.backup.manifest import Manifest, Part
from console_core.backup.parts import PATTERN, PartReader, part_file
from console_core.errors import BackupUnavailable
from console_core.vectorstore.signature import Signature, Signing
from console_core.vectorstore.types import Point, PointId


class Archive:
    """A folder with a manifest and its parts. What is read from it is as it was written, or a BackupDamaged."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._reader = PartReader(folder, manifest.archive, manifest.collection.dimension)

    @classmethod
    def open(cls, folder: Path) -> "Archive":
        """Read the manifest, and look whether its parts are there in their sizes; their bytes are not read.

        Raises:
            BackupDamaged: naming the damage. A backup that was never finished is one.
            BackupUnavailable: the folder cannot be read.
        """
        archive = cls(folder, read_manifest(folder))
        archive._refuse_extra_parts()
        archive._refuse_sizes()
        return archive

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.manifest.parts

    def pages(self, number: int) -> Iterator[list[Point]]:
        """The points of one part in id order, a few megabytes at a time, after its SHA-256 was compared."""
        return self._reader.pages(number, self.parts[number], self.before(number))

    def before(self, number: int) -> PointId | None:
        """The last id before a part."""
        return self.parts[number - 1].last if number else None

    def check(self) -> Iterator[int]:
        """Read everything and compare it with the manifest; yields the points of each part once they are found good.

        Raises:
            BackupDamaged, BackupUnavailable
        """
        check_lists(self.manifest, self.folder)
        signing, total = Signing(), 0
        for number in range(len(self.parts)):
            rows = 0
            for points in self.pages(number):
                signing.add(points)
                rows += len(points)
            total += rows
            yield rows
        if total != self.manifest.points:
            detail = f"its parts have {total:,} points, the manifest says {self.manifest.points:,}."
            raise damaged(self.manifest.archive, Damage.ROWS, detail)
        if not signing.signature().same_as(self.signature):
            detail = "its points are not those that were signed when it was made."
            raise damaged(self.manifest.archive, Damage.CONTENT, detail)

    @property
    def signature(self) -> Signature:
        """The signature of its points, as recorded."""
        try:
            return Signature.from_json(self.manifest.signature)
        except (KeyError, TypeError, ValueError) as error:
            detail = "the digest of its content is no signature."
            raise damaged(self.manifest.archive, Damage.MANIFEST_UNREADABLE, detail) from error

    def _refuse_extra_parts(self) -> None:
        known = {part.file for part in self.parts}
        extra = sorted(file.name for file in self.folder.glob(PATTERN) if file.name not in known)
        if extra:
            detail = f"it has {extra[0]}, of which its manifest knows nothing."
            raise damaged(self.manifest.archive, Damage.PART_EXTRA, detail)

    def _refuse_sizes(self) -> None:
        """The usual damages, found without reading; `pages` would name them too."""
        for number, part in enumerate(self.parts):
            self._reader.check_size(number, part)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a finished archive.

    Raises:
        BackupDamaged, BackupUnavailable
    """
    try:
        text = (folder / manifests.FILE).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise damaged(folder.name, Damage.UNFINISHED, "it has no manifest, which is written last.") from error
    except UnicodeDecodeError as error:
        raise damaged(folder.name, Damage.MANIFEST_UNREADABLE, "its manifest is not text.") from error
    except OSError as error:
        raise BackupUnavailable(
            f"The backup in {folder} cannot be read: {error.strerror or error}.", "Check its folder's permissions."
        ) from error
    found = Manifest.from_text(text, folder.name)
    if found.archive != folder.name:
        detail = f"its manifest is that of the backup {found.archive}."
        raise damaged(folder.name, Damage.MANIFEST_FOREIGN, detail)
    if [part.file for part in found.parts] != [part_file(number) for number in range(len(found.parts))]:
        raise damaged(folder.name, Damage.PART_MISPLACED, "its manifest names its parts in another order.")
    return found
