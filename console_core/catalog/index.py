"""A file's rows as an SQLite database of the console's own: made when the file is first asked for, and again when it
changed. Nobody waits for one that is half made, and nobody loses one that is deleted under them."""

import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from console_core.errors import CatalogInvalid, CatalogUnavailable

VERSION = 1
"""Of what an index is made of: those of other versions are made again."""
DAY = 86_400
"""Seconds after which a draft is that of a process which died."""
TRIES = 3
"""How often a file is read anew that is written while it is read."""
State = tuple[int, int]
"""A file's size in bytes, and when it was written, in nanoseconds."""
Fill = Callable[[sqlite3.Connection], Mapping[str, object]]
"""Reads the file into tables, and tells what is to be remembered of it, as JSON can hold it."""


class Index:
    """One reading of a file. Safe to use from several threads.

    Its database is never written again, and stays readable for as long as somebody holds it, wherever its file went.
    """

    is_sqlite = True

    def __init__(self, connection: sqlite3.Connection, title: str) -> None:
        """Raises sqlite3.Error where the database is no finished index of this version."""
        (self.remembered,) = (json.loads(told) for (told,) in connection.execute("SELECT told FROM remembered"))
        self._title = title
        self._engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        self._one_at_a_time = threading.Lock()
        self._end = weakref.finalize(self, connection.close)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """The one connection, for a statement or a few.

        Raises:
            CatalogUnavailable: the database cannot be read.
        """
        try:
            with self._one_at_a_time, self._engine.connect() as connection:
                yield connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise CatalogUnavailable(
                f"What was read from {self._title} cannot be asked: {getattr(error, 'orig', None) or error}.",
                "Delete the folder cache/catalogs of the workspace and start the console again; it is made anew.",
            ) from error

    def close(self) -> None:
        with self._one_at_a_time:
            self._engine.dispose()
            self._end()


class IndexedFile:
    """A file with its index, which is kept in a folder of files that may be deleted at any time."""

    def __init__(
        self,
        file: Path,
        fill: Fill,
        recipe: str,
        folder: Path | None,
        *,
        dry: bool = False,
        apart: str = "",
        memory: int = 16_000,
    ) -> None:
        """`recipe` says what `fill` reads of the file; another one makes another index in its place, and one that is
        read `apart` another beside it. Without a folder, and where `dry` forbids to write, an index is the process's
        own and ends with it. So many kilobytes of one may stay in `memory`.
        """
        self.file = file
        self._fill = fill
        self._folder = folder
        self._dry = dry
        self._stem = _digest(f"{file}\0{apart}" if apart else str(file))
        self._memory = memory
        self._recipe = _digest(f"{recipe}\0{VERSION}")
        self._reading = threading.Lock()
        self._last: tuple[State, Index] | None = None

    def current(self) -> Index:
        """The index of the file as it is now.

        Raises:
            CatalogUnavailable: the file or the index cannot be read, or the index cannot be written.
            CatalogInvalid: the file is not what it should be.
        """
        with self._reading:
            state = self._state()
            if self._last is None or self._last[0] != state:
                self._last = self._open(state)
            return self._last[1]

    def close(self) -> None:
        with self._reading:
            if self._last is not None:
                self._last[1].close()
            self._last = None

    def _open(self, state: State) -> tuple[State, Index]:
        for _ in range(TRIES):
            if (made := self._there(state)) is not None:
                return state, made
            connection, draft = self._draft()
            try:
                _write(connection, self._fill)
                if (now := self._state()) != state:
                    state = now
                    connection.close()
                    continue
                return state, self._finished(connection, draft, state)
            except sqlite3.Error as error:
                connection.close()
                raise CatalogUnavailable(
                    f"What was read from {self.file} cannot be kept: {error}.",
                    f"Make room on the disk of {self._folder or 'temporary files'}.",
                ) from error
            except BaseException:
                connection.close()
                raise
            finally:
                if draft is not None:
                    draft.unlink(missing_ok=True)
        raise CatalogUnavailable(
            f"{self.file} is being written: it changed each time that it was read.",
            "Wait until it is complete; or write it under another name and rename it, which takes no time.",
        )

    def _there(self, state: State) -> Index | None:
        """The index that somebody made of the file in this state; None where there is none that can be used."""
        if self._folder is None or not (file := self._name(state)).is_file():
            return None
        try:
            return self._opened(file)
        except (sqlite3.Error, ValueError):  # of a disk that lost what was written, or another program's
            return None

    def _draft(self) -> tuple[sqlite3.Connection, Path | None]:
        if self._folder is None or self._dry:
            return sqlite3.connect("", check_same_thread=False), None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _delete(old for old in self._folder.glob(".*.part") if time.time() - old.stat().st_mtime > DAY)
            draft = self._folder / f".{self._stem}-{os.getpid()}-{token_hex(4)}.part"
            return sqlite3.connect(draft, check_same_thread=False), draft
        except (OSError, sqlite3.Error) as error:
            raise CatalogUnavailable(
                f"{self._folder} cannot be written: {error}.", "Let the console's user write there."
            ) from error

    def _finished(self, connection: sqlite3.Connection, draft: Path | None, state: State) -> Index:
        """The index of a database that is complete, under its name where it has one. Older ones are deleted."""
        if draft is None:
            return Index(connection, str(self.file))
        connection.close()
        file = self._name(state)
        try:
            with draft.open("rb+") as written:
                os.fsync(written.fileno())
            draft.replace(file)
        except OSError as error:
            raise CatalogUnavailable(
                f"{file} cannot be written: {error.strerror or error}.", "Let the console's user write there."
            ) from error
        index = self._opened(file)
        _delete(other for other in file.parent.glob(f"{self._stem}-*.db") if other != file)
        return index

    def _opened(self, file: Path) -> Index:
        connection = sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA cache_size = -{self._memory}")
            return Index(connection, str(self.file))
        except BaseException:
            connection.close()
            raise

    def _name(self, state: State) -> Path:
        assert self._folder is not None
        return self._folder / f"{self._stem}-{self._recipe}-{state[0]}-{state[1]}.db"

    def _state(self) -> State:
        try:
            state = self.file.stat()
            if not self.file.is_file():
                raise CatalogInvalid(f"{self.file} is not a file.", "Name a CSV, TSV or Parquet file, or a list.")
        except OSError as error:
            raise file_unavailable(self.file, error) from error
        return state.st_size, state.st_mtime_ns


def file_unavailable(file: Path, error: OSError) -> CatalogUnavailable:
    return CatalogUnavailable(
        f"The catalog {file} cannot be read: {error.strerror or error}.", "Check that it exists and may be read."
    )


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _delete(files: Iterable[Path]) -> None:
    """Another process that reads one of them goes on doing so."""
    with suppress(OSError):
        for file in files:
            file.unlink(missing_ok=True)


def _write(connection: sqlite3.Connection, fill: Fill) -> None:
    """All tables, and last of all what is remembered, which makes the index a finished one."""
    for setting in ("journal_mode = MEMORY", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -16000"):
        connection.execute(f"PRAGMA {setting}")
    with connection:
        told = json.dumps(fill(connection))
        connection.execute("CREATE TABLE remembered (told TEXT)")
        connection.execute("INSERT INTO remembered VALUES (?)", (told,))
