"""The store's URL in console.toml, changed without touching anything else that stands there."""

import json
import os
import re
import tomllib
from pathlib import Path

from console_core.errors import SettingsError
from console_core.settings.section import FILE

_SECTION = re.compile(r"^\[store\][ \t]*(#.*)?$", re.MULTILINE)
_NEXT = re.compile(r"^\[", re.MULTILINE)
_URL = re.compile(r"^url[ \t]*=.*$", re.MULTILINE)


def set_store_url(workspace: Path, url: str) -> None:
    """Write `url` in [store]; the file is there whole or as it was.

    Raises:
        SettingsError: the file cannot be written, or is written in a way that this cannot change safely.
    """
    file = workspace / FILE
    try:
        before = file.read_text(encoding="utf-8")
        after = _changed(before, f"url = {json.dumps(url, ensure_ascii=False)}")
        if tomllib.loads(after) != _expected(before, url):
            raise _by_hand(file, url)
        draft = file.with_name(f".{FILE}.tmp")
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(after)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise _by_hand(file, url) from error


def _changed(text: str, line: str) -> str:
    section = _SECTION.search(text)
    if section is None:
        return f"[store]\n{line}\n\n{text}" if _is_headed(text) else f"{text.rstrip()}\n\n[store]\n{line}\n".lstrip()
    following = _NEXT.search(text, section.end())
    end = following.start() if following else len(text)
    body = text[section.end() : end]
    body = _URL.sub(lambda _: line, body, count=1) if _URL.search(body) else f"\n{line}{body}"
    return text[: section.end()] + body + text[end:]


def _is_headed(text: str) -> bool:
    """Whether the text begins with a section, so that another one can stand before it."""
    first = next((line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    return first.startswith("[")


def _expected(text: str, url: str) -> dict[str, object]:
    data = tomllib.loads(text)
    return {**data, "store": {**data.get("store", {}), "url": url}}


def _by_hand(file: Path, url: str) -> SettingsError:
    return SettingsError(f"{file} could not be changed.", f'Write it yourself: [store] url = "{url}".')
