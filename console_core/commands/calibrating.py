"""The command that has the sample of a collection drawn."""

from typing import TYPE_CHECKING

from console_core.commands.actor import Actor
from console_core.runs.types import Lane, Run, RunState

if TYPE_CHECKING:
    from console_core.console import Console


def draw_sample(console: "Console", actor: Actor, *, collection: str) -> Run:
    """A run that draws it; the one that waits or is at it already, where there is one."""
    info = console.store.describe(collection)
    waiting = console.ledger.runs(kinds=("sample",), target=info.name, states=(RunState.QUEUED, RunState.RUNNING))
    if waiting:
        return waiting[0]
    return console.ledger.submit(
        kind="sample",
        lane=Lane.STORE,
        title=f"Sample of {info.name}",
        target=info.name,
        spec={"version": 1},
        actor=actor.name,
        selected=info.points,
        writes=False,
    )
