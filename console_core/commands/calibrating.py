"""The command that has the sample of a collection drawn."""

from typing import TYPE_CHECKING

from console_core.commands.actor import Actor
from console_core.commands.looking import look_once
from console_core.runs.types import Lane, Run

if TYPE_CHECKING:
    from console_core.console import Console


def draw_sample(console: "Console", actor: Actor, *, collection: str) -> Run:
    """A run that draws it; the one that waits or is at it already, where there is one."""
    info = console.store.describe(collection)
    title = f"Sample of {info.name}"
    return look_once(console, actor, "sample", info.name, title=title, lane=Lane.STORE, selected=lambda: info.points)
