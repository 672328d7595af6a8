"""A death by kill -9 inside one stage of the pipeline: at the n-th picture or batch that passes it."""

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from console_core import settings
from console_core.catalog.column_writer import ColumnWriter
from console_core.catalog.local_files import LocalFiles
from console_core.commands import Actor, command
from console_core.console import Console, open_console
from console_core.embedding.embedder import TorchEmbedder
from console_core.engine.models import EngineModels
from console_core.engine.ring import Ring
from console_core.engine.service import Served
from console_core.engine.threads import ThreadPipeline
from console_core.runs.execution import work
from console_core.runs.ledger import Ledger
from console_core.runs.types import RESUMABLE, RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.types import Point

ENGINE: dict[str, tuple[type[Any], str]] = {
    "read": (LocalFiles, "read"),
    "decode": (ThreadPipeline, "_pixels"),
    "slab": (Ring, "place"),
    "device": (TorchEmbedder, "embed_images"),
}
"""Where each stage of the engine does its work, in whichever process that is."""
CONSOLE: dict[str, tuple[type[Any], str]] = {"write": (QdrantEmbedded, "upsert"), "record": (Ledger, "record")}
"""The same of the stages that are always in the console's."""
STAGES = {**ENGINE, **CONSOLE}
COLUMN: dict[str, tuple[type[Any], str]] = {"column": (ColumnWriter, "write")}
"""The same of the stage that only a generation has."""
MOMENTS = ("before", "after")
"""When somebody dies: right before such work, or right after it."""


def die_in(workspace: str, run: str, stage: str, number: str, moment: str, log: str = "") -> None:
    """Work on a run, resumed where it stopped, and be killed right before or after the n-th call of a stage's work.

    Exit code 0 where the run succeeded before that. The ids of every batch are appended to `log`, one line each, right
    before it is written to the store.
    """
    if log:
        _keep_what_is_written(Path(log))
    console = open_console(settings.read(Path(workspace), {}), owner_name="a short life")
    if console.ledger.get(run).state in RESUMABLE:
        command(console, Actor("olga", "admin"), "resume", run=run)
    deadly = partial(arm, stage, int(number), moment, partial(os.kill, os.getpid(), signal.SIGKILL))
    if stage in ENGINE and isinstance(console.models, EngineModels):
        in_its_engine(console, deadly)
    else:
        deadly()
    claimed = console.ledger.claim(console.ledger.get(run).lane, "a short life", only=run)
    assert claimed is not None
    ended = work(claimed, console.operation, console.ledger, lambda: False)
    console.close()
    raise SystemExit(ended.state is not RunState.SUCCEEDED)


def _keep_what_is_written(log: Path) -> None:
    upsert = QdrantEmbedded.upsert

    def logged(self: QdrantEmbedded, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        with log.open("a") as lines:
            lines.write(json.dumps([point.id for point in points]) + "\n")
        return upsert(self, name, points, as_is=as_is)

    QdrantEmbedded.upsert = logged  # type: ignore[method-assign, assignment]


def in_its_engine(console: Console, do: Callable[[], None]) -> None:
    """Let every engine process that the console starts from now on do something first."""
    assert isinstance(console.models, EngineModels)
    engine = console.models.engine
    assert engine.pid is None
    engine._load = partial(_first, do, engine._load)


def _first(do: Callable[[], None], load: Callable[[], Served]) -> Served:
    do()
    return load()


def die_once_each(stage: str, number: int, marks: str) -> None:
    """This process is killed right before the n-th call of a stage's work, the one that takes its place right after it,
    and no third: a folder has a mark for each of the deaths that are still to come."""
    coming = sorted(Path(marks).iterdir(), reverse=True)
    if coming:

        def kill() -> None:
            coming[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)

        arm(stage, number, coming[0].name, kill)


def arm(stage: str, number: int, moment: str, kill: Callable[[], None]) -> None:
    """Call `kill` right before or after the n-th call of a stage's work in this process."""
    owner, name = {**STAGES, **COLUMN}[stage]
    work_of: Callable[..., Any] = getattr(owner, name)
    lock, calls = threading.Lock(), 0

    def deadly(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            mine = calls
        if mine == number and moment == "before":
            kill()
        answer = work_of(*arguments, **named)
        if mine == number and moment == "after":
            kill()
        return answer

    setattr(owner, name, deadly)
