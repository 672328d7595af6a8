"""Failed pictures as CSV, a line at a time. No cell can act as a formula where the file is opened as a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator

from console_core.runs.types import FailedPicture

COLUMNS = (
    *("key", "kind", "path", "message", "tries", "first_at", "last_at", "run"),
    *("quarantined_by", "quarantined_at"),
)
_ACTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def csv_lines(failed: Iterable[FailedPicture]) -> Iterator[str]:
    """The header and a line for each picture, with line ends. Times are UTC in ISO 8601."""
    yield csv_line(COLUMNS)
    for one in failed:
        yield csv_line(_cells(one))


def _cells(one: FailedPicture) -> tuple[str, ...]:
    moments = (one.first_at.isoformat(timespec="seconds"), one.last_at.isoformat(timespec="seconds"))
    since = one.quarantined_at.isoformat(timespec="seconds") if one.quarantined_at else ""
    return (one.key, one.kind, one.path, one.message, str(one.tries), *moments, one.run, one.quarantined_by, since)


def csv_line(cells: Iterable[str]) -> str:
    """A line with its end. What a spreadsheet would take for a formula begins with an apostrophe."""
    written = io.StringIO()
    safe = [f"'{cell}" if cell.startswith(_ACTS) else cell for cell in cells]
    csv.writer(written, lineterminator="\r\n").writerow(safe)
    return written.getvalue()
