"""The workspace that is measured: the demo, migrated, measured, and with a second alias for a fourth column."""

import json
import sqlite3
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from benchmarks.console.server import ROOT, command, environment
from console_core import settings
from console_core.database import Database
from console_core.demo.application import TABLE
from console_core.migration.records import Migrations
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Progress, Run, RunState, Verb

NOTE = "benchmark.json"
CATALOG = "catalog.db"
MODEL = "demo-siglip"
STEP = 0.25
"""Seconds between two steps of the run in progress."""
_SAMPLES = 600


@dataclass(frozen=True)
class Prepared:
    """`seconds` are those of `embedding-console demo`. `columns` are the names that the Query lab can ask.

    `late` is a key near the catalog's end. `made` has what else it took to prepare, in seconds.
    """

    folder: Path
    pictures: int
    seconds: float
    collections: tuple[str, ...]
    columns: tuple[str, ...]
    migration: str
    run: str
    late: str = ""
    made: Mapping[str, float] = field(default_factory=dict)


def prepare(folder: Path, pictures: int) -> Prepared:
    """Prepare an empty folder, or take one that was prepared here before; another one is left alone."""
    note = folder / NOTE
    if not note.exists():
        if folder.exists() and any(folder.iterdir()):
            raise SystemExit(f"{folder} is not empty and not a benchmark's workspace: choose an empty folder.")
        began = time.perf_counter()
        console(folder, "demo", "--pictures", str(pictures))
        seconds = time.perf_counter() - began
        target = console(folder, "migrate", "images", "--to", MODEL)["target"]
        console(folder, "alias", "candidate", target)
        console(folder, "stats")
        be_quiet(folder)
        note.write_text(json.dumps({"pictures": pictures, "seconds": seconds}))
    return found(folder)


def be_quiet(folder: Path) -> None:
    """Have nothing kept in step: that is benchmarks.following's, and here it would work or not as it happens."""
    file = folder / settings.FILE
    if "rollout" not in tomllib.loads(file.read_text("utf-8")):
        with file.open("a", encoding="utf-8") as stream:
            stream.write("\n[rollout]\nfollow_every = 86400\n")


def found(folder: Path) -> Prepared:
    """What was prepared in a folder."""
    kept = json.loads((folder / NOTE).read_text())
    with closing(sqlite3.connect(folder / CATALOG)) as catalog:
        (last,) = catalog.execute(f"SELECT max(id) FROM {TABLE}").fetchone()
    collections = console(folder, "collections")
    names = tuple(str(one["name"]) for one in collections)
    aliases = tuple(str(alias) for one in collections for alias in one["aliases"])
    with opened_ledger(folder) as (ledger, migrations):
        migration = migrations.all()[0].id
        return Prepared(
            folder,
            int(kept["pictures"]),
            float(kept["seconds"]),
            names,
            (*aliases, *names),
            migration,
            ledger.runs(kinds=["reembed"], migration=migration)[0].id,
            str(last - 100),
            kept.get("made", {}),
        )


@contextmanager
def run_in_progress(folder: Path, pictures: int) -> Iterator[Run]:
    """A run that this process works on, step by step in the server's ledger, until the end of the block.

    Pages show it like any run. Its work costs the server nothing, so that what the server uses is the pages' share.
    The series of its samples is as long as it ever becomes.
    """
    with opened_ledger(folder) as (ledger, _):
        run = _claimed(ledger, pictures)
        for _number in range(_SAMPLES):
            ledger.record(run.id, Progress("0", Counts(pictures), pace=_pace(ledger)))
        done = Event()
        worker = Thread(target=_work, args=(ledger, run, pictures, done), name="benchmark run")
        worker.start()
        try:
            yield run
        finally:
            done.set()
            worker.join()
            ledger.ask(run.id, Verb.CANCEL, "the benchmark")
            ledger.finish(run.id, RunState.CANCELLED, reason="Cancelled by the benchmark.")


def _pace(ledger: Ledger) -> Mapping[str, Any] | None:
    """That of the build, so that the page of a run draws its stages."""
    recorded = ledger.pace(ledger.runs(kinds=["reembed"])[-1].id)
    return recorded.pace if recorded is not None else None


def _claimed(ledger: Ledger, pictures: int) -> Run:
    while True:
        run = ledger.submit(
            kind="reembed",
            lane=Lane.ACCELERATOR,
            title="Re-embed into images__benchmark",
            target="images__benchmark",
            spec={"model": MODEL},
            actor="the benchmark",
            selected=pictures,
            writes=False,
        )
        if claimed := ledger.claim(Lane.ACCELERATOR, "the benchmark", only=run.id):
            return claimed  # else the server's own worker was quicker, and found nothing that it could do


def _work(ledger: Ledger, run: Run, pictures: int, done: Event) -> None:
    settled = 0
    while not done.wait(STEP):
        settled = min(settled + 1, pictures - 1)
        ledger.record(run.id, Progress(str(settled), Counts(pictures, done=settled)))


@contextmanager
def opened_ledger(folder: Path) -> Iterator[tuple[Ledger, Migrations]]:
    """The workspace's ledger, and its migrations."""
    database = Database(settings.read(folder).ledger_url)
    try:
        yield Ledger(database), Migrations(database)
    finally:
        database.close()


def console(folder: Path, *arguments: str) -> Any:
    """What a command of the console answers."""
    done = subprocess.run(
        command(folder, *arguments, "--json"), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)
