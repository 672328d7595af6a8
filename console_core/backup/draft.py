"""An archive in the making: a folder with finished parts, and a line about each in a file beside them.

Nothing but the manifest makes it an archive. Until then it can be gone on with after any number of its parts.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from console_core.backup import manifest as manifests
from console_core.backup.durable import DRAFT, sync_folder, write_durably, writing
from console_core.backup.manifest import Manifest, Part, Saved
from console_core.backup.parts import PATTERN
from console_core.errors import BackupUnavailable
from console_core.vectorstore.signature import Signature
from console_core.vectorstore.types import PointId

FILE = "unfinished.jsonl"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What was known before the first point was read."""

    collection: Saved
    points_before: int
    began: datetime

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"began": self.began.isoformat()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Beginning":
        began = datetime.fromisoformat(data["began"])
        return cls(Saved.from_json(data["collection"]), data["points_before"], began)


class Draft:
    """`parts` are those that are finished, `signature` is that of their points."""

    def __init__(self, folder: Path, beginning: Beginning, lines: Sequence[Mapping[str, Any]]) -> None:
        self.folder = folder
        self.beginning = beginning
        self.parts = [Part(**line["part"]) for line in lines]
        self.signature = Signature.from_json(lines[-1]["signature"]) if lines else Signature()

    @classmethod
    def begin(cls, folder: Path, beginning: Beginning) -> "Draft":
        """An empty folder with nothing but a beginning; what was in it is gone.

        Raises:
            BackupFull, BackupUnavailable
        """
        with writing(folder.parent):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
            sync_folder(folder.parent)
            write_durably(folder / FILE, _line(beginning.as_json()))
        return cls(folder, beginning, ())

    @classmethod
    def reopen(cls, folder: Path, parts: int) -> "Draft":
        """Go on behind so many parts: later ones, and halves of any, are removed.

        Raises:
            BackupUnavailable: they are not all there any more.
        """
        with writing(folder):
            lines = _lines(folder)
            if len(lines) < 1 + parts:
                raise _gone(folder)
            draft = cls(folder, Beginning.from_json(lines[0]), lines[1 : 1 + parts])
            known = {part.file: part.bytes for part in draft.parts}
            for file in [*folder.glob(PATTERN), *folder.glob(f"*{DRAFT}")]:
                if file.name not in known:
                    file.unlink()
            if any(_size(folder / name) != size for name, size in known.items()):
                raise _gone(folder)
            write_durably(folder / FILE, "".join(_line(line) for line in lines[: 1 + parts]))
        return draft

    @property
    def last(self) -> PointId | None:
        return self.parts[-1].last if self.parts else None

    @property
    def points(self) -> int:
        return sum(part.rows for part in self.parts)

    def add(self, part: Part, signature: Signature) -> None:
        """Write down a finished part. `signature` is that of all points so far.

        Raises:
            BackupFull, BackupUnavailable
        """
        with writing(self.folder), (self.folder / FILE).open("a", encoding="utf-8") as stream:
            stream.write(_line({"part": asdict(part), "signature": signature.as_json()}))
            stream.flush()
            os.fsync(stream.fileno())
        self.parts.append(part)
        self.signature = signature

    def finish(self, manifest: Manifest) -> None:
        """Make it an archive.

        Raises:
            BackupFull, BackupUnavailable
        """
        with writing(self.folder):
            write_durably(self.folder / manifests.FILE, manifest.as_text())
        tidy(self.folder)


def beginning_of(folder: Path) -> Beginning | None:
    """What an unfinished archive was begun with; None where that cannot be told."""
    try:
        return Beginning.from_json(_lines(folder)[0])
    except (OSError, IndexError, KeyError, TypeError, ValueError):
        return None


def tidy(folder: Path) -> None:
    """Remove what a finished archive does not need any more."""
    with writing(folder):
        (folder / FILE).unlink(missing_ok=True)


def _lines(folder: Path) -> list[dict[str, Any]]:
    """All whole lines; a disk that became full may have left half of one."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines(keepends=True):
        try:
            found.append(json.loads(line))
        except ValueError:
            break
        if not line.endswith("\n"):
            break
    return found


def _line(data: Mapping[str, Any]) -> str:
    return json.dumps(data, sort_keys=True, separators=(",", ":")) + "\n"


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else -1


def _gone(folder: Path) -> BackupUnavailable:
    return BackupUnavailable(
        f"Parts of the unfinished backup {folder.name} are missing: somebody deleted or changed them.",
        "Cancel this run, delete what is left of the backup, and back up again.",
    )
