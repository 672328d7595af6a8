"""Three builds over the same catalog that travel together, with a worker, and a process of them that can be killed."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.catalog.sql import SqlCatalog
from console_core.database import Database
from console_core.embedding.types import Pixels, Vectors
from console_core.engine.convoys import Convoys
from console_core.migration.plan import MigrationPlan
from console_core.migration.reembed import Reembed
from console_core.runs.ledger import Ledger
from console_core.runs.lifecycle import Submission
from console_core.runs.types import RESUMABLE, WORKING, Lane, Operation, Run, RunState, Verb
from console_core.runs.worker import Worker
from console_core.settings import CatalogSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import Point, VectorStore
from tests.grid_model import Grid, Negative
from tests.lifecycle.failing import CountingFiles, Picky


class Mirrored(Grid):
    """Its vectors are those of `Grid`, backwards."""

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        return super().embed_images(pixels)[:, ::-1]


MODELS: dict[str, type[Grid]] = {"grid": Grid, "negative": Negative, "mirrored": Mirrored}
ENDED = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.PAUSED, RunState.INTERRUPTED)


class Holding(Picky):
    """A store that takes so many batches into each collection and holds the next, until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.holds_after = 0
        self.goes_on = threading.Event()
        self._taken: Counter[str] = Counter()

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self._taken[name] += 1
        if self._taken[name] > self.holds_after > 0:
            assert self.goes_on.wait(60)
        return super().upsert(name, points)


class Rig:
    """A catalog of pictures, a ledger, a store, and a build into a collection of its own for each of three models."""

    def __init__(self, folder: Path, database: Database, store: Any, pictures: int) -> None:
        self.root = folder / "images"
        self.ledger, self.store, self.convoys = Ledger(database), store, Convoys()
        self.models = {key: make() for key, make in MODELS.items()}
        if not self.root.exists():
            _paint(self.root, folder / "catalog.db", pictures)
        self.images = CountingFiles(self.root)
        location = f"sqlite:///{folder / 'catalog.db'}"
        self.catalog = SqlCatalog(CatalogSettings("sql", location, "pictures", paths=("path",)))
        self.worker: Worker | None = None

    def plan(self, model: str, *, target: str = "", convoy: str = "c-1", fills: bool = False) -> MigrationPlan:
        digest = Grid.fingerprint.digest
        plan = MigrationPlan("", "old", model, digest, target or f"with-{model}", 48, batch_size=8)
        return replace(plan, convoy=convoy, fills=fills)

    def submit(self, *plans: MigrationPlan) -> list[Run]:
        selected = self.catalog.count()
        return self.ledger.submit_together(
            [
                Submission(
                    "reembed", Lane.ACCELERATOR, plan.model, plan.target, plan.as_json(), "olga", "", selected, True
                )
                for plan in plans
            ]
        )

    def start(self, *, patience: float = 30.0) -> None:
        self.worker = Worker(self.ledger, self.operation, "console", lanes=[Lane.ACCELERATOR], patience=patience)
        self.worker.start()

    def operation(self, run: Run) -> Operation:
        plan = MigrationPlan.from_json(run.spec)
        return Reembed(
            plan,
            run.id,
            catalog=self.catalog,
            images=self.images,
            store=cast(VectorStore, self.store),
            embedder=lambda: self.models[plan.model],
            failed_among=self.ledger.failed_among,
            convoy=partial(self.convoys.join, plan.convoy, run.id, self._at_work) if plan.convoy else None,
        )

    def _at_work(self) -> set[str]:
        return {run.id for run in self.ledger.runs(states=WORKING)}

    def until(self, run: Run, condition: Callable[[Run], bool], seconds: float = 60.0) -> Run:
        end = time.monotonic() + seconds
        while not condition(now := self.ledger.get(run.id)):
            assert time.monotonic() < end, f"{now.title} is {now.state}: {now.reason} {now.counts}"
            time.sleep(0.005)
        return now

    def ended(self, run: Run) -> Run:
        return self.until(run, lambda now: now.state in ENDED)

    def resume(self, run: Run) -> None:
        self.ledger.ask(run.id, Verb.RESUME, "olga")
        if self.worker is not None:
            self.worker.wake()

    def points(self, target: str) -> dict[Any, Any]:
        return {point.id: point.vector for point in self.store.scroll(target, vectors=True)}

    def rest(self) -> None:
        """Work on nothing more."""
        if self.worker is not None:
            assert self.worker.close(30)
            self.worker = None

    def close(self) -> None:
        self.rest()
        self.catalog.close()


def _paint(root: Path, catalog: Path, pictures: int) -> None:
    root.mkdir()
    dice = np.random.default_rng(3)
    for key in range(1, pictures + 1):
        Image.fromarray(dice.integers(0, 255, (6, 6, 3), dtype=np.uint8)).save(root / f"{key}.png")
    with sqlite3.connect(catalog) as rows:
        rows.execute("CREATE TABLE pictures (id INTEGER PRIMARY KEY, path TEXT)")
        rows.executemany("INSERT INTO pictures VALUES (?, ?)", [(key, f"{key}.png") for key in range(1, pictures + 1)])
    rows.close()


def durable(folder: Path) -> Rig:
    """A rig whose ledger and store are on the disk."""
    database = Database(f"sqlite:///{folder / 'ledger.db'}")
    return Rig(folder, database, open_store(StoreSettings(f"local:{folder / 'qdrant'}")), 0)


def server(folder: str, batches: str) -> None:
    """A life of the server: what was left open is resumed, all of it together, and worked on until it is killed.

    After so many `batches` into a collection the next one is never written; "" means no end.
    """
    rig = durable(Path(folder))
    upsert, taken = rig.store.upsert, Counter[str]()

    def held(name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        taken[name] += 1
        while batches and taken[name] > int(batches):
            time.sleep(1)
        return int(upsert(name, points, as_is=as_is))

    rig.store.upsert = held
    rig.ledger.recover("the server")
    for run in rig.ledger.runs(states=RESUMABLE):
        rig.ledger.ask(run.id, Verb.RESUME, "olga")
    rig.start()
    while True:
        time.sleep(0.05)
