"""How the console says things: the label, colour and icon of every state, and numbers, times and sizes for people.

Pure: nothing here draws. Colours are Streamlit's names, so that badges follow the light and the dark theme.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import ceil, floor
from typing import Literal

from console_core.runs.types import RunState
from console_core.runs.wording import count as count
from console_core.runs.wording import listed as listed
from console_core.runs.wording import percent as percent

Colour = Literal["gray", "blue", "green", "orange", "red", "violet"]


@dataclass(frozen=True, slots=True)
class Word:
    """A state as a person meets it."""

    label: str
    colour: Colour
    icon: str
    meaning: str = ""


_S = RunState
RUN_STATES: Mapping[str, Word] = {
    _S.QUEUED: Word("Queued", "gray", ":material/schedule:", "Waits for its turn, or for its allowed hours."),
    _S.RUNNING: Word("Running", "blue", ":material/play_arrow:", "The worker is on it."),
    _S.PAUSING: Word("Pausing", "orange", ":material/pause:", "Stops after the batch in hand."),
    _S.PAUSED: Word("Paused", "orange", ":material/pause:", "Continues from its checkpoint when resumed."),
    _S.CANCELLING: Word("Cancelling", "orange", ":material/stop:", "Stops after the batch in hand, for good."),
    _S.CANCELLED: Word("Cancelled", "gray", ":material/block:", "Stopped for good by a person."),
    _S.INTERRUPTED: Word("Interrupted", "orange", ":material/power_off:", "The server stopped; resume continues it."),
    _S.FAILED: Word("Failed", "red", ":material/error:", "An error stopped it; resume tries again."),
    _S.SUCCEEDED: Word("Succeeded", "green", ":material/check_circle:", "All pictures are accounted for."),
    _S.INVALID: Word("Invalid", "red", ":material/report:", "The books do not balance; its target is locked."),
}

FAILURES: Mapping[str, Word] = {
    "missing": Word("Missing", "orange", ":material/search_off:", "Nothing at any of its paths."),
    "empty": Word("Empty file", "orange", ":material/draft:", "A file without a byte in it."),
    "unreadable": Word("Unreadable", "red", ":material/broken_image:", "Damaged or truncated; it cannot be decoded."),
    "unsupported": Word("Not a picture", "red", ":material/file_present:", "Something else than a supported format."),
    "too large": Word("Too large", "violet", ":material/zoom_out_map:", "More bytes or pixels than accepted."),
    "forbidden": Word("Forbidden", "violet", ":material/lock:", "May not be read."),
    "timeout": Word("Timed out", "gray", ":material/timer_off:", "Did not arrive in time."),
    "unavailable": Word("Unavailable", "gray", ":material/cloud_off:", "The server that has it did not give it."),
    "model error": Word("Model error", "blue", ":material/neurology:", "The model gives no vector for it."),
    "store refused": Word("Store refused", "blue", ":material/database_off:", "The store does not take its point."),
}

SEVERITIES: Mapping[str, Word] = {
    "block": Word("Blocks", "red", ":material/block:", "Must be mended first."),
    "warn": Word("Warning", "orange", ":material/warning:", "Can go on; know what it means."),
    "info": Word("Note", "blue", ":material/info:", "Good to know."),
}

COVERAGE: Mapping[str, Word] = {
    "embedded": Word("Embedded", "blue", ":material/check:", "Has a point of this model."),
    "missing": Word("Missing", "gray", ":material/radio_button_unchecked:", "Has no point yet."),
    "failed": Word("Failed", "red", ":material/error:", "Was tried and cannot be embedded."),
    "stale": Word("Stale", "orange", ":material/history:", "Has a point of another model or of an older picture."),
    "orphaned": Word("Orphaned", "violet", ":material/link_off:", "A point whose picture left the catalog."),
}

DIFFERENCES: Mapping[str, Word] = {
    "missing": Word("Missing", "gray", ":material/radio_button_unchecked:", "The picture has no point."),
    "extra": Word("Extra", "violet", ":material/link_off:", "A point whose picture is not in the catalog."),
    "duplicate": Word("Duplicate", "violet", ":material/content_copy:", "A point at the id of another, or a second."),
    "invalid": Word("Invalid", "red", ":material/error:", "A vector that is not finite or not of length 1."),
    "foreign": Word("Foreign", "red", ":material/fingerprint:", "Made by another model, or nobody knows by which."),
    "stale": Word("Stale", "orange", ":material/history:", "The row, the payload or the picture changed since."),
    "wrong vector": Word("Wrong vector", "red", ":material/wrong_location:", "Not what the picture gives again."),
}


def run_state(state: str) -> Word:
    return RUN_STATES.get(state) or Word(state.capitalize(), "gray", ":material/help:")


def failure(kind: str) -> Word:
    return FAILURES.get(kind) or Word(kind.capitalize(), "gray", ":material/help:")


def severity(name: str) -> Word:
    return SEVERITIES.get(name) or Word(name.capitalize(), "gray", ":material/help:")


def coverage(status: str) -> Word:
    return COVERAGE.get(status) or Word(status.capitalize(), "gray", ":material/help:")


def difference(kind: str) -> Word:
    return DIFFERENCES.get(kind) or Word(kind.capitalize(), "gray", ":material/help:")


def shift(kind: str, places: int) -> tuple[str, str]:
    """A shift of rank as a sign (▲ 3, ▼ 2, =, new, gone) and as words; never told by colour alone."""
    moved = count(places, "place")
    signs = {"up": f"▲ {places}", "down": f"▼ {places}", "same": "="}
    meanings = {
        "up": f"{moved} higher than in the first column",
        "down": f"{moved} lower than in the first column",
        "same": "at the same place as in the first column",
        "new": "not in the first column",
        "gone": "not in the other column any more",
    }
    return signs.get(kind, kind), meanings.get(kind, kind)


def percentile(value: float, sampled: int) -> str:
    """A percentile among so many pictures with one decimal, cut off and not rounded: 99.97 is 99.9.

    What scores higher than all of them, or lower, is said as exactly as so many can tell: "> 99.95" of 2,000.
    """
    step, places = 100 / max(sampled, 1), 2 if sampled >= 1000 else 1
    if value >= 100:
        return f"> {floor((100 - step) * 10**places + 1e-6) / 10**places:.{places}f}"
    if value <= 0:
        return f"< {ceil(step * 10**places - 1e-6) / 10**places:.{places}f}"
    return f"{floor(value * 10 + 1e-6) / 10:.1f}"


def badge(word: Word) -> str:
    """The word as a Markdown badge, for tables and sentences."""
    return f":{word.colour}-badge[{word.icon} {word.label}]"


def plain(text: object) -> str:
    """Text from outside, safe within Markdown: every character that Markdown would act on is escaped."""
    return "".join(f"\\{character}" if character in "\\`*_{}[]()#+-!|<>~$:&" else character for character in str(text))


def one_line(text: str) -> str:
    """What somebody typed as one line: in Unicode's composed form (NFC), with one space between words."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def number(value: float) -> str:
    """12,345; fractions keep one digit."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def size(value: float | None) -> str:
    """Bytes in decimal units, as disks are sold: 1.2 GB."""
    if value is None:
        return "unknown"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 999.5 or unit == "TB":
            digits = 0 if unit == "B" or abs(value) >= 99.95 else 1
            return f"{value:,.{digits}f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def duration(seconds: float | None) -> str:
    """0.4 s, 42 s, 1 min 20 s, 3 h 5 min, 2 d 4 h."""
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s" if seconds % 1 else f"{seconds:.0f} s"
    whole = round(seconds)
    for large, small, unit, part in ((86_400, 3_600, "d", "h"), (3_600, 60, "h", "min"), (60, 1, "min", "s")):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large} {unit} {rest} {part}" if rest else f"{whole // large} {unit}"
    return f"{whole} s"


def rate(per_second: float | None, unit: str = "pictures") -> str:
    """842 pictures/s; slow ones per minute."""
    if per_second is None or per_second <= 0:
        return "–"
    if per_second < 1:
        return f"{per_second * 60:.1f} {unit}/min"
    return f"{per_second:,.0f} {unit}/s" if per_second >= 10 else f"{per_second:.1f} {unit}/s"


def interval(shortest: float, longest: float) -> str:
    """An honest time to go: 2–3 min, 40–50 s, about 2 h, less than 10 s."""
    if longest < 10:
        return "less than 10 s"
    for size_of, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        if longest >= 2 * size_of or unit == "s":
            low, high = int(shortest // size_of), -int(-longest // size_of)
            return f"about {high} {unit}" if low >= high or low == 0 else f"{low}–{high} {unit}"
    raise AssertionError("unreachable")


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """just now, 5 min ago, yesterday is 1 d ago; "in 5 min" for the future."""
    if moment is None:
        return "never"
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if abs(seconds) < 5:
        return "just now"
    whole = duration(max(round(abs(seconds)), 10) if abs(seconds) < 10 else abs(seconds))
    largest = " ".join(whole.split(" ")[:2])
    return f"{largest} ago" if seconds > 0 else f"in {largest}"


def moment(at: datetime | None, zone: tzinfo = UTC) -> str:
    """21 Nov 2025, 09:04 UTC."""
    return "–" if at is None else at.astimezone(zone).strftime("%-d %b %Y, %H:%M %Z")


def when(at: datetime | None, now: datetime | None = None, zone: tzinfo = UTC) -> str:
    """Relative and absolute: 5 min ago (21 Nov 2025, 09:04 UTC)."""
    return "never" if at is None else f"{ago(at, now)} ({moment(at, zone)})"


def digest(fingerprint: str) -> str:
    """The first eight characters, as git shows a commit."""
    return fingerprint[:8] or "–"
