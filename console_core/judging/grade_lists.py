"""Grades from outside: a CSV table, or TREC qrels. What does not fit is refused with its line, and nothing is taken."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import unquote

from console_core.database import now
from console_core.errors import Refused
from console_core.judging.desk import Desk
from console_core.judging.judgements import Given

_NAMES = {
    "query": ("query", "query_id", "qid", "topic"),
    "question": ("question", "text", "query_text"),
    "key": ("key", "picture", "image", "doc", "docid"),
    "grade": ("grade", "rel", "relevance", "label"),
    "judge": ("judge", "rater", "by"),
    "at": ("at", "made_at"),
}
_SHOWN = 5
"""Lines that a refusal names."""
_QREL = 4
_SIGNS = ("=", "+", "-", "@", "\t", "\r", "'")
"""What a spreadsheet takes for the beginning of a formula, and the apostrophe that keeps it from doing so."""
_AHEAD = timedelta(minutes=10)
"""How far a file's times may lie in the future: clocks differ."""
_FIRST = 1900
"""The first year of which a file's times are believed. Not every ledger keeps those of the first years of all."""
_Row = tuple[int, str, str, str, str, str]
"""A line's number, and its query, key, grade, judge and time."""


def guarded(cell: str) -> str:
    """A cell that cannot act as a formula where the table is opened as a spreadsheet; `unguarded` takes that back."""
    return f"'{cell}" if cell.startswith(_SIGNS) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given. An apostrophe before anything else is the cell's own."""
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_SIGNS) else cell


def from_table(told: str, desk: Desk, *, judge: str) -> list[Given]:
    """A row for each grade, in columns named query (an id, or what it asks) or question, key, grade, and judge, where
    `judge` is meant if there is none; and at, when each was given (ISO 8601; UTC without a zone, and the end of the
    day without an hour). A row whose grade is empty is passed over. Commas, semicolons or tabs separate the columns.

    Raises:
        Refused: a column is missing, or a line names what is not judged here, a grade or a time that is none, or a
            second grade.
    """
    return _given(_table_rows(told, judge), desk)


def from_qrels(told: str, desk: Desk, *, judge: str) -> list[Given]:
    """TREC qrels: query, anything, key, grade. A key is one word, written as in addresses where it has spaces (%20).

    Raises:
        Refused: a line has another form, or names what is not judged here, a grade that is none, or a second one.
    """
    return _given(_qrel_rows(told, judge), desk)


def _table_rows(told: str, judge: str) -> Iterator[_Row]:
    header = told.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.DictReader(io.StringIO(told, newline=""), delimiter=delimiter, strict=True)
    try:
        known = {name.strip().lower(): name for name in reader.fieldnames or () if name}
        column = {what: next((known[name] for name in names if name in known), "") for what, names in _NAMES.items()}
        missing = [what for what in ("key", "grade") if not column[what]]
        if missing or not (column["query"] or column["question"]):
            lacking = " and ".join([*missing, *([] if column["query"] or column["question"] else ["query"])])
            raise Refused(f"The table has no column {lacking}.", "Name query, key, grade and judge in the first line.")
        for row in reader:
            cells = {what: unguarded(row.get(name) or "") for what, name in column.items()}
            asked = cells["query"].strip() or cells["question"]
            if not cells["grade"].strip():
                continue
            yield reader.line_num, asked, cells["key"], cells["grade"], cells["judge"].strip() or judge, cells["at"]
    except csv.Error as error:
        raise Refused(f"The table cannot be read: {error}.", "Save it as CSV, with quotes around commas.") from error


def _qrel_rows(told: str, judge: str) -> Iterator[_Row]:
    for line, text in enumerate(told.split("\n"), start=1):
        words = text.split()
        if not words:
            continue
        if len(words) != _QREL:
            raise Refused(f"Line {line:,} has {len(words)} words.", "Qrels have four: query, 0, key and grade.")
        yield line, words[0], unquote(words[2]), words[3], judge, ""


def _given(rows: Iterator[_Row], desk: Desk) -> list[Given]:
    find, wrong, found = _finder(desk), [], dict[tuple[str, str, str], tuple[int, Given]]()
    highest, latest = desk.evaluation.protocol.highest, now() + _AHEAD
    for line, asked, key, said, judge, at in rows:
        query, made = find(asked), _time(at)
        if not query:
            wrong.append(f"line {line:,}: no query {asked!r} is in the set")
        elif not desk.has(query, key):
            wrong.append(f"line {line:,}: {key!r} is not judged for {asked!r}")
        elif not (said.strip().isdecimal() and int(said) <= highest):
            wrong.append(f"line {line:,}: {said!r} is no grade from 0 to {highest}")
        elif at.strip() and not (made and made < latest):
            wrong.append(f"line {line:,}: {at!r} is no time from {_FIRST} to now, such as 2026-11-03T14:05+00:00")
        elif (query, key, judge) in found:
            first = found[query, key, judge][0]
            wrong.append(f"line {line:,}: {judge} graded {key!r} for {asked!r} in line {first:,} already")
        else:
            found[query, key, judge] = line, Given(query, key, judge, int(said), made)
    if wrong:
        _refuse(wrong)
    if not found:
        raise Refused("The file has no grades.", "Give it a line for each grade.")
    return [given for _, given in found.values()]


def _time(at: str) -> datetime | None:
    """A date without an hour is the end of its day, or now: nothing says that the grade was given before that."""
    try:
        found = datetime.fromisoformat(at.strip())
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        day = _day(at.strip())
    except (ValueError, OverflowError):  # the latter of times that are beyond all years in UTC
        return None
    if found.year < _FIRST:
        return None
    return found if day is None or found > now() else min(now(), datetime.combine(day, time.max, UTC))


def _day(at: str) -> date | None:
    try:
        return date.fromisoformat(at)
    except ValueError:
        return None


def _finder(desk: Desk) -> Callable[[str], str]:
    """The id of a query that was named by that, or by what it asks, give or take spaces."""
    by_text: dict[str, str] = {}
    for query in desk.queries.values():
        for text in (query.label, replace(query, caption="").label, query.text):
            by_text.setdefault(" ".join(text.split()), query.id)
    by_text.pop("", None)

    def find(asked: str) -> str:
        return asked if asked in desk.queries else by_text.get(" ".join(asked.split()), "")

    return find


def _refuse(wrong: Sequence[str]) -> None:
    named = "; ".join(wrong[:_SHOWN])
    rest = f"; and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
    raise Refused(
        f"Nothing was taken: {named}{rest}.", "Mend or remove these lines. Only what a judge is shown counts."
    )
