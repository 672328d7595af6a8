"""A .env file as another application has it: names and values, as they are written."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from console_core.errors import SettingsError

MOST_BYTES = 1_000_000
"""A larger file is something else."""


def variables_of(file: Path) -> dict[str, str]:
    """The variables of a file.

    Raises:
        SettingsError: it cannot be read, or is no .env file.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror or error}.", "Name a .env file.") from error
    return variables_in(content, str(file))


def variables_in(content: bytes | str, place: str) -> dict[str, str]:
    """The variables of a text: quotes and `export` are understood, comments passed over, and `${…}` is left as it is.

    A name that is set twice has the last value, as where the file is sourced. `place` is said where something is wrong.

    Raises:
        SettingsError: it is too long, it is not text, or a line of it cannot be understood; its content is not
            repeated, because it may be a secret.
    """
    if len(content) > MOST_BYTES:
        raise SettingsError(f"{place} has more than {MOST_BYTES:,} bytes.", "Name a .env file.")
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{place} is not text in UTF-8.", "Save it as UTF-8, or name a .env file.") from error
    found: dict[str, str] = {}
    for binding in parse_stream(StringIO(text.removeprefix("\ufeff").replace("\0", "\ufffd"))):
        if binding.error:
            raise SettingsError(
                f"Line {binding.original.line} of {place} cannot be understood.",
                'Write NAME=value or NAME="value with spaces", and close every quote.',
            )
        if binding.key is not None:
            found[binding.key] = (binding.value or "").strip()
    return found


def known_in(environment: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    """Those of an environment that are asked for."""
    return {name: value.strip() for name, value in environment.items() if name in names}
