"""The commands of judging: query sets, and asking them."""

from collections.abc import Sequence

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.querylab.asking import KIND, USUAL_DEPTH, AskPlan, begin
from console_core.querylab.query_sets import QuerySet
from console_core.querylab.rankings import Query
from console_core.runs.types import Lane, Run


def save_query_set(
    console: Console, actor: Actor, *, query_set: str, queries: Sequence[Query], origin: str = ""
) -> QuerySet:
    """Keep questions as the next version of a set."""
    return console.lab.query_sets.save(query_set, queries, origin=origin, by=actor.name)


def ask_query_set(
    console: Console,
    actor: Actor,
    *,
    query_set: str,
    columns: Sequence[str],
    depth: int = USUAL_DEPTH,
    version: int | None = None,
) -> Run:
    """Queue the run that asks a query set of collections or aliases and keeps the answers as a snapshot."""
    asked = console.lab.query_sets.get(query_set, version)
    snapshot = begin(console.store, console.lab.snapshots, asked, columns, depth=depth, by=actor.name)
    return console.ledger.submit(
        kind=KIND,
        lane=Lane.ACCELERATOR,
        title=f"Ask {asked.label} of {' and '.join(columns)}",
        target=snapshot.columns[0].collection,
        spec=AskPlan(asked.name, asked.version, snapshot.id).as_json(),
        actor=actor.name,
        selected=asked.size,
        writes=False,
    )
