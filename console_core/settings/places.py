"""Paths, store URLs and database URLs as they are written in console.toml: relative ones start from the workspace."""

from pathlib import Path

from console_core.errors import SettingsError


def path_of(workspace: Path, text: str) -> Path:
    """The path that a text means.

    Raises:
        SettingsError: it is none.
    """
    try:
        return (workspace / Path(text).expanduser()).resolve()
    except (RuntimeError, ValueError) as error:  # ~ of a user who does not exist, or a NUL
        raise SettingsError(f"{text!r} is not a path: {error}", "Write an absolute path.") from error


def store_url(workspace: Path, url: str) -> str:
    """A store's URL as it is opened: the folder or file of an embedded store is relative to the workspace."""
    kind, _, folder = url.partition(":")
    if kind == "sqlite":
        return database_url(workspace, url)
    if kind == "blob":
        return f"blob:{database_url(workspace, folder)}"
    return f"{kind}:{path_of(workspace, folder)}" if kind in ("local", "edge") and folder else url


def database_url(workspace: Path, url: str) -> str:
    """SQLite files are relative to the workspace; every other URL stays as it is."""
    prefix, slashes, file = url.partition(":///")
    if not prefix.startswith("sqlite") or not slashes or file in ("", ":memory:"):
        return url
    return f"{prefix}:///{path_of(workspace, file)}"
