"""The catalog of an image list: one picture a line, `path,label,…`."""

import csv
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from console_core.catalog.listing import facet_counts, selected, told_by_path
from console_core.catalog.names import on_disk, printable
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.catalog.web_addresses import is_address
from console_core.errors import CatalogInvalid, CatalogUnavailable

FACETS = ("label", "folder", "extension")


@dataclass(frozen=True, slots=True)
class _Listing:
    """What the file said when it had this size and time. `columns` are those behind the path."""

    state: tuple[int, int]
    columns: Mapping[str, tuple[str, ...]]
    keys: tuple[str, ...]
    repeated: tuple[int, ...]


class ImageListCatalog:
    """The pictures of a list; the key is the path as the list has it, relative to the list's own folder (or to another
    one that is given), absolute, or an address.

    Lines that are empty or begin with # are left out, and so is a first line whose first word is `path`; quotes are
    CSV's. The second column is the label, further ones are column_3, column_4 and so on. Memory: the whole list. A
    changed list is read again at the next question.
    """

    def __init__(self, file: Path, folder: Path | None = None) -> None:
        """Read the list, whose relative paths start from `folder`: by default its own.

        Raises:
            CatalogUnavailable: it cannot be read.
            CatalogInvalid: it is not text, a line is malformed, or two lines contradict each other.
        """
        self.file = Path(file).absolute()
        self.folder = self.file.parent if folder is None else Path(folder).absolute()
        self._reading = threading.Lock()
        self._last = _read(self.file)

    def info(self) -> CatalogInfo:
        listing = self._listing()
        details = {"pictures": str(len(listing.keys))}
        if listing.repeated:
            lines = ", ".join(map(str, listing.repeated[:10])) + (", …" if len(listing.repeated) > 10 else "")
            details["repeated lines left out"] = f"{len(listing.repeated)} (line {lines})"
        return CatalogInfo("list", str(self.file), FACETS, details)

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The number of pictures in the slice, optionally of those behind a key."""
        return sum(1 for _ in self._selected(self._listing(), part, after))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Pictures in ascending order of their keys (not of the list's lines), strictly behind `after`."""
        listing = self._listing()
        return (self._row(key, listing.columns[key]) for key in self._selected(listing, part, after))

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The pictures with these keys that are in the list, in the order asked for."""
        columns = self._listing().columns
        return [self._row(key, columns[key]) for key in keys if key in columns]

    def check_keys(self) -> None:
        """Nothing to find: keys are paths, each once, sorted by the console itself."""

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of pictures."""
        listing = self._listing()
        return facet_counts(listing.keys, FACETS, lambda key: _facets(key, listing.columns[key]))

    def all_keys(self) -> tuple[str, ...]:
        """The keys of all pictures, ascending; the same object until the list is read again."""
        return self._listing().keys

    def row(self, key: str) -> ImageRow | None:
        """The row of one of those keys; None where the list does not name it any more."""
        columns = self._listing().columns
        return self._row(key, columns[key]) if key in columns else None

    def label(self, key: str) -> str:
        """The label of one of those keys; "" where it has none."""
        return "".join(self._listing().columns.get(key, ())[:1])

    def close(self) -> None:
        """Nothing is held open."""

    def _selected(self, listing: _Listing, part: Slice, after: str | None) -> Iterator[str]:
        return selected(listing.keys, part, after, FACETS, lambda key: _facets(key, listing.columns[key]))

    def _row(self, key: str, columns: tuple[str, ...]) -> ImageRow:
        extra = {f"column_{number}": value for number, value in enumerate(columns[1:], start=3)}
        payload = {"type": "image", "path": key, **_told(key), "label": "".join(columns[:1]), **extra}
        path, file = key, (0, 0)
        if not is_address(key):
            path, file = self._on_disk(key)
        revision = blake2b(ascii((columns, file)).encode("ascii"), digest_size=8).hexdigest()
        return ImageRow(key, (path,), payload, revision, _facets(key, columns))

    def _on_disk(self, key: str) -> tuple[str, tuple[int, int]]:
        """The path of a file, and its size and time."""
        path = self.folder / on_disk(key)
        try:
            state = path.stat()
        except (OSError, ValueError):  # why it cannot be had is for the image store to say
            return printable(str(path)), (0, 0)
        return printable(str(path)), (state.st_size, state.st_mtime_ns)

    def _listing(self) -> _Listing:
        with self._reading:
            if _state(self.file) != self._last.state:
                self._last = _read(self.file)
            return self._last


def _facets(key: str, columns: tuple[str, ...]) -> dict[str, str]:
    told = _told(key)
    return {"label": "".join(columns[:1]), "folder": told["folder"], "extension": told["extension"]}


def _told(key: str) -> dict[str, str]:
    return told_by_path(key.partition("?")[0] if is_address(key) else key)


def _state(file: Path) -> tuple[int, int]:
    try:
        state = file.stat()
    except OSError as error:
        raise _unavailable(file, error) from error
    return state.st_size, state.st_mtime_ns


def _read(file: Path) -> _Listing:
    state = _state(file)
    columns: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    repeated: list[int] = []
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as stream:
            for number, (path, *rest) in _records(stream, file):
                if columns.setdefault(path, tuple(rest)) != tuple(rest):
                    raise CatalogInvalid(
                        f"{file} says two things about {path}: line {lines[path]} and line {number}.",
                        "Remove one of the two lines.",
                    )
                if lines.setdefault(path, number) != number:
                    repeated.append(number)
    except OSError as error:
        raise _unavailable(file, error) from error
    return _Listing(state, columns, tuple(sorted(columns)), tuple(repeated))


def _records(stream: Iterable[str], file: Path) -> Iterator[tuple[int, list[str]]]:
    """The line number and the cells of every line that names a picture."""
    is_first = True
    for number, line in enumerate(stream, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if "\0" in text:
            raise CatalogInvalid(f"Line {number} of {file} is not text in UTF-8.", "Save the list as UTF-8 text.")
        try:
            cells = next(csv.reader([text], skipinitialspace=True, strict=True))
        except csv.Error as error:
            raise CatalogInvalid(
                f"Line {number} of {file} is malformed: {error}.", 'Write quotes as CSV does: "a, b.jpg",label.'
            ) from error
        if not cells[0].strip():
            raise CatalogInvalid(f"Line {number} of {file} has no path.", "The path is the first column of a line.")
        if not (is_first and cells[0].strip().lower() == "path"):
            yield number, [printable(cell.strip()) for cell in cells]
        is_first = False


def _unavailable(file: Path, error: OSError) -> CatalogUnavailable:
    return CatalogUnavailable(
        f"The image list {file} cannot be read: {error.strerror or error}.", "Check that it exists and may be read."
    )
