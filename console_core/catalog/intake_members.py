"""The folders and lists of intakes, each opened once for all who ask, and read again where it has changed only."""

import json
import os
import sqlite3
import threading
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from console_core.catalog.folder import FolderCatalog
from console_core.catalog.image_list import fill, listed_row
from console_core.catalog.index import IndexedFile
from console_core.catalog.intake import Intake, Places
from console_core.catalog.names import on_disk, printable
from console_core.catalog.types import ImageRow
from console_core.catalog.web_addresses import is_address

KEPT = 500
"""Folders and lists that stay open while nobody asks for them."""
PAGE = 1000
_CHUNK = 500
_MEMORY = 1000
"""Kilobytes of an index that stay in memory; there may be hundreds of lists."""
_BEHIND = "SELECT path, inner, columns FROM placed WHERE path > ? ORDER BY path LIMIT ?"


class Told(NamedTuple):
    """A picture as a folder or a list tells it: its `path` as the image store takes it, by which they are ordered; the
    path that it has there; and what a list says behind it, as a JSON array, "" of a folder."""

    path: str
    inner: str
    columns: str = ""

    @property
    def label(self) -> str:
        return "".join(json.loads(self.columns)[:1]) if self.columns else ""


class FolderMember:
    """The pictures below a folder. Memory: a string for each."""

    def __init__(self, intake: Intake, places: Places) -> None:
        """Raises CatalogUnavailable: there is no such folder, or it may not be read."""
        self._places = places
        self._catalog = FolderCatalog(intake.folder(places), recursive=intake.recursive)
        self._base = Path(os.path.normpath(self._catalog.root))
        self._before = _before(self._base, places)
        self._last: tuple[Sequence[str], Sequence[str]] = ((), ())

    def renew(self) -> None:
        """Look at the next question whether the folder has changed. Raises CatalogUnavailable: it is gone by now."""
        self._catalog.renew()

    def count(self, after: str | None) -> int:
        """How many pictures are behind a path, or there are at all."""
        keys = self._keys()
        return len(keys) - (bisect_right(keys, after, key=self._path) if after is not None else 0)

    def told(self, after: str | None, page: int = PAGE) -> Iterator[Told]:
        """All pictures behind a path, by their paths; a pass ends as it began."""
        keys = self._keys()
        start = 0 if after is None else bisect_right(keys, after, key=self._path)
        return (Told(self._path(keys[place]), keys[place]) for place in range(start, len(keys)))

    def among(self, paths: Sequence[str]) -> dict[str, Told]:
        """Those of the paths that are there."""
        keys, found = self._keys(), {}
        for path in paths:
            place = bisect_left(keys, path, key=self._path)
            if place < len(keys) and self._path(keys[place]) == path:
                found[path] = Told(path, keys[place])
        return found

    def row(self, told: Told) -> ImageRow | None:
        """The row of a picture, under the path that it has here; None where its file was deleted meanwhile."""
        return self._catalog.row(told.inner)

    def refuse_hidden(self, paths: Sequence[str]) -> None:
        """See `FolderCatalog.refuse_hidden`."""
        below = [self._places.path(path) for path in paths if not is_address(path)]
        inner = [path.relative_to(self._base) for path in below if path.is_relative_to(self._base)]
        self._catalog.refuse_hidden([printable(path.as_posix()) for path in inner])

    def close(self) -> None:
        self._catalog.close()

    def _keys(self) -> Sequence[str]:
        """The folder's keys in the order of their paths; that is another one where the first image root lies below."""
        keys = self._catalog.all_keys()
        if self._before is not None:
            return keys
        last = self._last
        if last[0] is not keys:
            last = self._last = keys, sorted(keys, key=self._path)
        return last[1]

    def _path(self, inner: str) -> str:
        if self._before is not None:
            return self._before + inner
        return self._places.text(self._base / on_disk(inner))


class ListMember:
    """The pictures of a list, each once, however often and with whatever spelling it names them. Memory: a page."""

    def __init__(self, intake: Intake, places: Places, cache: Path | None, *, dry: bool) -> None:
        """Read the list, unless what was read of it lies in `cache` already.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        self._folder = intake.folder(places)
        file = intake.file(places)
        apart = f"{self._folder}\0{places.roots[:1]}"
        placed = partial(_fill, file, self._placed(places))
        self._file = IndexedFile(file, placed, "an ingested list", cache, dry=dry, apart=apart, memory=_MEMORY)
        self._file.current()

    def renew(self) -> None:
        """Read the list again where it has changed. Raises CatalogUnavailable, CatalogInvalid."""
        self._file.current()

    def count(self, after: str | None) -> int:
        """How many pictures are behind a path, or there are at all."""
        with self._file.current().connection() as connection:
            query = "SELECT count(*) FROM placed WHERE path > ?"
            return int(connection.exec_driver_sql(query, (after or "",)).scalar_one())

    def told(self, after: str | None, page: int = PAGE) -> Iterator[Told]:
        """All pictures behind a path, by their paths, so many at a time; a pass ends as it began."""
        index, behind = self._file.current(), after or ""
        while True:
            with index.connection() as connection:
                found = [Told(*one) for one in connection.exec_driver_sql(_BEHIND, (behind, page))]
            yield from found
            if len(found) < page:
                return
            behind = found[-1].path

    def among(self, paths: Sequence[str]) -> dict[str, Told]:
        """Those of the paths that the list names."""
        found: dict[str, Told] = {}
        wanted = list(filter(_is_text, paths))
        with self._file.current().connection() as connection:
            for start in range(0, len(wanted), _CHUNK):
                some = tuple(wanted[start : start + _CHUNK])
                query = f"SELECT path, inner, columns FROM placed WHERE path IN ({', '.join('?' * len(some))})"
                told = (Told(*record) for record in connection.exec_driver_sql(query, some))
                found |= {one.path: one for one in told}
        return found

    def row(self, told: Told) -> ImageRow:
        """The row of a picture, under the path that the list has."""
        return listed_row(self._folder, told.inner, tuple(json.loads(told.columns)))

    def refuse_hidden(self, paths: Sequence[str]) -> None:
        """Nothing to find: a list says all that it has."""

    def close(self) -> None:
        self._file.close()

    def _placed(self, places: Places) -> Callable[[str], str]:
        """From a path as the list has it to the one that the image store takes; of most that is told by its letters."""
        before = _before(Path(os.path.normpath(self._folder)), places)

        def placed(inner: str) -> str:
            plain = before is not None and "/." not in f"/{inner}" and "//" not in f"/{inner}/" and "\\" not in inner
            return f"{before}{inner}" if plain else places.picture(self._folder, inner)

        return placed


Member = FolderMember | ListMember


class Members:
    """Opens the folders and lists of intakes, which are below `places`. Safe to use from several threads."""

    def __init__(self, places: Places, cache: Path | None = None, *, dry: bool = False) -> None:
        """What is read of lists is kept in the folder `cache`; `dry`, or without it, nothing is written."""
        self.places = places
        self._cache, self._dry = cache, dry
        self._opened: OrderedDict[Intake, Member] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def of(self, intake: Intake) -> Member:
        """The folder or the list of an intake, as it is now.

        Raises:
            CatalogUnavailable, CatalogInvalid
        """
        alike = replace(intake, namespace="")
        with self._one_at_a_time:
            member = self._opened.pop(alike, None)
            if member is not None:
                member.renew()
            elif intake.kind == "folder":
                member = FolderMember(intake, self.places)
            else:
                member = ListMember(intake, self.places, self._cache, dry=self._dry)
            self._opened[alike] = member
            while len(self._opened) > KEPT:
                self._opened.popitem(last=False)  # whoever still asks it keeps it
            return member

    def close(self) -> None:
        """Let go of what was opened; it is opened again where somebody asks."""
        with self._one_at_a_time:
            for member in self._opened.values():
                member.close()
            self._opened.clear()


def _before(base: Path, places: Places) -> str | None:
    """What stands before a path that starts at a folder, so that the image store takes it; None where that is not the
    same for all, because the first image root lies below the folder."""
    if any(root != base and root.is_relative_to(base) for root in places.roots[:1]):
        return None
    text = places.text(base)
    return "" if text == "." else f"{text.rstrip('/')}/"


def _fill(file: Path, placed: Callable[[str], str], connection: sqlite3.Connection) -> dict[str, object]:
    """What the list says by the path of each picture; of two spellings of one path the later in order counts."""
    told = fill(file, connection)
    connection.create_function("placed", 1, placed, deterministic=True)
    connection.execute("CREATE TABLE placed (path TEXT PRIMARY KEY, inner TEXT, columns TEXT) WITHOUT ROWID")
    connection.execute("INSERT OR REPLACE INTO placed SELECT placed(c0), c0, c4 FROM rows ORDER BY c0")
    connection.execute("DROP TABLE rows")
    return told


def _is_text(path: str) -> bool:
    """Whether a database can be asked for it: no lone surrogates."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
