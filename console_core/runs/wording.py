"""The words of a run: what it counts, what is done with it, and how far it is, for people."""

from collections.abc import Mapping

_NOUNS: Mapping[str, tuple[str, str]] = {
    "reembed": ("pictures", "embedded"),
    "verify": ("pictures", "checked"),
    "repair": ("differences", "repaired"),
    "coverage": ("rows and points", "compared"),
}


def counted(kind: str) -> str:
    """What a kind of run counts: pictures, or rows and points."""
    return _NOUNS.get(kind, ("pictures", "done"))[0]


def treated(kind: str) -> str:
    """What was done with each: embedded, checked, compared."""
    return _NOUNS.get(kind, ("pictures", "done"))[1]


def percent(fraction: float) -> str:
    """One decimal; 100% only where all is done and 0% only where nothing is."""
    if fraction <= 0:
        return "0%"
    if fraction >= 1:
        return "100%"
    return f"{min(max(fraction * 100, 0.1), 99.9):.1f}%"
