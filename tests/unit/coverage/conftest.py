"""A small world of real parts: a SQLite catalog, an embedded store with one collection, a ledger."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import ImageCatalog
from console_core.coverage.gaps import CoverageRecords
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Lane, Progress, RunState
from console_core.settings import CatalogSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, PointId, VectorStore

COLLECTION = "images-demo-clip"
STAMP = ModelStamp("demo-clip", "f1")


@dataclass
class World:
    """Pictures in a catalog and points in a collection, changed one by one as the application would."""

    file: Path
    catalog: ImageCatalog
    store: VectorStore
    ledger: Ledger
    records: CoverageRecords

    def add(self, keys: Sequence[int], *, user: int | None = 1, kind: str = "photo") -> None:
        with sqlite3.connect(self.file) as connection:
            rows = [(key, user, kind, f"pictures/{key}.jpg", "2026-01-01") for key in keys]
            connection.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", rows)

    def change(self, key: int) -> None:
        with sqlite3.connect(self.file) as connection:
            connection.execute("UPDATE images SET updated_at = '2026-02-02' WHERE id = ?", (key,))

    def remove(self, *keys: int) -> None:
        with sqlite3.connect(self.file) as connection:
            connection.executemany("DELETE FROM images WHERE id = ?", [(key,) for key in keys])

    def embed(self, keys: Sequence[int], fingerprint: str = "f1") -> None:
        """Points as a re-embed writes them, from the catalog's rows as they are now."""
        rows = self.catalog.get([str(key) for key in keys])
        self.write(
            (point_id(row.key), Provenance(row.key, row.revision, "sha", fingerprint, "run", "2026-01-02"))
            for row in rows
        )

    def write(
        self, points: "Iterator[tuple[PointId, Provenance | None]] | Sequence[tuple[PointId, Provenance | None]]"
    ) -> None:
        vector = np.array([1, 0, 0, 0], dtype=np.float32)
        made = [Point(each, vector, origin.as_payload() if origin else {"user_id": 1}) for each, origin in points]
        self.store.upsert(COLLECTION, made)

    def fail(self, *keys: int, into: str = COLLECTION) -> None:
        """A re-embed run into a collection that failed on these pictures and on nothing else."""
        run = self.ledger.submit(
            kind="reembed", lane=Lane.STORE, title="", target=into, spec={}, actor="test", writes=True
        )
        self.ledger.claim(Lane.STORE, "test", only=run.id)
        failures = tuple(Failure(str(key), "unreadable", "It is truncated.") for key in keys)
        counts = Counts(selected=len(keys), failed={"unreadable": len(keys)})
        self.ledger.record(run.id, Progress("", counts, failures))
        self.ledger.finish(run.id, RunState.FAILED, reason="None could be embedded.")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    file = tmp_path / "catalog.db"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TABLE images (id INTEGER PRIMARY KEY, user_id INTEGER, image_type TEXT, path TEXT, updated_at TEXT)"
        )
    catalog = SqlCatalog(
        CatalogSettings(
            kind="sql",
            location=f"sqlite:///{file}",
            table="images",
            paths=("path",),
            payload=("user_id", "image_type"),
            facets=("user_id", "image_type"),
            updated_at="updated_at",
        ),
        page=10,
    )
    store = open_store(StoreSettings(url=f"local:{tmp_path / 'qdrant'}"))
    store.create(COLLECTION, CollectionSpec(dimension=4, stamp=STAMP))
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield World(file, catalog, store, Ledger(database), CoverageRecords(database))
    database.close()
    store.close()
    catalog.close()
