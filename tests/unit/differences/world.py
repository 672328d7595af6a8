"""A catalog, its pictures, a model that looks at them, and a collection built from them: to be damaged one by one."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from console_core.catalog.loading import load
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import EVERYTHING, ImageCatalog, Slice
from console_core.database import Database
from console_core.migration import verify
from console_core.migration.difference import Difference, DifferenceKind
from console_core.migration.differences import Differences
from console_core.migration.repair import Repair, RepairPlan, verify_again
from console_core.migration.verify import Verify, VerifyPlan
from console_core.runs.execution import work
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Operation, Run, RunState
from console_core.settings import CatalogSettings
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId, Vector, VectorStore
from tests.grid_model import SIDE, Grid

NAME = "pictures"
FILES = 100


@dataclass
class World:
    """Pictures in a catalog and points in a collection, changed one by one as applications and accidents would."""

    folder: Path
    store: VectorStore
    catalog: ImageCatalog
    database: Database
    model: Grid = field(default_factory=Grid)
    full: bool = True
    sample: int = 459
    part: Slice = EVERYTHING
    page: int = verify.PAGE
    pause: Callable[[float], object] = lambda _seconds: None

    @classmethod
    def build(cls, folder: Path, store: Any, rows: int, *, own: Iterable[int] = (), files: int = FILES) -> "World":
        """`rows` pictures that share `files` files, but for the `own` ones, and a collection of all of them."""
        paint(folder / "images", files)
        own = frozenset(own)
        for key in own:
            (folder / "images" / f"own-{key}.png").write_bytes((folder / "images" / f"{key % files}.png").read_bytes())
        with sqlite3.connect(folder / "catalog.db") as catalog:
            catalog.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT, caption TEXT, user_id TEXT)")
            named = ((key, f"own-{key}.png" if key in own else f"{key % files}.png") for key in range(1, rows + 1))
            inserted = ((key, path, f"picture {key}", f"user-{key % 3}") for key, path in named)
            catalog.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", inserted)
        catalog.close()
        settings = CatalogSettings(
            "sql",
            f"sqlite:///{folder / 'catalog.db'}",
            "images",
            paths=("path",),
            payload=("caption", "user_id"),
            facets=("user_id",),
        )
        world = cls(folder, cast(VectorStore, store), SqlCatalog(settings), Database(f"sqlite:///{folder}/ledger.db"))
        stamp = ModelStamp(Grid.card.key, Grid.fingerprint.digest)
        store.create(NAME, CollectionSpec(Grid.card.dimension, stamp=stamp))
        store.upsert(NAME, [point for page in world.fresh() for point in page])
        return world

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.database)
        self.records = Differences(self.database)
        self.images = LocalFiles((self.folder / "images",))
        self.application = sqlite3.connect(self.folder / "catalog.db", isolation_level=None)
        self.application.execute("PRAGMA synchronous=OFF")

    def close(self) -> None:
        self.application.close()
        self.database.close()
        self.catalog.close()

    # What there is

    def fresh(self, keys: Sequence[int] | None = None) -> Iterable[list[Point]]:
        """The points that a build would write now, each file being embedded once."""
        known: dict[str, tuple[Vector, str]] = {}
        rows = self.catalog.rows() if keys is None else iter(self.catalog.get([str(key) for key in keys]))
        points = []
        for row in rows:
            if row.candidates[0] not in known:
                loaded = load(row, self.images)
                made = self.model.embed_images([self.model.preprocessing.exact(loaded.image)])[0]
                known[row.candidates[0]] = made, loaded.content
            vector, content = known[row.candidates[0]]
            origin = Provenance(row.key, row.revision, content, self.model.fingerprint.digest, "r-build", "")
            points.append(Point(point_id(row.key), vector, {**row.payload, **origin.as_payload()}))
        yield points

    def point(self, key: int) -> Point:
        (found,) = self.store.retrieve(NAME, [key], vectors=True)
        return found

    # What can happen to it

    def sql(self, statement: str, *values: object) -> None:
        self.application.execute(statement, values)

    def write(self, key: int, **changes: Any) -> None:
        """Write a point in place, with another vector, payload or id."""
        self.store.upsert(NAME, [replace(self.point(key), **changes)], as_is=True)

    def say(self, of: int, /, at: PointId | None = None, **changes: str) -> None:
        """Write a point that says something else about where it comes from."""
        point = self.point(of)
        said = {**point.payload["_console"], **changes}
        self.store.upsert(NAME, [replace(point, id=at or point.id, payload={**point.payload, "_console": said})])

    def embed(self, *keys: int) -> None:
        self.store.upsert(NAME, [point for page in self.fresh(keys) for point in page])

    # What is done about it

    def plan(self) -> VerifyPlan:
        grid = Grid.card.key, Grid.fingerprint.digest, Grid.card.dimension
        return VerifyPlan(NAME, *grid, self.part, full=self.full, sample=self.sample)

    def submit(self) -> Run:
        return self._submit("verify", self.plan().as_json(), self.catalog.count(self.part), writes=False)

    def verify(self) -> Run:
        return self.finish(self.submit())

    def repair(self, verified: Run, *, delete_extra: bool = True) -> Run:
        plan = RepairPlan(verified.id, VerifyPlan.from_json(verified.spec), delete_extra)
        return self._submit("repair", plan.as_json(), len(self.found(verified)), writes=True)

    def queued(self) -> list[Run]:
        return self.ledger.runs(states=(RunState.QUEUED,))

    def finish(self, run: Run, should_stop: Callable[[], bool] = lambda: False) -> Run:
        claimed = self.ledger.claim(run.lane, "a test", only=run.id)
        assert claimed is not None
        return work(claimed, self.operation, self.ledger, should_stop)

    def operation(self, run: Run) -> Operation:
        if run.kind == "verify":
            return self.verifying(VerifyPlan.from_json(run.spec), run.id)
        plan = RepairPlan.from_json(run.spec)
        then = partial(verify_again, self.ledger, self.catalog, run, plan.check)
        return Repair(plan, run.id, **self._parts(), then=then)

    def verifying(self, plan: VerifyPlan, run: str) -> Verify:
        return Verify(plan, run, **self._parts(), pause=self.pause, page_size=self.page)

    def _parts(self) -> dict[str, Any]:
        return {
            "catalog": self.catalog,
            "images": self.images,
            "store": self.store,
            "embedder": lambda: self.model,
            "failed_among": self.ledger.failed_among,
            "records": self.records,
        }

    def found(self, run: Run) -> list[Difference]:
        """Every difference of a verification."""
        return [one.difference for one in self.records.page(run.id, limit=1_000_000)]

    def told(self, run: Run) -> set[tuple[DifferenceKind, str, PointId]]:
        return {(one.kind, one.key, one.point) for one in self.found(run)}

    def _submit(self, kind: str, spec: dict[str, Any], selected: int, *, writes: bool) -> Run:
        return self.ledger.submit(
            kind=kind,
            lane=Lane.ACCELERATOR,
            title=kind,
            target=NAME,
            spec=spec,
            actor="olga",
            selected=selected,
            writes=writes,
        )


def paint(folder: Path, number: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, pixels in enumerate(np.random.default_rng(3).integers(0, 255, (number, SIDE, SIDE, 3), dtype=np.uint8)):
        Image.fromarray(pixels).save(folder / f"{name}.png")
