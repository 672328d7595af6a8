"""The commands about the store as a whole."""

from dataclasses import asdict
from typing import Annotated

import typer

from console_core.cli.foreground import actor_of, opened
from console_core.cli.output import Json, progress_bar, show
from console_core.commands import command
from console_core.commands.moving_store import StoreMoved

store = typer.Typer(no_args_is_help=True, help="The vector store of the workspace as a whole.")


@store.callback()
def _topic() -> None:
    """Several commands, though there is one so far."""


@store.command()
def move(
    to: Annotated[str, typer.Option("--to", help="The other store, such as edge:qdrant-edge.")],
    set_url: Annotated[bool, typer.Option("--set", help="Name it in console.toml afterwards.")] = False,
    as_json: Json = False,
) -> None:
    """Copy every collection and alias into another store, and compare them; the old store stays as it is."""
    with (
        opened(owner="embedding-console store move") as console,
        progress_bar(f"Moving to {to}") as advance,
    ):
        moved: StoreMoved = command(console, actor_of(console), "move_store", to=to, set_url=set_url, advance=advance)
    lines = [
        f"{moved.collections:,} collections with {moved.points:,} points and {moved.aliases:,} aliases are in {to}, "
        "and the same there as here."
    ]
    if moved.set_in_file:
        lines.append("console.toml names it from now on.")
    else:
        lines.append(f'Set url = "{to}" in [store] of console.toml, then start the console again.')
    if moved.overruled:
        lines.append("CONSOLE_STORE_URL is set and wins over the file: change it too.")
    lines.append("The old store is untouched. Delete its folder once you are sure that nobody needs it.")
    show(asdict(moved), as_json, lines)
