"""A process that is killed with -9 inside one stage of the pipeline: at the n-th picture or batch that passes it."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from console_core import settings
from console_core.catalog.local_files import LocalFiles
from console_core.commands import Actor, command
from console_core.console import open_console
from console_core.embedding.openclip import OpenClipEmbedder
from console_core.engine.ring import Ring
from console_core.engine.threads import ThreadPipeline
from console_core.runs.execution import work
from console_core.runs.ledger import Ledger
from console_core.runs.types import RESUMABLE, RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded

STAGES: dict[str, tuple[type[Any], str]] = {
    "read": (LocalFiles, "read"),
    "decode": (ThreadPipeline, "_pixels"),
    "slab": (Ring, "place"),
    "device": (OpenClipEmbedder, "embed_images"),
    "write": (QdrantEmbedded, "upsert"),
    "record": (Ledger, "record"),
}
"""Where each stage does its work."""


def die_in(workspace: str, run: str, stage: str, number: str, moment: str) -> None:
    """Work on a run, resumed where it stopped, and be killed right before or after the n-th call of a stage's work.

    Exit code 0 where the run succeeded before that.
    """
    console = open_console(settings.read(Path(workspace), {}), owner_name="a short life")
    if console.ledger.get(run).state in RESUMABLE:
        command(console, Actor("olga", "admin"), "resume", run=run)
    _arm(*STAGES[stage], int(number), moment)
    claimed = console.ledger.claim(console.ledger.get(run).lane, "a short life", only=run)
    assert claimed is not None
    ended = work(claimed, console.operation, console.ledger, lambda: False)
    console.close()
    raise SystemExit(ended.state is not RunState.SUCCEEDED)


def _arm(owner: type[Any], name: str, number: int, moment: str) -> None:
    work_of: Callable[..., Any] = getattr(owner, name)
    lock, calls = threading.Lock(), 0

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            mine = calls
        if mine == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = work_of(*arguments, **named)
        if mine == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, deadly)
