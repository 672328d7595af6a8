"""The words of a run: what its kind is called, what it counts and what it does with each, and how far it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KindWords:
    """How a kind of runs is spoken of: "Build" of "pictures" that are "embedded"."""

    title: str
    noun: str
    treated: str


KINDS: Mapping[str, KindWords] = {
    "reembed": KindWords("Build", "pictures", "embedded"),
    "ingest": KindWords("Ingestion", "pictures", "embedded"),
    "retry": KindWords("Retry of failed pictures", "pictures", "embedded"),
    "generate": KindWords("Generation", "pictures", "brought in step"),
    "verify": KindWords("Verification", "pictures", "checked"),
    "repair": KindWords("Repair", "differences", "repaired"),
    "ask": KindWords("Asking a query set", "questions", "answered"),
    "coverage": KindWords("Measurement of coverage", "rows and points", "compared"),
    "duplicates": KindWords("Search for duplicates", "points", "looked at"),
    "sample": KindWords("Drawing of a sample", "points", "looked at"),
    "losses": KindWords("Measurement of losses", "queries", "asked"),
    "encoder_check": KindWords("Encoder check", "points", "looked at"),
    "catch_up": KindWords("Catch-up", "changes", "caught up"),
    "backup": KindWords("Backup", "points", "saved"),
    "prove": KindWords("Proof of a backup", "checks and writes", "made"),
    "restore": KindWords("Restore of a backup", "checks and writes", "made"),
    "recreate": KindWords("Recreation in place", "checks and writes", "made"),
    "retire": KindWords("Retirement", "points", "deleted"),
    "snapshot": KindWords("Snapshot of the server", "snapshots", "made"),
    "recover": KindWords("Recovery of a snapshot", "snapshots", "recovered"),
}


def titled(kind: str) -> str:
    """What a kind of run is called: Build, Verification."""
    return KINDS[kind].title if kind in KINDS else kind


def counted(kind: str) -> str:
    """What a kind of run counts: pictures, or rows and points."""
    return KINDS[kind].noun if kind in KINDS else "pictures"


def treated(kind: str) -> str:
    """What was done with each: embedded, checked, compared."""
    return KINDS[kind].treated if kind in KINDS else "done"


def decoded(decoders: Mapping[str, int]) -> str:
    """Who decoded how many pictures, the most first: 1,180 by libjpeg-turbo, 20 by Pillow."""
    ranked = sorted(decoders.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} by {decoder}" for decoder, number in ranked if number)


def percent(fraction: float) -> str:
    """One decimal; 100% only where all is done and 0% only where nothing is."""
    if fraction <= 0:
        return "0%"
    if fraction >= 1:
        return "100%"
    return f"{min(max(fraction * 100, 0.1), 99.9):.1f}%"


def short_interval(shortest: float, longest: float) -> str:
    """A moment, in seconds from and to, for people: less than 1 ms, about 3–30 ms, about 0.2–2 s."""
    if longest < 0.001:
        return "less than 1 ms"
    size, unit = (1.0, "s") if longest >= 1 else (0.001, "ms")
    low, high = (f"{value:.1g}" if value < 1 else f"{value:,.0f}" for value in (shortest / size, longest / size))
    return f"about {high} {unit}" if low == high else f"about {low}–{high} {unit}"


def listed(some: Sequence[str]) -> str:
    """Several in a sentence: a; a and b; a, b and c."""
    return " and ".join(filter(None, (", ".join(some[:-1]), *some[-1:])))


def count(value: int, singular: str, plural: str = "") -> str:
    """1 picture, 1,200 pictures."""
    return f"{value:,} {singular if value == 1 else plural or singular + 's'}"
