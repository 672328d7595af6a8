"""The catalog of an image list: one picture a line, `path,label,…`."""

import csv
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path

from sqlalchemy import Table, select

from console_core.catalog.columns import FacetColumn
from console_core.catalog.delimited import NAMED, lines_in_words, numbered_lines
from console_core.catalog.index import Index, IndexedFile, file_unavailable
from console_core.catalog.listing import told_by_path
from console_core.catalog.names import names_user, on_disk, printable, told
from console_core.catalog.row_key import RowKey
from console_core.catalog.row_mapping import Query, Record
from console_core.catalog.table_file import reflected
from console_core.catalog.table_rows import TableRows
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, Slice
from console_core.catalog.web_addresses import is_address
from console_core.errors import CatalogInvalid

FACETS = ("label", "folder", "extension")
_COLUMNS = ("key", *FACETS, "columns")
_REPEATS = "FROM rows AS later WHERE EXISTS (SELECT 1 FROM rows WHERE c0 = later.c0 AND line < later.line)"


class ImageListCatalog:
    """The pictures of a list; the key is the path as the list has it, relative to the list's own folder, absolute, or
    an address.

    Lines that are empty or begin with # are left out, and so is a first line whose first word is `path`; quotes are
    CSV's. The second column is the label, further ones are column_3, column_4 and so on. A changed list is read again
    at the next question; a pass that is under way ends as it began. Memory is bounded by one page.
    """

    def __init__(self, file: Path, cache: Path | None = None, *, dry: bool = False) -> None:
        """Read the list, unless what was read of it lies in `cache` already. `dry`: nothing is written there.

        Raises:
            CatalogUnavailable: it cannot be read, or there is no room for what is read.
            CatalogInvalid: it is not text, a line is malformed, or two lines contradict each other.
        """
        self.file = Path(file).absolute()
        self.folder = self.file.parent
        self._file = IndexedFile(self.file, partial(fill, self.file), "an image list", cache, dry=dry)
        self._last: tuple[Index, TableRows] | None = None
        self._rows()

    def info(self) -> CatalogInfo:
        remembered = self._file.current().remembered
        details = {"pictures": str(remembered["pictures"])}
        if remembered["repeated"]:
            details["repeated lines left out"] = remembered["repeated"]
        return CatalogInfo("list", str(self.file), FACETS, details)

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The number of pictures in the slice, optionally of those behind a key."""
        return self._rows().count(part, after=after)

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Pictures in ascending order of their keys (not of the list's lines), strictly behind `after`."""
        return self._rows().rows(part, after=after)

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The pictures with these keys that are in the list, in the order asked for."""
        return self._rows().get(keys)

    def check_keys(self) -> None:
        """Nothing to find: keys are paths, each once, sorted by the console itself."""

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of pictures."""
        return self._rows().facets()

    def close(self) -> None:
        self._last = None
        self._file.close()

    def _rows(self) -> TableRows:
        index = self._file.current()
        last = self._last
        if last is None or last[0] is not index:
            table = reflected({"columns": _COLUMNS, "kinds": ["String"] * len(_COLUMNS)})
            facets = {name: FacetColumn(table.c[name]) for name in FACETS}
            mapping = _Lines(table, self.folder)
            last = self._last = index, TableRows(index, table, [table.c.key], facets, mapping, title=self.file.name)
        return last[1]


class _Lines:
    """How what was read of lines becomes rows. Pictures that are files are looked at: a revision is theirs too."""

    def __init__(self, table: Table, folder: Path) -> None:
        self._table = table
        self._folder = folder

    def select(self, key: RowKey) -> Query:
        return select(*key.expressions, *(self._table.c[name] for name in _COLUMNS[1:]))

    def rows(self, records: Iterable[Record], key: RowKey) -> Iterator[ImageRow]:
        for identity, *_, columns in records:
            yield listed_row(self._folder, identity, tuple(json.loads(columns)))


def listed_row(folder: Path, key: str, columns: tuple[str, ...]) -> ImageRow:
    """The row of a picture whose line has these columns behind the path; relative paths start from the folder."""
    label, about = "".join(columns[:1]), _told(key)
    extra = {f"column_{number}": value for number, value in enumerate(columns[1:], start=3)}
    payload = {"type": "image", "path": key, **about, "label": label, **extra}
    path, file = (key, (0, 0)) if is_address(key) else _on_disk(folder, key)
    revision = blake2b(ascii((columns, file)).encode("ascii"), digest_size=8).hexdigest()
    facets = {"label": label, "folder": about["folder"], "extension": about["extension"]}
    return ImageRow(key, (path,), payload, revision, facets)


def _on_disk(folder: Path, key: str) -> tuple[str, tuple[int, int]]:
    """The path of a file, and its size and time."""
    path = folder / on_disk(key)
    try:
        state = path.stat()
    except (OSError, ValueError):  # why it cannot be had is for the image store to say
        return printable(str(path)), (0, 0)
    return printable(str(path)), (state.st_size, state.st_mtime_ns)


def _told(key: str) -> dict[str, str]:
    return told_by_path(key.partition("?")[0] if is_address(key) else key)


def fill(file: Path, connection: sqlite3.Connection) -> dict[str, object]:
    """Read a list into the table `rows`: of each picture the path in c0, and in c4 all columns behind it.

    Raises:
        CatalogUnavailable, CatalogInvalid
    """
    connection.execute("CREATE TABLE rows (line INTEGER PRIMARY KEY, c0, c1, c2, c3, c4)")
    try:
        with file.open(encoding="utf-8-sig", errors="surrogateescape", newline=None) as stream:
            connection.executemany(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?)", _records(numbered_lines(stream, file), file)
            )
    except OSError as error:
        raise file_unavailable(file, error) from error
    repeated = ""
    try:
        connection.execute("CREATE UNIQUE INDEX by_key ON rows (c0)")
    except sqlite3.IntegrityError:
        repeated = _without_repeats(file, connection)
    ((pictures,),) = connection.execute("SELECT count(*) FROM rows")
    return {"pictures": pictures, "repeated": repeated}


def _without_repeats(file: Path, connection: sqlite3.Connection) -> str:
    """Leave the first of lines that say the same, and tell the others.

    Raises:
        CatalogInvalid: two lines of one picture say different things.
    """
    connection.execute("CREATE INDEX alike ON rows (c0, line)")
    differing = "SELECT c0, min(line) FROM rows GROUP BY c0 HAVING min(c4) <> max(c4) ORDER BY min(line) LIMIT 1"
    for path, first in connection.execute(differing):
        others = "SELECT min(line) FROM rows WHERE c0 = ? AND c4 <> (SELECT c4 FROM rows WHERE line = ?)"
        ((second,),) = connection.execute(others, (path, first))
        raise CatalogInvalid(
            f"{file} says two things about {told(path)}: line {first} and line {second}.",
            "Remove one of the two lines.",
        )
    ((number,),) = connection.execute(f"SELECT count(*) {_REPEATS}")
    lines = [line for (line,) in connection.execute(f"SELECT line {_REPEATS} ORDER BY line LIMIT {NAMED}")]
    connection.execute(f"DELETE FROM rows WHERE line IN (SELECT line {_REPEATS})")
    connection.execute("DROP INDEX alike")
    connection.execute("CREATE UNIQUE INDEX by_key ON rows (c0)")
    return lines_in_words(lines, number)


def _records(lines: Iterable[tuple[int, str]], file: Path) -> Iterator[tuple[int | str, ...]]:
    """The line number, the path, what it tells and all columns behind it, of every line that names a picture."""
    is_first = True
    for number, line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            cells = next(csv.reader([text], skipinitialspace=True, strict=True))
        except csv.Error as error:
            raise CatalogInvalid(
                f"Line {number} of {file} is malformed: {error}.", 'Write quotes as CSV does: "a, b.jpg",label.'
            ) from error
        if not cells[0].strip():
            raise CatalogInvalid(f"Line {number} of {file} has no path.", "The path is the first column of a line.")
        if not (is_first and cells[0].strip().lower() == "path"):
            path, *rest = (printable(cell.strip()) for cell in cells)
            if is_address(path) and names_user(path):  # before a key is made of it, which is stored and shown
                raise CatalogInvalid(
                    f"Line {number} of {file} has a user's name or a password in its address.",
                    "Take it out of the list: what a server asks for is set under [images] (docs/object-storage.md).",
                )
            about = _told(path)
            yield number, path, "".join(rest[:1]), about["folder"], about["extension"], json.dumps(rest)
        is_first = False
