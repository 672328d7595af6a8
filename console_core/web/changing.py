"""Settings that are changed while the server runs take effect without a restart."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console_core.commands import Actor, command
from console_core.commands.changing_settings import SettingsChanged
from console_core.console import Console
from console_core.database import now
from console_core.errors import ConsoleError
from console_core.runs.types import Run, RunState, Verb
from console_core.settings import Settings, read
from console_core.settings.changing import Change, take_back, written
from console_core.settings.secrets import scrubbed, secrets_of
from console_core.web import process


@dataclass(frozen=True, slots=True)
class Effect:
    """The names of what was changed, the runs that paused for it and go on, and those that wait for a person because
    they belong to another store or catalog than there is now."""

    names: tuple[str, ...] = ()
    going_on: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


def change_settings(actor: Actor, section: str, changes: Sequence[Change], digest: str = "") -> Effect:
    """The command of that name, after which the Console is opened anew.

    Runs that it interrupts go on from their checkpoints. Where the Console cannot be opened with the new settings, the
    former file comes back, it is opened with that, and the journal says so.

    Raises:
        ConsoleError: nothing is changed; see the command, and `process.reopen`.
    """
    former = process.console()
    changed: SettingsChanged = command(
        former, actor, "change_settings", section=section, changes=changes, digest=digest
    )
    if not changed.names:
        return Effect()
    workspace, moment = former.settings.workspace, now()
    secrets = secrets_of(written(workspace).table)
    queued = [] if _place(read(workspace)) == _place(former.settings) else _paused(former, actor)
    try:
        console = process.reopen(lambda: take_back(workspace))
    except ConsoleError as error:
        plain = type(error)(scrubbed(error.message, secrets), scrubbed(error.remedy, secrets))
        if (again := process.opened()) is not None:
            again.ledger.note(actor.name, "change_settings", section, f"Taken back. {plain.message}", "refused")
            _resume(again, [*_stopped_since(again, moment), *queued], actor)
        raise plain from None
    stopped = _stopped_since(console, moment)
    if _place(console.settings) == _place(former.settings):
        _resume(console, stopped, actor)
        return Effect(changed.names, going_on=tuple(run.title for run in stopped))
    return Effect(changed.names, waiting=tuple(run.title for run in (*stopped, *queued)))


def _paused(console: Console, actor: Actor) -> list[Run]:
    """Runs that have not begun, which would begin in a store or with a catalog that they were not meant for."""
    queued = console.ledger.runs(states=(RunState.QUEUED,), limit=1000)
    return [console.ledger.ask(run.id, Verb.PAUSE, actor.name) for run in queued]


def _stopped_since(console: Console, moment: datetime) -> list[Run]:
    """Runs whose work ended, unfinished, when the Console was closed."""
    stopped = console.ledger.runs(states=(RunState.INTERRUPTED,), limit=1000)
    ends = [(run, console.ledger.attempts(run.id)[-1].finished_at) for run in stopped]
    return [run for run, ended in ends if ended is not None and ended >= moment]


def _resume(console: Console, runs: Sequence[Run], actor: Actor) -> None:
    for run in runs:
        console.ledger.ask(run.id, Verb.RESUME, actor.name)
    if console.worker is not None:
        console.worker.wake()


def _place(settings: Settings) -> object:
    """What a run is bound to: the collection that it fills, the list that it is filled from, and where that list's
    relative paths start."""
    return settings.store.url, settings.catalog, settings.images.roots[:1]
