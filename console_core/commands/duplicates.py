"""The command that looks through a collection for pictures that it has more than once."""

from collections.abc import Mapping, Sequence

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.querylab.duplicates import THRESHOLD, refuse_duplicates
from console_core.querylab.finding_duplicates import KIND
from console_core.runs.types import ACTIVE, RESUMABLE, Lane, Run, Verb


def find_duplicates(
    console: Console,
    actor: Actor,
    *,
    collection: str,
    threshold: float = THRESHOLD,
    only: Mapping[str, Sequence[str]] | None = None,
) -> Run:
    """Queue the run; with `only`, values as they are written by payload field, among the points that pass that filter.

    One that was stopped makes way: its collection would be looked through by two.
    """
    info = console.store.describe(collection)
    refuse_duplicates(info, threshold)
    spec = {"version": 1, "threshold": threshold, "only": {name: list(values) for name, values in (only or {}).items()}}
    unfinished = console.ledger.runs(kinds=(KIND,), target=info.name, states=ACTIVE | RESUMABLE)
    for run in unfinished:
        if run.state in ACTIVE and run.spec == spec:
            return run
        if run.state in ACTIVE:
            raise Refused(
                f"{info.name} is being looked through already, at a cosine of {run.spec['threshold']:g}.",
                "Let it end or cancel it, then look again.",
            )
    for run in unfinished:
        console.ledger.ask(run.id, Verb.CANCEL, actor.name)
    return console.ledger.submit(
        kind=KIND,
        lane=Lane.STORE,
        title=f"Duplicates in {info.name}",
        target=info.name,
        spec=spec,
        actor=actor.name,
        selected=info.points,
        writes=False,
    )
