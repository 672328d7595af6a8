"""A build that can be made to fail: pictures that are not there, a model that chokes, a store that refuses."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.sql import SqlCatalog
from console_core.errors import StoreError
from console_core.migration.plan import MigrationPlan
from console_core.migration.reembed import Reembed
from console_core.migration.retry import Retry, RetryPlan
from console_core.migration.retrying import submit_retry
from console_core.runs.execution import work
from console_core.runs.failed_pictures import FailedPictures
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Operation, Run, Verb
from console_core.settings import CatalogSettings
from console_core.vectorstore.types import Point, StoreInfo, VectorStore
from tests.grid_model import Grid
from tests.lifecycle.memory_store import MemoryStore

TARGET = "target"


class Picky(MemoryStore):
    """A store that refuses batches in which `refuses` finds a point, and counts the batches that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: Callable[[Point], StoreError | None] = lambda _: None
        self.asked = 0

    def info(self) -> StoreInfo:
        return StoreInfo("memory", "in memory", "1")

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self.asked += 1
        for point in points:
            if (error := self.refuses(point)) is not None:
                raise error
        return super().upsert(name, points)


class CountingFiles(LocalFiles):
    """Local files that keep which were read, in order of asking."""

    def __init__(self, root: Path) -> None:
        super().__init__((root,))
        self.asked: list[str] = []

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        self.asked.append(path)
        return super().read(path, make_room)


class Rig:
    """A catalog of pictures with keys from 1, a ledger, a store, a model and image files, and runs over them."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self.root = folder / "images"
        self.root.mkdir()
        self.ledger, self.failed = ledger, FailedPictures(ledger.database)
        self.images, self.store, self.model = CountingFiles(self.root), Picky(), Grid()
        file = folder / "catalog.db"
        self._rows = sqlite3.connect(file, isolation_level=None)
        self._rows.execute("CREATE TABLE pictures (id INTEGER PRIMARY KEY, path TEXT)")
        self.catalog = SqlCatalog(CatalogSettings("sql", f"sqlite:///{file}", "pictures", paths=("path",)))

    def add(self, number: int, *, good: bool = True) -> list[int]:
        """So many more pictures, with files or without; their keys."""
        first = self.catalog.count() + 1
        keys = list(range(first, first + number))
        self._rows.executemany("INSERT INTO pictures (id, path) VALUES (?, ?)", [(key, f"{key}.png") for key in keys])
        if good:
            self.mend(*keys)
        return keys

    def add_without_paths(self, number: int) -> list[int]:
        """So many more rows whose path is NULL; their keys."""
        first = self.catalog.count() + 1
        keys = list(range(first, first + number))
        self._rows.executemany("INSERT INTO pictures VALUES (?, NULL)", [(key,) for key in keys])
        return keys

    def give_paths(self, *keys: int) -> None:
        """Name the files of rows that had no path, and make them."""
        self._rows.executemany("UPDATE pictures SET path = ? WHERE id = ?", [(f"{key}.png", key) for key in keys])
        self.mend(*keys)

    def mend(self, *keys: int) -> None:
        """Give pictures a file."""
        for key in keys:
            Image.new("RGB", (8, 8), (key % 200, key // 200, 90)).save(self.root / f"{key}.png")

    def remove(self, *keys: int) -> None:
        self._rows.executemany("DELETE FROM pictures WHERE id = ?", [(key,) for key in keys])

    def plan(self, *, batch_size: int = 64, fills: bool = False) -> MigrationPlan:
        return MigrationPlan(
            alias="",
            source="old",
            model="grid",
            fingerprint=Grid.fingerprint.digest,
            target=TARGET,
            dimension=48,
            batch_size=batch_size,
            fills=fills,
        )

    def build(self, *, batch_size: int = 64, fills: bool = False) -> Run:
        """A build of the whole catalog into the target, done until it ends."""
        plan = self.plan(batch_size=batch_size, fills=fills)
        run = self.ledger.submit(
            kind="reembed",
            lane=Lane.ACCELERATOR,
            title="Build",
            target=TARGET,
            spec=plan.as_json(),
            actor="olga",
            selected=self.catalog.count(),
            writes=True,
        )
        return self.work(run)

    def retry(self, *keys: int, kind: str = "") -> Run:
        store = cast(VectorStore, self.store)
        named = [str(key) for key in keys]
        return self.work(submit_retry(store, self.ledger, self.failed, TARGET, keys=named, kind=kind, actor="olga"))

    def resume(self, run: Run) -> Run:
        return self.work(self.ledger.ask(run.id, Verb.RESUME, "olga"))

    def work(self, run: Run, should_stop: Callable[[], bool] = lambda: False) -> Run:
        claimed = self.ledger.claim(Lane.ACCELERATOR, "this test", only=run.id)
        assert claimed is not None
        return work(claimed, self.operation, self.ledger, should_stop)

    def operation(self, run: Run) -> Operation:
        store = cast(VectorStore, self.store)
        if run.kind == "retry":
            return Retry(
                RetryPlan.from_json(run.spec),
                run.id,
                catalog=self.catalog,
                images=self.images,
                store=store,
                embedder=lambda: self.model,
                failed=self.failed,
            )
        return Reembed(
            MigrationPlan.from_json(run.spec),
            run.id,
            catalog=self.catalog,
            images=self.images,
            store=store,
            embedder=lambda: self.model,
            failed_among=self.ledger.failed_among,
        )

    def in_target(self) -> set[int]:
        return {int(point.id) for point in self.store.scroll(TARGET)}

    def close(self) -> None:
        self.catalog.close()
        self._rows.close()
