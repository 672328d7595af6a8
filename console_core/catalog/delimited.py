"""CSV and TSV files as tables: their headings, and their records with the lines where they begin."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from sqlalchemy import String
from sqlalchemy.types import TypeEngine

from console_core.catalog.index import file_unavailable
from console_core.catalog.names import printable
from console_core.catalog.types import JsonValue
from console_core.errors import CatalogInvalid

LONGEST = 1024 * 1024
"""Letters of a line at most."""
DELIMITERS = (",", "\t", ";", "|")
NAMED = 10
"""Lines of which something is told at most."""


class DelimitedFile:
    """A file whose first line names the columns. Values are text; quotes are CSV's. Memory: one record.

    Bytes that are not UTF-8 become \\xNN, and the lines that have some are told. Empty lines are left out.
    """

    unit = "Line"

    def __init__(self, file: Path, wanted: Sequence[str] = ()) -> None:
        """Read the heading. Its columns stand between commas, or whatever else makes it have the `wanted` ones.

        Raises:
            CatalogUnavailable: the file cannot be read.
            CatalogInvalid: it has no heading, or is not text.
        """
        self._file = file
        self.odd_lines: list[int] = []
        """The lines of the last pass that were not UTF-8, the first of them."""
        self.odd = 0
        """How many they were."""
        preferred = "\t" if file.suffix.lower() in (".tsv", ".tab") else ","
        found: dict[str, list[str]] = {}
        for delimiter in dict.fromkeys((preferred, *DELIMITERS)):
            with suppress(CatalogInvalid):  # quotes that make sense between other delimiters only
                found[delimiter] = self._heading(delimiter)
        if not found:
            self._heading(preferred)  # raises what is wrong with it
        self._delimiter = max(found, key=lambda delimiter: _worth(found[delimiter], wanted))
        self.names = found[self._delimiter]

    def kind(self, name: str) -> TypeEngine[str]:
        """The type of a column."""
        return String()

    def records(self, names: Sequence[str]) -> Iterator[tuple[int, tuple[JsonValue, ...]]]:
        """The line where each record begins, and its values of these columns.

        Raises:
            CatalogUnavailable: the file cannot be read.
            CatalogInvalid: a line is malformed, or has more or fewer values than the heading; names the line.
        """
        places = [self.names.index(name) for name in names]
        records = self._records(self._delimiter)
        _, heading = next(records)
        width = len(heading)
        for line, cells in records:
            if len(cells) != width:
                values = "1 value" if len(cells) == 1 else f"{len(cells)} values"
                raise CatalogInvalid(
                    f"Line {line} of {self._file} has {values} where the heading has {width}.",
                    'Give every line a value for every column; a comma inside a value needs quotes: "a, b".',
                )
            yield line, tuple([cells[place] for place in places])

    def _heading(self, delimiter: str) -> list[str]:
        found = next(self._records(delimiter), None)
        if found is None:
            raise CatalogInvalid(f"{self._file} is empty.", "Its first line must name the columns.")
        return [cell.strip() for cell in found[1]]

    def _records(self, delimiter: str) -> Iterator[tuple[int, list[str]]]:
        self.odd_lines, self.odd = [], 0
        try:
            with self._file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
                reader = csv.reader(self._lines(stream), delimiter=delimiter, strict=True)
                while True:
                    begin = reader.line_num + 1
                    try:
                        cells = next(reader, None)
                    except csv.Error as error:
                        raise CatalogInvalid(
                            f"Line {begin} of {self._file} is malformed: {error}.",
                            'Write quotes as CSV does: "a, b.jpg","she said ""hi""".',
                        ) from error
                    if cells is None:
                        return
                    if cells:
                        yield begin, cells
        except OSError as error:
            raise file_unavailable(self._file, error) from error

    def _lines(self, stream: TextIO) -> Iterator[str]:
        for number, line in numbered_lines(stream, self._file):
            if line.isascii():
                yield line
                continue
            if (clean := printable(line)) != line:
                self.odd += 1
                if len(self.odd_lines) < NAMED:
                    self.odd_lines.append(number)
            yield clean


def numbered_lines(stream: TextIO, file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers from 1.

    Raises:
        CatalogInvalid: one is not text, or longer than any line of a list or table is.
    """
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST), ""), start=1):
        if "\0" in line:
            raise CatalogInvalid(
                f"Line {number} of {file} has a NUL character, as files in UTF-16 and files that are no text have.",
                "Save the file as text in UTF-8.",
            )
        if len(line) == LONGEST:
            raise CatalogInvalid(
                f"Line {number} of {file} is longer than {LONGEST:,} letters.",
                "See whether it is text at all, and put values of that length elsewhere.",
            )
        yield number, line


def _worth(names: Sequence[str], wanted: Sequence[str]) -> tuple[bool, int]:
    has_them = bool(wanted) and set(wanted) <= set(names)
    return has_them, 0 if has_them else len(names)


def lines_in_words(lines: Sequence[int], number: int) -> str:
    """So many lines, the first of them by number: "12 (line 3, 4, …)"."""
    return f"{number:,} (line {', '.join(map(str, lines))}{', …' if number > len(lines) else ''})"
