"""Where things lie: paths and stores as they are written in console.toml, relative to the workspace."""

from pathlib import Path

from console_core.errors import SettingsError


def path_of(workspace: Path, text: str) -> Path:
    """The path that a text means.

    Raises:
        SettingsError: it cannot be one.
    """
    try:
        return (workspace / Path(text).expanduser()).resolve()
    except (RuntimeError, ValueError) as error:  # ~ of a user who does not exist, or a NUL
        raise SettingsError(f"{text!r} is not a path: {error}", "Write an absolute path.") from error


def store_url(workspace: Path, url: str) -> str:
    """A store's URL as it is opened: the folder of an embedded store is relative to the workspace."""
    kind, _, folder = url.partition(":")
    return f"{kind}:{path_of(workspace, folder)}" if kind in ("local", "edge") and folder else url
