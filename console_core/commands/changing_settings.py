"""What a person can ask of the settings: that console.toml says something else from now on."""

from collections.abc import Sequence
from dataclasses import dataclass

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import ConsoleError
from console_core.settings.changing import Change, save, written
from console_core.settings.secrets import scrubbed, secrets_of


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """The names of the settings that were changed, never their values; none where the file said it all already."""

    names: tuple[str, ...]


def change_settings(
    console: Console, actor: Actor, *, section: str, changes: Sequence[Change], digest: str = ""
) -> SettingsChanged:
    """Write it into console.toml; the console goes on with what it has until it is opened anew.

    `section` is what the journal names. With `digest` the file must still be what it was then.

    Raises:
        Refused: the file was changed since by somebody else.
        SettingsError: the console could not read it, or it cannot be written. Nothing was changed, and what is said has
            no secret in it.
    """
    workspace = console.settings.workspace
    secrets = secrets_of(written(workspace).table)
    try:
        done = save(workspace, changes, digest=digest)
    except ConsoleError as error:
        raise type(error)(scrubbed(error.message, secrets), scrubbed(error.remedy, secrets)) from None
    return SettingsChanged(tuple(dict.fromkeys(change.name for change in changes)) if done else ())
