"""Runs that only look: asked for again while they wait or are at work, they are the same run."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from console_core.commands.actor import Actor
from console_core.runs.types import Lane, Run, RunState

if TYPE_CHECKING:
    from console_core.console import Console


def look_once(
    console: "Console",
    actor: Actor,
    kind: str,
    collection: str,
    *,
    title: str,
    lane: Lane,
    selected: Callable[[], int],
    spec: Mapping[str, Any] | None = None,
) -> Run:
    """The run of this kind and plan over a collection that waits or is at work already; else a new one, of which
    `selected` says how much there is to look at."""
    wanted = {"version": 1} if spec is None else spec
    states = (RunState.QUEUED, RunState.RUNNING)
    for run in console.ledger.runs(kinds=(kind,), target=collection, states=states):
        if run.spec == wanted:
            return run
    return console.ledger.submit(
        kind=kind,
        lane=lane,
        title=title,
        target=collection,
        spec=wanted,
        actor=actor.name,
        selected=selected(),
        writes=False,
    )
