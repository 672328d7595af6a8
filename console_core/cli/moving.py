"""The commands that move aliases, and those that keep collections in step with the catalog."""

from typing import Annotated

import typer

from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, finish, follow_json, run_json, show
from console_core.commands import command
from console_core.following.records import Lag
from console_core.rollout.records import Move
from console_core.runs.types import Run, RunState


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (alias, cutover, rollback, recreate, retire, follows):
        app.command()(function)
    app.command("catch-up")(catch_up)


def alias(name: str, collection: str, as_json: Json = False) -> None:
    """Introduce an alias for a collection that is searched by its own name."""
    _move(as_json, "introduce_alias", alias=name, collection=collection)


def cutover(
    alias: str,
    to: Annotated[str, typer.Option("--to", help="The collection to serve.")],
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="Even where pictures that are found today are missing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move the alias to a verified collection in one atomic call."""
    _move(as_json, "cut_over", alias=alias, to=to, accept_losses=accept_losses)


def rollback(
    alias: str,
    accept_losses: Annotated[
        bool, typer.Option("--accept-losses", help="At once, even where pictures have changed since.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move the alias back to what it served before, after bringing that in step with the catalog."""
    _move(as_json, "roll_back", alias=alias, accept_losses=accept_losses)


def follows(as_json: Json = False) -> None:
    """Which collections are kept in step with the catalog, and how far behind they were at the last look."""
    with opened() as console:
        found = [follow_json(follow) for follow in console.follows.active()]
    lines = [
        f"{f['collection']}  {f['behind']} behind at {f['checked_at'] or 'no time yet'}, "
        f"until {f['until'] or 'cut-over'}  {f['note']}".rstrip()
        for f in found
    ]
    show(found, as_json, lines or ["No collection is kept in step."])


def catch_up(
    collection: str,
    mass_deletion: Annotated[
        bool, typer.Option("--mass-deletion", help="Even where most pictures have left the catalog.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring a followed collection in step with the catalog, in the foreground."""
    with opened(owner="embedding-console catch-up") as console:
        asked = command(console, actor_of(console), "catch_up", collection=collection, mass_deletion=mass_deletion)
        if isinstance(asked, Lag):
            show({"run": None, "behind": 0}, as_json, [f"{collection} is in step with the catalog."])
            return
        finished = in_foreground(console, asked, asked.title)
        finish(run_json(finished) | dict(finished.result or {}), finished.state is RunState.SUCCEEDED, as_json)


def _move(as_json: bool, name: str, **arguments: str | bool) -> None:
    with opened(owner=f"embedding-console {name}") as console:
        done: Move | Run = command(console, actor_of(console), name, **arguments)
        if isinstance(done, Run):
            finished = in_foreground(console, done, done.title)
            if finished.state is not RunState.SUCCEEDED:
                finish(run_json(finished), False, as_json)
            done = console.moves.of(str(arguments["alias"]), limit=1)[0]
        move = done
    show(
        {"alias": move.alias, "from": move.before, "to": move.after, "kind": move.kind.value},
        as_json,
        [f"{move.alias}: {move.before or 'nothing'} → {move.after} ({move.kind})"],
    )


def recreate(
    collection: str,
    to: Annotated[str, typer.Option("--to", help="The verified collection that takes the name over.")],
    confirm: Annotated[str, typer.Option(help="The collection's name, once more.")] = "",
    as_json: Json = False,
) -> None:
    """Let a collection's own name lead to a new one; what it held stays beside it."""
    _replace(as_json, "recreate", collection=collection, target=to, typed=confirm)


def retire(
    collection: str,
    confirm: Annotated[str, typer.Option(help="The collection's name, once more.")] = "",
    holding_days: Annotated[
        float | None, typer.Option(help="Days since its cut-over that make a backup unnecessary.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Delete a collection that nobody searches any more, for good."""
    _replace(as_json, "retire", collection=collection, typed=confirm, holding_days=holding_days)


def _replace(as_json: bool, name: str, **arguments: str | float | None) -> None:
    with opened(owner=f"embedding-console {name}") as console:
        run: Run = command(console, actor_of(console), name, **arguments)
        finished = in_foreground(console, run, run.title)
    finish(run_json(finished) | dict(finished.result or {}), finished.state is RunState.SUCCEEDED, as_json)
