"""console.toml changed without touching anything else that stands there: comments and order stay, byte for byte."""

import os
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Table

from console_core import settings
from console_core.errors import Refused, SettingsError
from console_core.settings.section import FILE, parsed

FORMER = f"{FILE}.before"
"""The version of the file before its last change."""
_DRAFT = f".{FILE}.tmp"
_one_at_a_time = Lock()
_BARE = re.compile(r"(?<!\r)\n")
"""The end of a line, but not as Windows writes it."""

Value = str | int | bool | list[str] | dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """The setting at `path`, such as ("store", "timeout"), becomes `value`; None removes it, a whole section too."""

    path: tuple[str, ...]
    value: Value | None = None

    @property
    def name(self) -> str:
        """The setting for people, without its value: "[store] timeout"."""
        section, _, key = ".".join(self.path).rpartition(".")
        return f"[{section}] {key}" if section else key


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in console.toml at one moment. `digest` tells whether it is still that."""

    text: str
    table: Mapping[str, Any]
    digest: str


def written(workspace: Path) -> Written:
    """The file as it is now.

    Raises:
        SettingsError: there is none, or it is not TOML.
    """
    file = _real(workspace)
    try:
        data = file.read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.", "Mend the file; it must be valid TOML.") from error
    return Written(text, parsed(text, file), sha256(data).hexdigest())


def changed(text: str, changes: Iterable[Change], file: Path = Path(FILE)) -> str:
    """What the file's text becomes.

    Raises:
        SettingsError: it is written in a way that this cannot change safely.
    """
    changes = list(changes)
    try:
        document = tomlkit.parse(text)
        for change in changes:
            _apply(document, change)
        after = _with_line_ends_of(text, tomlkit.dumps(document))
        if _filled(tomllib.loads(after)) == _filled(_expected(text, changes)):
            return after
    except (TOMLKitError, tomllib.TOMLDecodeError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise _by_hand(file, changes) from error
    raise _by_hand(file, changes)


def save(
    workspace: Path, changes: Iterable[Change], *, digest: str = "", environment: Mapping[str, str] = os.environ
) -> bool:
    """Make the changes; False where the file says all that already. What it said before is kept beside it.

    The file is there whole, as it was or as it becomes, whenever this process dies. With `digest` it must still be
    what it was when that was taken.

    Raises:
        Refused: it was changed since.
        SettingsError: the console could not read what would be written; nothing was changed. Or it cannot be written.
    """
    file, changes = _real(workspace), list(changes)
    with _one_at_a_time:
        now = written(workspace)
        if digest and now.digest != digest:
            raise Refused(
                f"{FILE} was changed by somebody else since this was opened.",
                "Close this and open it again, then you see what stands there now.",
            )
        after = changed(now.text, changes, file)
        if after == now.text:
            return False
        settings.read(workspace, environment, text=after)
        try:
            _replace(file, file.with_name(FORMER), now.text)
            _replace(file, file, after)
        except OSError as error:
            raise _by_hand(file, changes) from error
    return True


def take_back(workspace: Path) -> None:
    """Let the former version take the file's place again.

    Raises:
        SettingsError: it cannot be written.
    """
    file = _real(workspace)
    try:
        with _one_at_a_time:
            _replace(file, file, file.with_name(FORMER).read_bytes().decode())
    except OSError as error:
        raise SettingsError(
            f"{file} could not be written: {error.strerror}.", f"Put {FORMER}, which lies beside it, in its place."
        ) from error


def set_store_url(workspace: Path, url: str) -> None:
    """Write `url` in [store].

    Raises:
        SettingsError: the file cannot be written, or not changed safely.
    """
    save(workspace, [Change(("store", "url"), url)])


def _real(workspace: Path) -> Path:
    """The file itself, where the workspace has a link to it."""
    return (workspace / FILE).resolve()


def _replace(like: Path, file: Path, text: str) -> None:
    """Put a text in a file's place at once, readable by whoever may read `like`."""
    draft = file.with_name(_DRAFT)
    try:
        draft.touch(mode=0o600)
        shutil.copymode(like, draft)
        with draft.open("wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _apply(document: tomlkit.TOMLDocument, change: Change) -> None:
    place: Any = document
    *sections, key = change.path
    for name in sections:
        if name not in place:
            if change.value is None:
                return
            new = tomlkit.inline_table() if isinstance(place, InlineTable) else tomlkit.table()
            _put(place, name, new)
        place = place[name]
    if change.value is None:
        if key in place:
            del place[key]
    else:
        _put(place, key, change.value)


def _put(place: Any, key: str, value: Any) -> None:
    """What is new comes below a section's last setting: remarks at its end are mostly about what follows it."""
    if key in place or not isinstance(place, Table):
        place[key] = value
        return
    body, remarks = place.value.body, []
    while body and body[-1][0] is None:
        remarks.append(body.pop())
    place.add(key, value)
    body.extend(reversed(remarks))


def _with_line_ends_of(text: str, after: str) -> str:
    if "\r\n" in text and not _BARE.search(text):
        return _BARE.sub("\r\n", after)
    return after


def _expected(text: str, changes: Iterable[Change]) -> dict[str, Any]:
    data = tomllib.loads(text)
    for change in changes:
        place: dict[str, Any] = data
        *sections, key = change.path
        for name in sections:
            if change.value is None and name not in place:
                break
            place = place.setdefault(name, {})
        else:
            if change.value is None:
                place.pop(key, None)
            else:
                place[key] = change.value
    return data


def _filled(table: dict[str, Any]) -> dict[str, Any]:
    """Without sections that have nothing in them: a section that lost its last setting may stay or go."""
    inner = {key: _filled(value) if isinstance(value, dict) else value for key, value in table.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _by_hand(file: Path, changes: Iterable[Change]) -> SettingsError:
    names = ", ".join(change.name for change in changes)
    return SettingsError(f"{file} could not be changed.", f"Write it yourself: {names}.")
