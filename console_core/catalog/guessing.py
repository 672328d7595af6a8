"""What columns probably mean, from their names and first values: a proposal, which a person looks at."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from console_core.catalog.types import JsonValue

CanBeKey = Literal["yes", "perhaps", "no"]
"""`perhaps`: nothing speaks against it among the first rows, and nothing guarantees it for the others."""

_PICTURE = re.compile(r"\.(jpe?g|png|gif|bmp|webp|tiff?|avif|heic)([?#].*)?$", re.IGNORECASE)
_PLACE = re.compile(r"\S*[/\\]\S+")
_PATH_NAME = re.compile(r"path|ur[li]|file|image|img|photo|picture|src|object", re.IGNORECASE)
_CHANGED = re.compile(r"updat|modif|chang|mtime", re.IGNORECASE)
_IDENTITY = re.compile(r"(^|_)(id|uuid|guid|key|pk)$", re.IGNORECASE)
_TENANTS = (
    "tenant",
    "namespace",
    "user",
    "owner",
    "customer",
    "account",
    "organization",
    "organisation",
    "org",
    "team",
)


@dataclass(frozen=True, slots=True)
class SeenColumn:
    """A column, whether it alone can be the key, and why not."""

    name: str
    type: str
    key: CanBeKey
    why: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What [catalog] could say; empty where nothing suggests itself."""

    key: tuple[str, ...]
    paths: tuple[str, ...]
    updated_at: str = ""
    tenant: str = ""


def proposal(
    columns: Sequence[SeenColumn], sample: Sequence[Mapping[str, JsonValue]], primary: Sequence[str] = ()
) -> Proposal:
    """The columns that are probably the key (`primary`: what the database says), paths, time of change and tenant."""
    names = [column.name for column in columns]
    key = tuple(primary) or _key(columns)
    paths = tuple(name for name in names if _holds_paths(name, [row.get(name) for row in sample]))
    rest = [name for name in names if name not in paths]
    updated = next((name for name in rest if _CHANGED.search(name) and _has_times(name, sample)), "")
    return Proposal(key, paths, updated, _tenant([name for name in rest if (name,) != key and name != updated]))


def looks_like_a_picture(text: str) -> bool:
    """Whether a text ends like the name of a picture."""
    return bool(_PICTURE.search(text))


def _key(columns: Sequence[SeenColumn]) -> tuple[str, ...]:
    for certain in ("yes", "perhaps"):
        able = [column.name for column in columns if column.key == certain]
        if found := next((name for name in able if _IDENTITY.search(name)), able[0] if able else ""):
            return (found,)
    return ()


def _holds_paths(name: str, values: Sequence[JsonValue]) -> bool:
    """Most of its values end like pictures; or it is called like a path and its values look like places, if any."""
    told = [value for value in values if isinstance(value, str) and value.strip()]
    if any(value is not None and not isinstance(value, str) for value in values):
        return False
    if told and 2 * sum(map(looks_like_a_picture, told)) > len(told):
        return True
    return bool(_PATH_NAME.search(name)) and all(_PLACE.fullmatch(value) for value in told)


def _has_times(name: str, sample: Sequence[Mapping[str, JsonValue]]) -> bool:
    values = [row.get(name) for row in sample]
    return all(value is None or value == "" or _is_time(value) for value in values)


def _is_time(value: JsonValue) -> bool:
    if isinstance(value, str):
        try:
            date.fromisoformat(value[:10])
        except ValueError:
            return value.isdecimal()
        return True
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tenant(names: Sequence[str]) -> str:
    for word in _TENANTS:
        for name in names:
            if re.fullmatch(rf"{word}(_?(id|uuid|key|name))?", name, re.IGNORECASE):
                return name
    return ""
