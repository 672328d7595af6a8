"""What a person can ask of the store as a whole: to move everything into another one."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.store_move import StoreMove, result_of
from console_core.settings import store_url
from console_core.settings.changing import set_store_url
from console_core.vectorstore.opening import open_store


@dataclass(frozen=True, slots=True)
class StoreMoved:
    """What was moved, the URL to set, whether that was done, and whether the environment names another one."""

    url: str
    collections: int
    points: int
    aliases: int
    set_in_file: bool
    overruled: bool


def move_store(
    console: Console,
    actor: Actor,
    *,
    to: str,
    set_url: bool = False,
    advance: Callable[[str, float], None] = lambda step, fraction: None,
) -> StoreMoved:
    """Copy everything that the workspace's store holds into the store `to`, a URL as in console.toml.

    The old store stays as it is. With `set_url` console.toml names the new one from now on.

    Raises:
        Refused: the console works on the workspace, or it is the same store.
        StoreError: see `StoreMove.steps`.
    """
    if console.worker is not None:
        raise Refused(
            "A store is moved while no console is open.",
            f"Stop the console, then run: embedding-console store move --to {to}",
        )
    workspace = console.settings.workspace
    url = store_url(workspace, to)
    if url == console.settings.store.url:
        raise Refused(f"The workspace's store is {to} already.", "Name another one.")
    with ExitStack() as opened:
        target = open_store(replace(console.settings.store, url=url))
        opened.callback(target.close)
        for step in StoreMove(console.store, target, to=url, workspace=workspace).steps():
            advance(step.what, step.done / max(step.selected, 1))
    if set_url:
        set_store_url(workspace, to)
    return StoreMoved(
        to, **result_of(console.store), set_in_file=set_url, overruled=bool(os.environ.get("CONSOLE_STORE_URL"))
    )
