"""A small workspace with real pictures, real models and a real store, for every test that needs the whole."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from console_core import settings
from console_core.commands import Actor, command
from console_core.console import Console, open_console
from console_core.database import Database
from console_core.migration.findings import Request
from console_core.runs.execution import work
from console_core.runs.ledger import Ledger
from console_core.runs.types import Run
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.postgres import Postgres, running

PICTURES = 48
OPERATOR = Actor("olga", "admin")

ENGINE = os.environ.get("TEST_ENGINE", "threads")
"""Where models run in tests; see `make test-engine`."""
CONSOLE_TOML = f"""
engine = "{ENGINE}"
[store]
url = "local:qdrant"

[catalog]
kind = "sql"
location = "sqlite:///catalog.db"
table = "images"
paths = ["compressed_path", "original_path"]
payload = ["user_id", "caption"]
facets = ["user_id"]

[images]
root = "images"
[rollout]
follow_every = 3600
"""


SETTLE = 0.01
"""Seconds between two looks of a verification at what differs: in tests nothing is half-written then."""
MEMORY = Path("/dev/shm")
ENOUGH = 4 * 2**30
"""Bytes that must be free in memory for what tests write."""


def pytest_configure() -> None:
    """Tests write into memory where there is enough. They kill processes, but nobody cuts the power here."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(scope="session", autouse=True)
def _one_torch_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """What a preflight finds, and how large batches are, must not depend on how quick the machine is at that moment."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("preflight.trial", "preflight.parity", "preflight.spread", "caution"):
            patched.setattr(f"console_core.migration.{name}.PATIENCE", 600.0)
        patched.setattr("console_core.migration.verify.SETTLE", SETTLE)
        yield


def make_workspace(folder: Path, pictures: int = PICTURES) -> Path:
    """A workspace of coloured squares, three users, and nothing in its store."""
    images = folder / "images"
    images.mkdir(parents=True)
    (folder / settings.FILE).write_text(CONSOLE_TOML)
    colours = np.random.default_rng(7).integers(0, 255, size=(pictures, 2, 2, 3), dtype=np.uint8)
    rows = []
    for number, corners in enumerate(colours, start=1):
        name = f"{number:04}.jpg"
        Image.fromarray(corners).resize((96, 96), Image.Resampling.BILINEAR).save(images / name, quality=90)
        rows.append((number, f"user-{number % 3}", None, name, f"square {number}"))
    with sqlite3.connect(folder / "catalog.db") as catalog:
        catalog.execute(
            "CREATE TABLE images (id INTEGER PRIMARY KEY, user_id TEXT, compressed_path TEXT, original_path TEXT, "
            "caption TEXT)"
        )
        catalog.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", rows)
    catalog.close()
    return folder


def fill(console: Console, collection: str, model: str, alias: str = "") -> None:
    """Embed the whole catalog by hand, without a run, as an application did before it knew the console."""
    embedder = console.models.get(model)
    digest = embedder.fingerprint.digest
    console.store.create(collection, CollectionSpec(embedder.card.dimension, stamp=ModelStamp(model, digest)))
    rows = list(console.catalog.rows())
    images = [Image.open(console.settings.image_roots[0] / row.candidates[-1]).convert("RGB") for row in rows]
    vectors = embedder.embed_images([embedder.preprocessing.exact(image) for image in images])
    points = [
        Point(
            point_id(row.key),
            vector,
            {**row.payload, **Provenance(row.key, row.revision, "", digest, "by hand", "").as_payload()},
        )
        for row, vector in zip(rows, vectors, strict=True)
    ]
    console.store.upsert(collection, points)
    if alias:
        console.store.set_alias(alias, collection, expected=None)


def finish(console: Console, run: Run, should_stop: Callable[[], bool] = lambda: False) -> Run:
    """Do a queued run to its end in this thread."""
    claimed = console.ledger.claim(run.lane, "this test", only=run.id)
    assert claimed is not None
    return work(claimed, console.operation, console.ledger, should_stop)


def migrate(console: Console, served: str = "images", model: str = "demo-siglip") -> Run:
    """Plan and build; the finished build run."""
    started = command(console, OPERATOR, "start_migration", request=Request(served, model, batch_size=8))
    return finish(console, started.run)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with pgvector, for as long as the tests run."""
    with running() as server:
        yield server


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """The URL of a schema of its own in PostgreSQL."""
    with postgres.schema() as url:
        yield url


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """The database of an empty ledger."""
    opened = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return make_workspace(tmp_path / "workspace")


@pytest.fixture
def console(workspace: Path) -> Iterator[Console]:
    """An open console without a worker; the alias `images` serves a collection made by demo-clip."""
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    try:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
        yield console
    finally:
        console.close()
