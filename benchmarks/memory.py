"""What a build takes of memory, beside what was stated before it: `python -m benchmarks.memory --rows 1000000`.

Rows share a few files, and pictures of 100 megapixels lie among them. The model is small, so that the rest shows. What
is told is the peak of this process beyond what it had when the build began; it needs Linux.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from benchmarks.console.report import machine, write_section
from console_core import settings
from console_core.catalog.encoded import read_header
from console_core.console import Console, open_console
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Embedder
from console_core.engine.limit import limit
from console_core.engine.pace import Pace
from console_core.engine.shape import Shape
from console_core.errors import CollectionExists
from console_core.migration.plan import MigrationPlan
from console_core.migration.preflight.resources import need
from console_core.migration.reembed import Reembed
from console_core.runs.execution import work
from console_core.runs.types import Lane
from console_core.vectorstore.types import CollectionSpec, Point, StoreInfo, VectorStore
from tests.grid_model import SIDE as SIDE_OF_MODEL
from tests.grid_model import Grid

TOML = """
[catalog]
kind = "sql"
location = "sqlite:///catalog.db"
table = "images"
paths = ["path"]
payload = ["caption"]
"""
FILES = 8
SIDE = 10_000
LARGE = ("large.png", "large.jpg", "large-progressive.jpg")


class Quick(Grid):
    """A model that takes no time, with the preprocessing of real ones."""

    preprocessing = Preprocessing(SIDE_OF_MODEL, SIDE_OF_MODEL, "squash", "bicubic", 0, (0.0,) * 3, (1.0,) * 3)


class Elsewhere:
    """A store as a server is one for this process: what was written is not in its memory."""

    def __init__(self) -> None:
        self.points = 0

    def info(self) -> StoreInfo:
        return StoreInfo("elsewhere", "elsewhere", "1")

    def create(self, name: str, spec: CollectionSpec) -> None:
        if self.points:
            raise CollectionExists(f"{name} exists.")

    def defer_index(self, name: str) -> None:
        return

    def restore_index(self, name: str) -> None:
        return

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self.points += len(points)
        return len(points)

    def count(self, name: str) -> int:
        return self.points


def prepare(folder: Path, rows: int, large: int) -> None:
    """Files and a catalog with so many rows, of which `large` in a row point to each of the large files."""
    images = folder / "images"
    images.mkdir(parents=True)
    (folder / settings.FILE).write_text(TOML)
    dice = np.random.default_rng(3)
    for number in range(FILES):
        colours = Image.fromarray(dice.integers(0, 255, (3, 3, 3), dtype=np.uint8))
        colours.resize((64, 48), Image.Resampling.BICUBIC).save(images / f"{number}.jpg")
    if large:
        flat = Image.new("RGB", (SIDE, SIDE), (90, 120, 30))
        flat.save(images / LARGE[0], compress_level=1)
        flat.save(images / LARGE[1])
        flat.save(images / LARGE[2], progressive=True, subsampling=0)
    with closing(sqlite3.connect(folder / "catalog.db")) as catalog, catalog:
        catalog.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT, caption TEXT)")
        catalog.execute(
            "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < ?) "
            "INSERT INTO images SELECT n, (n % ?) || '.jpg', 'picture ' || n FROM more",
            (rows, FILES),
        )
        for place, name in enumerate(LARGE):
            first = rows // 2 + place * large
            catalog.execute("UPDATE images SET path = ? WHERE id >= ? AND id < ?", (name, first, first + large))


def measure(folder: Path, rows: int, large: int, model: str) -> dict[str, Any]:
    """Build it, with the trained demo model into the embedded store, or with a grid of colours into one elsewhere."""
    prepare(folder, rows, large)
    console = open_console(settings.read(folder, {}), owner_name="the benchmark")
    try:
        return _build(console, rows, large, model)
    finally:
        console.close()


def _build(console: Console, rows: int, large: int, model: str) -> dict[str, Any]:
    embedder: Embedder = Quick() if model == "grid" else console.models.get(model)
    store = cast(VectorStore, Elsewhere()) if model == "grid" else console.store
    shape = Shape.of([embedder])
    embedder.embed_images(embedder.slab(shape.batch))  # what a forward pass takes is the model's
    small = np.zeros((SIDE_OF_MODEL, 2 * SIDE_OF_MODEL, 3), dtype=np.uint8)
    embedder.preprocessing.quick(small)  # as libraries are loaded with the first picture
    embedder.preprocessing.exact(Image.fromarray(small))
    plan = MigrationPlan("", "images", model, embedder.fingerprint.digest, "target", embedder.card.dimension)
    needed = need(store.info(), to_embed=rows, dimension=plan.dimension, batch_size=plan.batch_size, shape=shape)
    run = console.ledger.submit(
        kind="reembed",
        lane=Lane.ACCELERATOR,
        title="Memory",
        target=plan.target,
        spec=plan.as_json(),
        actor="the benchmark",
        selected=rows,
        writes=True,
    )
    claimed = console.ledger.claim(Lane.ACCELERATOR, "the benchmark")
    assert claimed is not None
    operation = Reembed(
        plan,
        run.id,
        catalog=console.catalog,
        images=console.images,
        store=store,
        embedder=lambda: embedder,
        failed_among=console.ledger.failed_among,
    )
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, began = _kept("VmRSS"), time.perf_counter()
    ended = work(claimed, lambda _: operation, console.ledger, lambda: False)
    seconds = time.perf_counter() - began
    recorded = console.ledger.pace(run.id)
    assert recorded is not None
    return {
        "state": ended.state.value,
        "rows": rows,
        "done": ended.counts.done,
        "large": large * len(LARGE),
        "seconds": seconds,
        "peak": _kept("VmHWM") - before,
        "stated": needed.memory,
        "stated_for_these": needed.memory - shape.bound + _for_these(console, shape, large),
        "limit": limit(Pace.from_json(recorded.pace), ended=True),
    }


def _for_these(console: Console, shape: Shape, large: int) -> int:
    """The bound of the pipeline where no picture is larger than the largest of these."""
    headers = (read_header(console.images.read(name), name, quick=True) for name in (LARGE if large else ("0.jpg",)))
    return shape.bound_for(max(header.weight for header in headers))


def _kept(what: str) -> int:
    """Bytes of this process's memory: VmRSS now, VmHWM at the peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(what))


def section(found: dict[str, Any]) -> str:
    """What was measured, in words."""
    peak, allowed, stated = (found[name] / 1e9 for name in ("peak", "stated_for_these", "stated"))
    return (
        f"Of {found['rows']:,} rows {found['done']:,} embedded in {found['seconds']:,.0f} s, **{peak:.2f} GB** at the "
        f"peak beyond the start; allowed for pictures of these sizes: {allowed:.2f} GB; stated: {stated:.2f} GB."
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--large", type=int, default=4, help="rows of each of the pictures of 100 megapixels")
    options.add_argument("--model", default="grid", help="grid, or a demo model and the embedded store")
    options.add_argument("--json", action="store_true")
    options.add_argument("--write", type=Path, help="a document whose marked part is written anew")
    chosen = options.parse_args()
    said = machine()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder) / "workspace", chosen.rows, chosen.large, chosen.model)
    if chosen.write:
        write_section(chosen.write, "benchmarks.memory", f"{section(found)} {said}.")
    if chosen.json:
        print(json.dumps(found))
        return
    print(
        f"{found['done']:,} of {found['rows']:,} pictures in {found['seconds']:,.0f} s, "
        f"{found['large']} of them of 100 megapixels. {found['limit']}"
    )
    print(
        f"Peak {found['peak'] / 1e6:,.0f} MB beyond the start; stated: {found['stated'] / 1e6:,.0f} MB, "
        f"for pictures of these sizes {found['stated_for_these'] / 1e6:,.0f} MB."
    )


if __name__ == "__main__":
    main()
