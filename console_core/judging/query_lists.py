"""Questions from outside: a text with one on each line, a CSV file, a search log, or captions of the catalog."""

import csv
import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from console_core.catalog.types import ImageRow
from console_core.errors import Refused
from console_core.judging.query_sets import query, worded
from console_core.querylab.finding import LONGEST
from console_core.querylab.rankings import Query

MOST_BYTES = 16 * 2**20
"""Of a file that is read."""
CAPTIONS = ("caption", "title", "description", "alt", "label")
"""Payload fields that may say what a picture shows, the most telling first."""
_TEXT = ("query", "text", "q", "search", "search_term", "term")
_LIKE = ("like", "image", "picture", "key")
_TAGS = ("tags", "tag", "category")
_COUNT = ("count", "searches", "n", "frequency", "hits")
_MOST_DIGITS = 15
"""Of a count: more searches than that nobody counted."""
_LINE_END = re.compile(r"\r\n|\r|\n")
"""Not the other signs that str.splitlines() ends a line at: JSON has U+2028 within its strings."""
_EMPTY_LINES = re.compile(r"\A(?:[ \t]*[\r\n])+")


def from_lines(told: str) -> list[Query]:
    """One question on each line; empty lines, and lines that begin with #, are passed over.

    Raises:
        Refused: a line has too long a question.
    """
    return [
        query(_short(line, number))
        for number, line in enumerate(_lines(told), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def from_csv(told: str) -> list[Query]:
    """A row for each question, in columns named query (or text), like (a picture's key) and tags (separated by ; or |).
    Commas, semicolons or tabs separate the columns.

    Raises:
        Refused: no column holds a question, or a row has too long a one.
    """
    return [one for one in _rows(told) if one is not None]


def lines_without(told: str, *, table: bool) -> int:
    """How many lines, or rows of a table below its header, hold no question; those at the end are none."""
    if table:
        return sum(one is None for one in _rows(told))
    lines = _lines(told.rstrip())
    return sum(not line.strip() or line.lstrip().startswith("#") for line in lines) if told.strip() else 0


def _rows(told: str) -> list[Query | None]:
    rows, columns = _table(told)
    text, like, tags = (_column(columns, names) for names in (_TEXT, _LIKE, _TAGS))
    if not text and not like:
        raise Refused(
            f"No column holds questions: {', '.join(columns) or 'there is no header'}.",
            "Name one query, or one like for pictures, in the first line.",
        )
    found: list[Query | None] = []
    for line, row in rows:
        said, key = _short(row.get(text) or "", line), (row.get(like) or "").strip()
        found.append(query(said, like=key, tags=_split(row.get(tags) or "")) if said.strip() or key else None)
    return found


def from_log(told: str, *, most: int = 200) -> list[Query]:
    """The most frequent questions of a search log: CSV or JSON lines with a column query, and a column count where
    searches are counted already; else a line for each search, taken as it is. Each is tagged head, torso or tail by its
    third of all searches. What was searched for 0 times is no question.

    Raises:
        Refused: it has no questions, or a count is too long a number.
    """
    counted: Counter[str] = Counter()
    for text, times in _searches(told):
        if text and times:
            counted[text] += times
    if not counted:
        raise Refused(
            "No search is in this log.",
            "Give it a column named query, with counts above 0 if it has any, or one search on each line.",
        )
    everything, seen, found = sum(counted.values()), 0, []
    for text, times in counted.most_common(most):
        share = seen / everything
        found.append(query(text, tags=("head" if share < 1 / 3 else "torso" if share < 2 / 3 else "tail",)))
        seen += times
    return found


def from_captions(rows: Iterable[ImageRow], *, most: int = 100, seed: int = 1) -> list[Query]:
    """Captions of the catalog as questions, evenly from all of it: a seeded sample (reservoir sampling, Vitter 1985),
    in the order of the catalog. Memory: `most` captions."""
    chosen: list[tuple[int, str]] = []
    draw, seen, known = random.Random(seed), 0, set()
    for place, row in enumerate(rows):
        said = worded(caption(row.payload))
        if not said or said in known:
            continue
        seen += 1
        if len(chosen) < most:
            chosen.append((place, said))
            known.add(said)
        elif (slot := draw.randrange(seen)) < most:
            known.discard(chosen[slot][1])
            known.add(said)
            chosen[slot] = place, said
    return [query(said, tags=("caption",)) for _, said in sorted(chosen)]


def caption(payload: Mapping[str, Any]) -> str:
    """What a picture shows, as its payload says; "" where it does not."""
    return next((said.strip() for name in CAPTIONS if isinstance(said := payload.get(name), str) and said.strip()), "")


def captioned(of: Query, rows: Mapping[str, ImageRow]) -> Query:
    """A question with what its picture is called, where that is among these rows, by key."""
    row = rows.get(of.like)
    return replace(of, caption=worded(caption(row.payload))) if row is not None else of


def decoded(data: bytes) -> str:
    """The text of a file.

    Raises:
        Refused: it is too large, or no text in UTF-8.
    """
    if len(data) > MOST_BYTES:
        raise Refused(f"The file has more than {MOST_BYTES // 2**20} MiB.", "Take a sample of it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"The file is no text in UTF-8 (byte {error.start:,}).", "Save it as UTF-8.") from error


def _searches(told: str) -> Iterator[tuple[str, int]]:
    first = next((line for line in _lines(told) if line.strip()), "")
    if first.lstrip().startswith("{"):
        rows: Iterable[tuple[int, Mapping[str, Any]]] = _json_lines(told)
    elif not _column(_header(first), _TEXT):
        yield from ((worded(line), 1) for line in _lines(told))
        return
    else:
        rows, _ = _table(told)
    for _, row in rows:
        named = list(row)
        text, times = row.get(_column(named, _TEXT)), row.get(_column(named, _COUNT))
        yield worded(str(text or "")), _times("" if times is None else str(times).strip())


def _short(text: str, line: int) -> str:
    """A question that is not too long, as it is."""
    if len(said := worded(text)) > LONGEST:
        raise Refused(
            f'Line {line:,} has a question of {len(said):,} characters: "{said[:40]}…"',
            f"Ask with at most {LONGEST:,}, or take the line out.",
        )
    return text


def _times(said: str) -> int:
    """How often something was searched for: once where no whole number says it."""
    if not said.isdecimal():
        return 1
    if len(said) > _MOST_DIGITS:
        raise Refused(f"A count has {len(said):,} digits.", f"Give counts of at most {_MOST_DIGITS} digits.")
    return int(said)


def _json_lines(told: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, line in enumerate(_lines(told), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_int=str)  # a number of thousands of digits is refused where it is counted
        except (ValueError, RecursionError) as error:
            raise Refused(f"Line {number} is no JSON: {error}.", "Send one JSON object a line.") from error
        if isinstance(row, dict):
            yield number, row


def _table(told: str) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """The rows of a table, each with the line that it ends in, and the names of its columns."""
    told = told.replace("\0", "")
    begun = _EMPTY_LINES.sub("", told)
    before = len(_lines(told)) - len(_lines(begun))
    try:
        lines = io.StringIO(begun, newline="")  # ends lines at \r too, and leaves them as they are within quotes
        reader = csv.DictReader(lines, delimiter=_delimiter(_lines(begun)[0]), strict=True)
        rows = [
            (before + reader.line_num, {name: value or "" for name, value in row.items() if isinstance(name, str)})
            for row in reader
        ]
    except csv.Error as error:
        raise Refused(f"The table cannot be read: {error}.", "Save it as CSV, with quotes around commas.") from error
    return rows, [name for name in reader.fieldnames or () if name]


def _header(line: str) -> list[str]:
    """The columns that a line names, if it is a table's first."""
    try:
        return next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:  # too long a field
        return []


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _lines(told: str) -> list[str]:
    return _LINE_END.split(told)


def _column(columns: Sequence[str], names: Sequence[str]) -> str:
    by_name = {column.strip().lower(): column for column in columns}
    return next((by_name[name] for name in names if name in by_name), "")


def _split(tags: str) -> list[str]:
    return tags.replace("|", ";").split(";")
