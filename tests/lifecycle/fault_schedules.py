"""A small migration to which at random moments something happens: the parts that fail, and the dice that decide."""

import random
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from console_core.catalog.sql import SqlCatalog
from console_core.database import Database
from console_core.embedding.types import Fingerprint, ModelCard, Prepared, Vectors
from console_core.errors import (
    CollectionExists,
    CollectionNotFound,
    LedgerUnavailable,
    ModelOutputInvalid,
    StoreRefused,
    StoreUnavailable,
)
from console_core.runs.accounting import check
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Progress, Verb
from console_core.settings import CatalogSettings
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Point, PointId, VectorStore

FAULTS = ("kill", "pause", "stop", "store before", "store after", "partial", "glitch", "ledger before", "ledger after")
CHANGES = ("insert at the end", "insert before", "delete ahead", "delete behind")
BAD = {
    "missing": "missing",
    "truncated": "unreadable",
    "empty": "empty",
    "html": "unsupported",
    "poison": "model error",
    "unwanted": "store refused",
}
"""The kinds of bad pictures, and the class of failure in which each must end."""
MOST_FAULTS = 7


class Killed(BaseException):
    """The process died here: nothing after this point ran."""


def make_pictures(folder: Path) -> Path:
    """Ten good pictures, and one of each bad kind that is a file at all."""
    folder.mkdir()
    colours = np.random.default_rng(3).integers(0, 200, size=(10, 4, 4, 3), dtype=np.uint8)
    for number, pixels in enumerate(colours):
        Image.fromarray(pixels).resize((16, 16)).save(folder / f"good-{number}.png")
    whole = (folder / "good-0.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.png").touch()
    (folder / "html.png").write_text("<!doctype html><html><body>404</body></html>")
    Image.new("RGB", (16, 16), (255, 0, 255)).save(folder / "poison.png")
    Image.new("RGB", (16, 16), (0, 90, 20)).save(folder / "unwanted.png")
    return folder


@dataclass
class Schedule:
    """What happens in one run, decided by a seed. `strike` is called at every step and raises or does what falls."""

    seed: int
    ledger: "StrictLedger"
    catalog: "ChangingCatalog"
    run_id: str = ""
    stop: bool = False
    happened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.changes = self.seed % 2 == 1
        self.last = Counts()

    def falls(self, *kinds: str) -> str:
        """Which of these happens now, "" for none."""
        if len(self.happened) >= MOST_FAULTS or self.dice.random() > 0.12:
            return ""
        kind = self.dice.choice(kinds)
        self.happened.append(kind)
        return kind

    def strike(self) -> None:
        """Between any two acts of the run."""
        changes = CHANGES if self.changes else ()
        match self.falls("kill", "pause", "stop", *changes):
            case "kill":
                raise Killed
            case "pause":
                self.ledger.ask(self.run_id, Verb.PAUSE, "jo")
            case "stop":
                self.stop = True
            case "":
                pass
            case change:
                self.catalog.change(change, self.dice, self.ledger.get(self.run_id).checkpoint)


class ChangingCatalog:
    """A table of pictures as an application changes it while it is read. Keys are ten apart."""

    def __init__(self, file: Path, dice: random.Random) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("CREATE TABLE pictures (id INTEGER PRIMARY KEY, path TEXT)")
        number = dice.randint(5, 24)
        kinds = ["good", *(dice.choice(("good", "good", "good", *BAD)) for _ in range(number - 1))]
        self.kinds: dict[int, str] = {}
        self.at_start = tuple(10 * place for place in range(1, number + 1))
        self.at_end: set[int] = set()
        self.deleted: set[int] = set()
        for key, kind in zip(self.at_start, kinds, strict=True):
            self._insert(key, kind)
        settings = CatalogSettings("sql", f"sqlite:///{file}", "pictures", paths=("path",))
        self.reading = SqlCatalog(settings, page=dice.randint(2, 9))

    def keys(self) -> set[int]:
        return {key for (key,) in self._connection.execute("SELECT id FROM pictures")}

    def change(self, what: str, dice: random.Random, checkpoint: str) -> None:
        there, reached = sorted(self.keys() - {10}), int(checkpoint or 0)
        if what.startswith("insert"):
            at_end = what == "insert at the end"
            key = max(self.kinds) + 10 if at_end else dice.choice((10, *there)) - dice.randint(1, 9)
            if key not in self.kinds:
                self._insert(key, dice.choice(("good", "good", *BAD)))
                self.at_end |= {key} if at_end else set()
            return
        if found := [key for key in there if (key > reached) == (what == "delete ahead")]:
            key = dice.choice(found)
            self.deleted.add(key)
            self._connection.execute("DELETE FROM pictures WHERE id = ?", (key,))

    def close(self) -> None:
        self.reading.close()
        self._connection.close()

    def _insert(self, key: int, kind: str) -> None:
        self.kinds[key] = kind
        name = f"good-{key % 10 if key % 10 else key // 10 % 10}.png" if kind == "good" else f"{kind}.png"
        self._connection.execute("INSERT INTO pictures VALUES (?, ?)", (key, name))


class Grid:
    """A model whose vector is the picture's colours on a grid. It chokes on pure magenta, and at times on a batch."""

    card = ModelCard("grid", "Grid", "test", "grid", "", 48, 4, has_text=False)
    fingerprint = Fingerprint("0123456789abcdef")
    device = "cpu, float32"

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def prepare(self, image: Image.Image) -> Prepared:
        small = np.asarray(image.resize((4, 4)), dtype=np.float32) / 255
        return np.ascontiguousarray(small.transpose(2, 0, 1))

    def embed_images(self, prepared: Sequence[Prepared]) -> Vectors:
        self._schedule.strike()
        choked = any((one[1] == 0).all() and (one[0] == 1).all() for one in prepared)
        if choked or (len(prepared) > 1 and self._schedule.falls("glitch")):
            raise ModelOutputInvalid("The model answered with numbers that are not finite.")
        rows = np.stack([one.ravel() for one in prepared]) + 0.01
        vectors: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return vectors

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError


class MemoryStore:
    """As much of a vector store as a build uses, without a disk. Two hundred runs on the real one take minutes."""

    def __init__(self) -> None:
        self.collections: dict[str, tuple[CollectionSpec, dict[PointId, Point]]] = {}

    def create(self, name: str, spec: CollectionSpec) -> None:
        if name in self.collections:
            raise CollectionExists(f"{name} exists.")
        self.collections[name] = (spec, {})

    def describe(self, name: str) -> CollectionInfo:
        spec, points = self._found(name)
        return CollectionInfo(name, spec.dimension, spec.distance, len(points), "green", spec.stamp, (), {}, {}, ())

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self._found(name)[1].update((point.id, point) for point in points)
        return len(points)

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        there = self._found(name)[1]
        return [there[identifier] for identifier in ids if identifier in there]

    def count(self, name: str) -> int:
        return len(self._found(name)[1])

    def scroll(self, name: str) -> list[Point]:
        return list(self._found(name)[1].values())

    def _found(self, name: str) -> tuple[CollectionSpec, dict[PointId, Point]]:
        if name not in self.collections:
            raise CollectionNotFound(f"There is no {name}.")
        return self.collections[name]


class FaultyStore:
    """Another store, whose writes fail before or after they were done, or are done only in part.

    It refuses every batch with an unwanted picture in it.
    """

    def __init__(self, store: "VectorStore | MemoryStore", schedule: Schedule) -> None:
        self._store, self._schedule = store, schedule

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        self._schedule.strike()
        kinds = self._schedule.catalog.kinds
        if any(kinds[int(point.id)] == "unwanted" for point in points):
            raise StoreRefused("The store does not take one of these points.")
        fault = self._schedule.falls("store before", "store after", "partial")
        if fault == "store before":
            raise StoreUnavailable("The store is away.", "Start it.")
        if fault == "partial":
            return self._store.upsert(name, points[: len(points) // 2])
        acknowledged = self._store.upsert(name, points)
        if fault == "store after":
            raise StoreUnavailable("The store did not confirm in time.", "Look at its load.")
        self._schedule.strike()
        return acknowledged

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class StrictLedger(Ledger):
    """A ledger that checks the books after each record, and loses its connection before or after a commit."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.schedule: Schedule | None = None
        self.steps = 0

    def record(self, run_id: str, progress: Progress, *, attempt: int | None = None) -> None:
        schedule = self.schedule
        assert schedule is not None
        fault = schedule.falls("ledger before", "ledger after")
        if fault == "ledger before":
            raise LedgerUnavailable("The ledger is away.")
        super().record(run_id, progress, attempt=attempt)
        self._audit(schedule, run_id)
        if fault == "ledger after":
            raise LedgerUnavailable("The ledger is away.")
        schedule.strike()

    def _audit(self, schedule: Schedule, run_id: str) -> None:
        run, self.steps = self.get(run_id), self.steps + 1
        counts = run.counts
        assert counts.selected == counts.done + counts.all_skipped + counts.all_failed + counts.pending
        assert counts.pending >= 0
        assert check(counts, before=schedule.last) == ""
        assert self.failure_counts(run_id) == dict(counts.failed)
        standing = self.failed_among(run.target, [failure.key for failure in self.failures(run_id)])
        assert {one.tries for one in standing.values()} <= {1}
        assert len(standing) == counts.all_failed
        assert sum(attempt.done for attempt in self.attempts(run_id)) == counts.done
        schedule.last = counts


def expected_failures(kinds: Mapping[int, str], keys: set[int]) -> dict[str, int]:
    """How many of these pictures must fail in which class."""
    found: dict[str, int] = {}
    for key in keys:
        if kinds[key] != "good":
            found[BAD[kinds[key]]] = found.get(BAD[kinds[key]], 0) + 1
    return found
