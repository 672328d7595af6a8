"""console.toml as it is written: its sections, and what is said where a value is not what it should be."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from console_core.errors import SettingsError

FILE = "console.toml"


REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""What stands for a variable of the environment."""
SECRET = frozenset({"api_key", "secret", "password", "token"})
"""Settings that are secrets, whatever section they stand in."""


def table_of(file: Path, environment: Mapping[str, str], text: str | None = None) -> dict[str, Any]:
    """All that a file says, with the environment's value in place of every `${NAME}`: so no secret need stand in it.

    With `text`: all that the file would say if it were that.

    Raises:
        SettingsError: there is none, it is not TOML, or a variable that it names is not set.
    """
    table = written(file) if text is None else parsed(text, file)
    return {key: _resolved(value, key, file, environment) for key, value in table.items()}


def written(file: Path) -> dict[str, Any]:
    """All that a file says, as it is written.

    Raises:
        SettingsError: there is none, or it is not TOML.
    """
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except FileNotFoundError as error:
        raise SettingsError(
            f"{file.parent} is not a workspace: it has no {FILE}.",
            "Run `embedding-console demo` for the demo workspace, or write the file (README, Connect your own).",
        ) from error
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from error


def parsed(text: str, file: Path) -> dict[str, Any]:
    """All that a file with this text says, as it is written.

    Raises:
        SettingsError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> SettingsError:
    return SettingsError(f"{file} cannot be read: {error}.", "Mend the file; it must be valid TOML.")


def _resolved(value: Any, where: str, file: Path, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _resolved(inner, f"{where}.{key}", file, environment) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, where, file, environment) for inner in value]
    if not isinstance(value, str):
        return value
    if lacking := next((name for name in REFERENCE.findall(value) if name not in environment), None):
        raise SettingsError(
            f"{where} in {file} refers to the environment variable {lacking}, which is not set.",
            f"Set {lacking} where the console is started.",
        )
    return REFERENCE.sub(lambda found: environment[found[1]], value)


Word = TypeVar("Word", bound=str)


class Section:
    """A section of the file, "" for its top level. A value of another type than asked for is a SettingsError."""

    def __init__(self, name: str, values: Any, file: Path, known: Sequence[str]) -> None:
        self._name, self._file = name, file
        self._where = f"[{name}] in {file}" if name else str(file)
        if not isinstance(values, dict):
            raise SettingsError(f"{self._where} is not a table.", f"Write it as a section: [{name}].")
        if unknown := next((key for key in values if key not in known), None):
            near = get_close_matches(unknown, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
            raise SettingsError(f'{self._where} has "{unknown}", which is not a setting.', remedy)
        self._values: dict[str, Any] = values

    def sections(self, key: str, known: Sequence[str]) -> list[tuple[str, "Section"]]:
        """The sections within one, `[section.key.<name>]`, by their names."""
        values, name = self._values.get(key, {}), f"{self._name}.{key}"
        Section(name, values, self._file, tuple(values) if isinstance(values, dict) else ())
        return [(entry, Section(f"{name}.{entry}", value, self._file, known)) for entry, value in values.items()]

    def text(self, key: str, default: str = "") -> str:
        value = self._values.get(key, default)
        return value if isinstance(value, str) else self._wrong(key, f'{key} = "…"')

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key, [])
        fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return tuple(value) if fits else self._wrong(key, f'{key} = ["…"]')

    def text_or_texts(self, key: str, default: str) -> str | tuple[str, ...]:
        """A text, or several in a list; a list of one is that one."""
        if not isinstance(self._values.get(key), list):
            return self.text(key, default)
        several = self.texts(key)
        if not several:
            self._wrong(key, f'{key} = "…", or several in a list')
        return several[0] if len(several) == 1 else several

    def number(self, key: str, default: int, *, least: int = 0) -> int:
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self._wrong(key, f"{key} = {max(default, least)}, a whole number of at least {least}")
        return value

    def truth(self, key: str, default: bool) -> bool:
        value = self._values.get(key, default)
        return value if isinstance(value, bool) else self._wrong(key, f"{key} = {str(default).lower()}")

    def words(self, key: str) -> dict[str, str]:
        """A table of texts. What is wrong with it is told without its values, which may be secrets."""
        value = self._values.get(key, {})
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return value
        raise SettingsError(f"{key} of {self._where} is no table of texts.", f'Write {key} = {{ Name = "…" }}.')

    def inner(self, key: str, known: Sequence[str]) -> "Section":
        """The section within this one; an empty one where it is not written."""
        return Section(f"{self._name}.{key}", self._values.get(key, {}), self._file, known)

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        is_what = "not a text" if key in SECRET else repr(self._values[key])
        raise SettingsError(f"{key} of {self._where} is {is_what}.", f"Write {wanted}.")

    def one_of(self, allowed: tuple[Word, ...], name: str, variable: str, environment: Mapping[str, str]) -> Word:
        """One of a few words, the first of them where nothing is set; the environment's variable wins over the file."""
        given = environment.get(variable) or self.text(name, allowed[0])
        for word in allowed:
            if word == given:
                return word
        where = variable if environment.get(variable) else self._where
        raise SettingsError(f'The {name} "{given}" in {where} is not known.', f"Use one of: {', '.join(allowed)}.")
