"""A run driven to its end in this process, and the workspace opened for one command."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console_core.cli.output import progress_bar, told
from console_core.commands import Actor
from console_core.console import Console, open_console
from console_core.errors import Refused
from console_core.runs.types import Run
from console_core.runs.worker import execute
from console_core.settings import read


class Chosen:
    """What was said before the command."""

    workspace = Path("workspace")


@contextmanager
def opened(owner: str = "") -> Iterator[Console]:
    with told():
        console = open_console(read(Chosen.workspace), owner_name=owner)
        try:
            yield console
        finally:
            console.close()


def actor_of(console: Console) -> Actor:
    return Actor(console.settings.actor, console.settings.role)


def in_foreground(console: Console, run: Run, label: str) -> Run:
    """Drive a run to its end in this process; Ctrl+C stops it at the next checkpoint, and it can be resumed."""
    stopped: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _frame: stopped.append(number))
    try:
        with progress_bar(label) as advance:

            def should_stop() -> bool:
                now = console.ledger.get(run.id)
                advance(label, now.counts.settled / max(now.counts.selected, 1))
                return bool(stopped)

            claimed = console.ledger.claim(run.lane, f"pid {os.getpid()}", only=run.id)
            if claimed is None:
                raise Refused(f"Run {run.id} cannot be started.", "Look at it with `embedding-console runs`.")
            return execute(claimed, console.operation(claimed), console.ledger, should_stop)
    finally:
        signal.signal(signal.SIGINT, former)
