"""A process that is killed with -9 at one border of what it does: right before the next thing becomes durable.

Borders are the calls of the store that write, the transactions of the ledger that change something, and the files of
backups that get their name or go. Right before one is right after the one before it.
"""

import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from console_core import settings
from console_core.backup import operation
from console_core.commands import Actor, command
from console_core.console import Console, open_console
from console_core.database import Database
from console_core.runs.execution import work
from console_core.runs.types import RESUMABLE, RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded

PART_BYTES = 9_000
"""So small that a backup of 24 points with 128 numbers each has two parts."""
WRITES = ("create", "stamp", "drop", "upsert", "delete", "set_alias")


def die_at(workspace: str, action: str, number: str) -> None:
    """Do what `action` says (see `act`), and die right before its n-th border, or with 0 right after the last.

    The borders are printed, one a line.
    """
    operation.PART_BYTES = PART_BYTES
    console = open_console(settings.read(Path(workspace), {}), owner_name="a short life")
    _arm(int(number), console.backups.folder)
    act(console, json.loads(action))
    if number == "0":
        os.kill(os.getpid(), signal.SIGKILL)
    console.close()


def act(console: Console, action: dict[str, Any]) -> None:
    """Work on a queued run to its success, resumed where it stopped, or do a command."""
    actor = Actor("olga", "admin")
    if "run" not in action:
        command(console, actor, action["command"], **action["arguments"])
        return
    if console.ledger.get(action["run"]).state in RESUMABLE:
        command(console, actor, "resume", run=action["run"])
    claimed = console.ledger.claim(console.ledger.get(action["run"]).lane, "a life", only=action["run"])
    assert claimed is not None
    ended = work(claimed, console.operation, console.ledger, lambda: False)
    assert ended.state is RunState.SUCCEEDED, ended.reason


class _Borders:
    def __init__(self, number: int) -> None:
        self.number, self.passed = number, 0

    def meet(self, name: str) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self.passed += 1
        print(name, flush=True)  # noqa: T201
        if self.passed == self.number:
            os.kill(os.getpid(), signal.SIGKILL)

    def before_write(self, name: str) -> None:
        write = getattr(QdrantEmbedded, name)

        def deadly(store: QdrantEmbedded, collection: str, *arguments: Any, **named: Any) -> Any:
            self.meet(f"store: {name} {collection}")
            return write(store, collection, *arguments, **named)

        setattr(QdrantEmbedded, name, deadly)

    def before_file(self, owner: Any, name: str, folder: Path) -> None:
        change = getattr(owner, name)

        def deadly(path: Any, *arguments: Any, **named: Any) -> Any:
            if Path(path).is_relative_to(folder):
                self.meet(f"file: {name}, ending in {Path(path).suffix}")
            return change(path, *arguments, **named)

        setattr(owner, name, deadly)


def _arm(number: int, backups: Path) -> None:
    borders, transaction = _Borders(number), Database.transaction
    for name in WRITES:
        borders.before_write(name)
    for owner, name in ((Path, "replace"), (Path, "rename"), (shutil, "rmtree")):
        borders.before_file(owner, name, backups)

    @contextmanager
    def deadly(self: Database) -> Iterator[Connection]:
        asked_by = sys._getframe(2).f_code.co_name
        with transaction(self) as connection:
            driver: Any = connection.connection.driver_connection
            before = driver.total_changes
            yield connection
            if driver.total_changes != before:
                borders.meet(f"ledger: {asked_by}")

    Database.transaction = deadly  # type: ignore[method-assign]
