"""Numbers and lists of a report. A number is looked up in the outcome's JSON document, and the HTML says where."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from console_core.judging import wording

FORMATS: Mapping[str, Callable[[Any], str]] = {
    "plain": wording.plain,
    "score": wording.score,
    "difference": wording.difference,
    "share": wording.share,
    "count": wording.count,
    "chance": wording.chance,
    "strength": wording.strength,
    "grade": wording.grade,
    "moment": wording.moment,
    "gain": wording.gain,
    "judges": wording.judges,
    "finished": wording.finished,
    "named": wording.named,
    "versions": wording.versions,
    "settings": wording.settings,
}
"""How a number is written, by what `data-as` calls it."""


class Numbers:
    """The numbers of one document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document

    def __call__(self, path: str, how: str) -> str:
        """A value of the document as HTML; `path` leads to it ("columns.0.points")."""
        return f'<bdi data-of="{path}" data-as="{how}">{self.text(at(self._document, path), how)}</bdi>'

    def text(self, value: object, how: str) -> str:
        """A value as text that is safe in HTML."""
        return escape(FORMATS[how](value))


def at(document: Any, path: str) -> Any:
    """What a path leads to; None where something on the way is None."""
    for step in path.split("."):
        if document is None:
            return None
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def listing(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """Names and their values, which are HTML, under a heading."""
    lines = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    return f"{f'<h2>{escape(title)}</h2>' if title else ''}<dl>{lines}</dl>"


def paragraph(text: str) -> str:
    """Plain text as a paragraph; nothing of nothing."""
    return f'<p class="soft">{escape(text)}</p>' if text else ""


def exploratory() -> str:
    """The mark of what nobody fixed in advance."""
    return '<span class="mark">exploratory</span>'
