"""A run driven to its end in this process, and the workspace opened for one command."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from console_core.cli.output import progress_bar, told
from console_core.commands import Actor
from console_core.console import Console, open_console
from console_core.errors import Refused
from console_core.runs.together import claim_others, convoy_of, work_together
from console_core.runs.types import Run, RunState
from console_core.runs.waiting import NAP
from console_core.runs.worker import work
from console_core.settings import read


class Chosen:
    """What was said before the command."""

    workspace = Path("workspace")


@contextmanager
def opened(owner: str = "", *, dry: bool = False) -> Iterator[Console]:
    with told():
        console = open_console(read(Chosen.workspace), owner_name=owner, dry=dry)
        try:
            yield console
        finally:
            console.close()


def actor_of(console: Console) -> Actor:
    return Actor(console.settings.actor, console.settings.role)


def in_foreground(console: Console, run: Run, label: str) -> Run:
    """Drive a run to its end in this process; Ctrl+C stops it at the next checkpoint, and it can be resumed.

    Outside of its allowed hours it waits here. A run that is stopped while it does stays in the queue.
    """
    stopped: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _frame: stopped.append(number))
    try:
        with progress_bar(label) as advance:

            def should_stop() -> bool:
                now = console.ledger.get(run.id)
                advance(now.reason or label, now.counts.settled / max(now.counts.selected, 1))
                return bool(stopped)

            while not should_stop():
                claimed = console.ledger.claim(run.lane, f"pid {os.getpid()}", only=run.id)
                if claimed is not None:
                    ended = work(claimed, console.operation, console.ledger, should_stop)
                    if ended.state is not RunState.QUEUED:
                        return ended
                elif not _is_closed(console.ledger.get(run.id)):
                    raise Refused(f"Run {run.id} cannot be started.", "Look at it with `embedding-console runs`.")
                else:
                    time.sleep(NAP)
            return console.ledger.get(run.id)
    finally:
        signal.signal(signal.SIGINT, former)


def all_in_foreground(console: Console, runs: Sequence[Run], label: str) -> list[Run]:
    """Drive the runs of one convoy to their ends side by side; otherwise as `in_foreground`."""
    stopped: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _frame: stopped.append(number))
    lane, convoy = runs[0].lane, convoy_of(runs[0])
    ledger = console.ledger

    def now() -> list[Run]:
        return [ledger.get(run.id) for run in runs]

    try:
        with progress_bar(label) as advance:

            def others() -> list[Run]:
                seen = now()
                waits = next((run.reason for run in seen if run.reason and run.state is RunState.RUNNING), label)
                settled, selected = (sum(getattr(run.counts, name) for run in seen) for name in ("settled", "selected"))
                advance(waits, settled / max(selected, 1))
                return [] if stopped else claim_others(ledger, lane, f"pid {os.getpid()}", convoy)

            def drive(run: Run) -> Run:
                return work(run, console.operation, ledger, lambda: bool(stopped))

            while not stopped and any(run.state is RunState.QUEUED for run in now()):
                if claimed := others():
                    work_together(claimed, others, drive)
                else:
                    time.sleep(NAP)
            others()
        return now()
    finally:
        signal.signal(signal.SIGINT, former)


def _is_closed(run: Run) -> bool:
    """Whether a run waits in the queue for its allowed hours."""
    return run.state is RunState.QUEUED and bool(run.reason)
