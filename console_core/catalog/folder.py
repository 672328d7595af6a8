"""The catalog of a folder: every picture file in it, by its path."""

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from console_core.catalog.listing import facet_counts, selected, told_by_path
from console_core.catalog.names import on_disk, printable
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.errors import CatalogUnavailable

EXTENSIONS = frozenset({"jpg", "jpeg", "png", "gif", "bmp", "webp"})
FACETS = ("folder", "extension")
FRESH_SECONDS = 5.0
SETTLED = 2_000_000_000
"""Nanoseconds after which a change of a folder has another time than the one before, on any file system."""
_State = tuple[int, int, int, int]
"""Of a folder: its device and number there, and when its entries and its permissions were changed."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """`folders` are those that were read, with what tells that one has changed; None where nothing would tell it."""

    keys: tuple[str, ...]
    closed_folders: tuple[str, ...]
    read_at: float
    folders: Mapping[str, _State] | None


class FolderCatalog:
    """The pictures below a folder; the key is the path from there with forward slashes.

    Names that begin with a dot are left out. Links are followed, but no folder is listed twice. Memory: one string
    for each picture. When the last look is older than `fresh` seconds, a folder that has changed is read again.
    """

    def __init__(self, root: Path, *, recursive: bool = True, fresh: float = FRESH_SECONDS) -> None:
        """Check that there is such a folder.

        Raises:
            CatalogUnavailable: it is not there, or may not be read.
        """
        self.root = Path(root).absolute()
        self.recursive = recursive
        self._fresh = fresh
        self._reading = threading.Lock()
        self._last: _Listing | None = None
        try:
            with os.scandir(self.root):
                pass
        except OSError as error:
            raise _unavailable(self.root, error) from error

    def info(self) -> CatalogInfo:
        closed = self._listing().closed_folders
        details = {"subfolders": "included" if self.recursive else "left out"}
        if closed:
            details["folders that may not be read"] = ", ".join(closed)
        return CatalogInfo("folder", str(self.root), FACETS, details)

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The number of pictures in the slice, optionally of those behind a key."""
        return sum(1 for _ in self._selected(part, after))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Pictures in ascending order of their keys, strictly behind `after`; those deleted meanwhile are left out."""
        return (row for key in self._selected(part, after) if (row := self._row(key)) is not None)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The pictures with these keys that exist, in the order asked for.

        Raises:
            CatalogUnavailable: of one that lies in a folder which may not be read now, nobody knows whether it exists.
        """
        listing = self._listing()
        existing = frozenset(listing.keys)
        self.refuse_hidden([key for key in keys if key not in existing])
        return [row for key in keys if key in existing and (row := self._row(key)) is not None]

    def refuse_hidden(self, keys: Sequence[str]) -> None:
        """Refuse to say of pictures that are not listed that they do not exist.

        Raises:
            CatalogUnavailable: one of them would lie in a folder which may not be read now.
        """
        for folder in self._listing().closed_folders:
            if hidden := next((key for key in keys if key.startswith(f"{folder}/")), None):
                raise CatalogUnavailable(
                    f"The folder {folder} may not be read, so that nobody knows whether {hidden} is in it.",
                    "Let the console's user read it, or take it out of the catalog's folder.",
                )

    def check_keys(self) -> None:
        """Nothing to find: keys are paths, each once, sorted by the console itself."""

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of pictures."""
        return facet_counts(self._listing().keys, FACETS, _facets)

    def all_keys(self) -> tuple[str, ...]:
        """The keys of all pictures, ascending; the same object until the folder is read again."""
        return self._listing().keys

    def row(self, key: str) -> ImageRow | None:
        """The row of one of those keys; None where its file was deleted meanwhile."""
        return self._row(key)

    def renew(self) -> None:
        """Look at the next question whether the folder has changed, however fresh the last look is.

        Raises CatalogUnavailable: it is not there any more.
        """
        try:
            self.root.stat()
        except OSError as error:
            raise _unavailable(self.root, error) from error
        with self._reading:
            if self._last is not None:
                self._last = replace(self._last, read_at=-math.inf)

    def close(self) -> None:
        self._last = None

    def _selected(self, part: Slice, after: str | None) -> Iterator[str]:
        return selected(self._listing().keys, part, after, FACETS, _facets)

    def _row(self, key: str) -> ImageRow | None:
        return file_row(key, self.root / on_disk(key))

    def _listing(self) -> _Listing:
        with self._reading:
            last = self._last
            if last is None or time.monotonic() - last.read_at >= self._fresh:
                if last is not None and _is_unchanged(self.root, last):
                    last = replace(last, read_at=time.monotonic())
                else:
                    last = _read(self.root, self.recursive)
                self._last = last
            return last


def file_row(key: str, path: Path) -> ImageRow | None:
    """A row that says of a picture what its key, a path with slashes, and its file do; None where there is no file."""
    try:
        state = path.stat()
        said = f"{state.st_size} {state.st_mtime_ns}"
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # it may exist; why it cannot be had is for the image store to say
        said = str(getattr(error, "errno", ""))
    payload = {"type": "image", "path": key, **told_by_path(key)}
    revision = blake2b(said.encode(), digest_size=8).hexdigest()
    return ImageRow(key, (printable(str(path)),), payload, revision, _facets(key))


def _facets(key: str) -> dict[str, str]:
    told = told_by_path(key)
    return {name: told[name] for name in FACETS}


def _read(root: Path, recursive: bool) -> _Listing:
    """All pictures below the root. Real folders come before linked ones, so that a link never renames a picture."""
    keys: list[str] = []
    closed: list[str] = []
    visited: set[tuple[int, int]] = set()
    folders: dict[str, _State] = {}
    telling, began = True, time.time_ns()
    real, linked = deque([""]), deque[str]()
    while real or linked:
        prefix = real.popleft() if real else linked.popleft()
        try:
            identity = os.stat(root / prefix)  # noqa: PTH116
            if (identity.st_dev, identity.st_ino) in visited:
                telling = False  # a link may lead elsewhere one day
                continue
            visited.add((identity.st_dev, identity.st_ino))
            folders[prefix] = _state(identity)
            with os.scandir(root / prefix) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    if entry.name.startswith("."):
                        continue
                    if _holds(entry.is_dir):
                        if recursive:
                            (linked if entry.is_symlink() else real).append(f"{prefix}{entry.name}/")
                        continue
                    telling = telling and not entry.is_symlink()  # what it leads to may come and go
                    if told_by_path(entry.name)["extension"] in EXTENSIONS and _holds(entry.is_file):
                        keys.append(printable(prefix + entry.name))
        except OSError as error:
            if not prefix or not isinstance(error, PermissionError | FileNotFoundError | NotADirectoryError):
                raise _unavailable(root / prefix, error) from error
            if isinstance(error, PermissionError):
                closed.append(printable(prefix.rstrip("/")))
            telling = telling and prefix in folders
    telling = telling and all(max(changed) < began - SETTLED for _, _, *changed in folders.values())
    return _Listing(tuple(sorted(keys)), tuple(closed), time.monotonic(), folders if telling else None)


def _is_unchanged(root: Path, listing: _Listing) -> bool:
    """Whether all folders are as they were when they were read, as far as they tell."""
    try:
        known = listing.folders
        return known is not None and all(_state(os.stat(root / prefix)) == known[prefix] for prefix in known)  # noqa: PTH116
    except OSError:
        return False


def _state(identity: os.stat_result) -> _State:
    return identity.st_dev, identity.st_ino, identity.st_mtime_ns, identity.st_ctime_ns


def _holds(question: Callable[[], bool]) -> bool:
    """What an entry says of itself; a link that leads in a circle or to a closed place says no."""
    try:
        return question()
    except OSError:
        return False


def _unavailable(folder: Path, error: OSError) -> CatalogUnavailable:
    return CatalogUnavailable(
        f"The folder {printable(str(folder))} cannot be read: {error.strerror or error}.",
        "Check that it exists, is mounted, and may be read by the console's user.",
    )
