"""What forked processes run: the command line, the server without its screen, and programs that are in the way."""

import itertools
import json
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from console_core import settings
from console_core.backup import operation
from console_core.cli import main
from console_core.commands import Actor, command
from console_core.console import open_console
from console_core.errors import ConsoleError
from console_core.runs.execution import work
from console_core.runs.ledger import Ledger
from console_core.runs.types import RESUMABLE, Lane, RunState
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.qdrant import QdrantStore
from console_core.vectorstore.types import Point


def cli(*arguments: str) -> None:
    """`embedding-console ARGUMENTS`."""
    sys.argv = ["embedding-console", *arguments]
    main()


def server(workspace: str, log: str) -> None:
    """The server's life as its lifespan lives it: open with a worker, resume what was stopped, and go on for ever.

    The ids of every batch are appended to `log` before they are written to the store.
    """
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    upsert = QdrantStore.upsert

    def logged(self: QdrantStore, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        os.write(written, json.dumps([name, *(point.id for point in points)]).encode() + b"\n")
        return upsert(self, name, points, as_is=as_is)

    QdrantStore.upsert = logged  # type: ignore[method-assign]
    console = open_console(settings.read(Path(workspace)), owner_name="the server", with_worker=True)
    for run in console.ledger.runs(states=RESUMABLE):
        command(console, Actor("olga", "operator"), "resume", run=run.id)
    _stay()


def owner(workspace: str, name: str) -> None:
    """A process that owns a workspace and does nothing with it."""
    console: Any = open_console(settings.read(Path(workspace), {}), owner_name=name, with_worker=True)
    assert console.worker is not None
    _stay()


def attempt(workspace: str, run: str, patience: str) -> None:
    """One attempt at a queued run, which waits `patience` seconds for a ledger that cannot be written."""
    try:
        console = open_console(settings.read(Path(workspace), {}), owner_name="an attempt")
        claimed = console.ledger.claim(Lane.ACCELERATOR, "an attempt", only=run)
        assert claimed is not None
        ended = work(claimed, console.operation, console.ledger, lambda: False, float(patience))
    except ConsoleError as error:
        print(error)  # noqa: T201
        raise SystemExit(1) from error
    print(ended.state, ended.reason)  # noqa: T201
    raise SystemExit(ended.state is not RunState.SUCCEEDED)


def die_moving(workspace: str, name: str, moment: str) -> None:
    """Cut `images` over, or roll it back, and die with code 9 right before or after the store moves the alias."""
    set_alias = QdrantStore.set_alias

    def deadly(self: QdrantStore, alias: str, to: str, *, expected: str | None) -> None:
        if moment == "after":
            set_alias(self, alias, to, expected=expected)
        os._exit(9)

    QdrantStore.set_alias = deadly  # type: ignore[method-assign, assignment]
    console = open_console(settings.read(Path(workspace), {}), owner_name="a short life")
    arguments = {"to": "images__demo-siglip"} if name == "cut_over" else {}
    command(console, Actor("olga", "admin"), name, alias="images", **arguments)


def die_working(workspace: str, run: str, moment: str, number: str, part_bytes: str) -> None:
    """Work on a run, resumed where it stopped, and be killed right before or after its n-th step is recorded.

    Exit code 0 where the run ended before that. `part_bytes` makes parts of backups small, so that there are several.
    """
    operation.PART_BYTES = int(part_bytes)
    console = open_console(settings.read(Path(workspace), {}), owner_name="a short life")
    if console.ledger.get(run).state in RESUMABLE:
        command(console, Actor("olga", "admin"), "resume", run=run)
    record, steps = Ledger.record, 0

    def deadly(self: Ledger, *arguments: Any, **named: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == int(number) and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        record(self, *arguments, **named)
        if steps == int(number):
            os.kill(os.getpid(), signal.SIGKILL)

    Ledger.record = deadly  # type: ignore[method-assign]
    claimed = console.ledger.claim(console.ledger.get(run).lane, "a short life", only=run)
    assert claimed is not None
    ended = work(claimed, console.operation, console.ledger, lambda: False)
    console.close()
    raise SystemExit(ended.state is not RunState.SUCCEEDED)


def lock(database: str, seconds: str) -> None:
    """Another program that keeps a SQLite database locked for writing."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    _stay(float(seconds))
    connection.close()


def load(url: str, collection: str, batch: str, log: str) -> None:
    """Leave the index of a collection out and write batches of points into it for ever, with ids of their own.

    The number of every batch is appended to `log` when it was acknowledged.
    """
    size, written = int(batch), os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    store = open_store(StoreSettings(url))
    dimension = store.describe(collection).dimension
    store.defer_index(collection)
    start = store.count(collection) // size
    rows = np.random.default_rng(start).normal(size=(size, dimension)).astype(np.float32)
    for number in itertools.count(start):
        store.upsert(collection, [Point(number * size + i, row, {"batch": number}) for i, row in enumerate(rows)])
        os.write(written, f"{number}\n".encode())


def _stay(seconds: float = 600) -> None:
    print("ready", flush=True)  # noqa: T201
    time.sleep(seconds)
