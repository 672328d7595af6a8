"""A workspace with many pictures: the demo over and over, in the store that takes a million points without a server.

The demo is migrated first, small, by the console itself. Then its catalog is multiplied, over the same files, and each
collection gets the points that the demo's had, for every copy of a picture: what was missing, failed or stale there
is so here in the same proportion. Vectors are noise in clusters; everything is made a batch at a time.
"""

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.console.workspace import CATALOG, NOTE, Prepared, be_quiet, console, found, opened_ledger
from console_core import settings
from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import ImageRow
from console_core.demo.application import TABLE
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Failure, Progress, Run, RunState
from console_core.settings import Settings
from console_core.settings.changing import set_store_url
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, application_payload, point_id, provenance
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, Payload, Point

STRIDE = 10_000
"""What the keys of one copy of the demo are behind those of the copy before; it has fewer pictures."""
INDEX_UP_TO = 100_000
"""Points beyond which a collection has no index, for building one takes minutes: every search compares all."""
SEED, CLUSTERS, BATCH = 20262, 200, 2048
_LEFT_OUT = ("id", "embedding", "embedding_model")
_STEPS = 600
"""Steps of a run that built everything: as many samples as are kept."""


def prepare_many(folder: Path, points: int, demo: Path) -> Prepared:
    """Make of a demo that `workspace.prepare` made, which stays as it is, one with so many rows in its catalog and in
    each collection a point for nearly every one of them; or take the one that was made here before.
    """
    note = folder / NOTE
    if note.exists():
        return found(folder)
    kept = json.loads((demo / NOTE).read_text())
    if not kept["pictures"] <= min(points, STRIDE - 100):
        raise SystemExit(f"Of {kept['pictures']:,} pictures {points:,} points cannot be made.")
    if folder.exists():
        raise SystemExit(f"{folder} is not a whole workspace of the benchmark: delete it, or choose another folder.")
    shutil.copytree(demo, folder, ignore=shutil.ignore_patterns(NOTE, "cache"))
    made: dict[str, float] = {}
    small = _Small.of(folder)
    with _timed(made, "multiply the catalog"):
        _multiply(folder, points)
    _connect_edge(folder)
    read = settings.read(folder)
    with _timed(made, "write the points"):
        _fill(read, small, points)
    with _timed(made, "build the indexes"):
        _index(read)
    with _timed(made, "record the runs"):
        _record(folder, read, points)
    with _timed(made, "measure coverage (stats)"):
        console(folder, "stats")
    note.write_text(json.dumps({**kept, "pictures": points, "made": made}))
    return found(folder)


@contextmanager
def _timed(made: dict[str, float], what: str) -> Iterator[None]:
    print(f"{what} …", file=sys.stderr, flush=True)
    began = time.perf_counter()
    yield
    made[what] = time.perf_counter() - began


@dataclass(frozen=True)
class _Small:
    """What the demo's own store held: collections, aliases, and each collection's payloads by catalog key."""

    collections: tuple[CollectionInfo, ...]
    aliases: Mapping[str, str]
    payloads: Mapping[str, Mapping[int, Payload]]
    revisions: Mapping[int, str]

    @classmethod
    def of(cls, folder: Path) -> "_Small":
        read = settings.read(folder)
        with closing(open_store(read.store)) as store, closing(SqlCatalog(read.catalog)) as catalog:
            collections = tuple(store.collections())
            payloads = {
                info.name: {int(point.id): point.payload for point in store.scroll(info.name)} for info in collections
            }
            return cls(collections, store.aliases(), payloads, {int(row.key): row.revision for row in catalog.rows()})


def _multiply(folder: Path, points: int) -> None:
    """Copies of the demo's rows, without the application's own embeddings, until there are so many."""
    with closing(sqlite3.connect(folder / CATALOG)) as catalog, catalog:
        (there,) = catalog.execute(f"SELECT count(*) FROM {TABLE}").fetchone()
        columns = [name for _, name, *_ in catalog.execute(f"PRAGMA table_info({TABLE})") if name not in _LEFT_OUT]
        copied = ", ".join(columns)
        catalog.execute(
            "WITH RECURSIVE copies (copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM copies WHERE copy < ?) "
            f"INSERT INTO {TABLE} (id, {copied}) SELECT id + copy * ?, {copied} FROM copies CROSS JOIN {TABLE} LIMIT ?",
            (-(-points // there), STRIDE, points - there),
        )


def _connect_edge(folder: Path) -> None:
    be_quiet(folder)
    set_store_url(folder, "edge:qdrant-edge")
    shutil.rmtree(folder / "qdrant")


def _fill(read: Settings, small: _Small, points: int) -> None:
    with closing(open_store(read.store)) as store, closing(SqlCatalog(read.catalog)) as catalog:
        for info in small.collections:
            index = {} if points <= INDEX_UP_TO else {"m": 0}
            store.create(info.name, CollectionSpec(info.dimension, info.distance, info.stamp, index))
            store.defer_index(info.name)
            for batch in _points(catalog, small, info):
                store.upsert(info.name, batch)
        for alias, name in small.aliases.items():
            store.set_alias(alias, name, expected=None)


def _points(catalog: SqlCatalog, small: _Small, info: CollectionInfo) -> Iterator[list[Point]]:
    dice = np.random.default_rng(SEED)
    centres = dice.normal(size=(CLUSTERS, info.dimension)).astype(np.float32)
    rows = catalog.rows()
    payloads = small.payloads[info.name]
    while some := list(islice(rows, BATCH)):
        there = [row for row in some if int(row.key) % STRIDE in payloads]
        vectors = centres[dice.integers(0, CLUSTERS, len(there))]
        vectors += 0.4 * dice.standard_normal(vectors.shape, dtype=np.float32)
        yield [
            Point(point_id(row.key), vector, _payload(row, payloads[int(row.key) % STRIDE], small))
            for row, vector in zip(there, vectors, strict=True)
        ]


def _payload(row: ImageRow, original: Payload, small: _Small) -> Payload:
    """The original's, as if this picture had been embedded when that was."""
    made = provenance(original)
    assert made is not None
    stale = made.revision != small.revisions.get(int(made.key))
    copied: Provenance = replace(made, key=row.key, revision=made.revision if stale else row.revision)
    return {**application_payload(original), **copied.as_payload()}


def _index(read: Settings) -> None:
    with closing(open_store(read.store)) as store:
        names = [info.name for info in store.collections()]
        for name in names:
            store.restore_index(name)
        while any(store.describe(name).status != "green" for name in names):
            time.sleep(0.5)


def _record(folder: Path, read: Settings, points: int) -> None:
    """The small migration's build and verification once more, as they were for so many pictures."""
    with opened_ledger(folder) as (ledger, migrations), closing(SqlCatalog(read.catalog)) as catalog:
        (build, *_) = ledger.runs(kinds=["reembed"], migration=migrations.all()[0].id)
        (verify, *_) = ledger.runs(kinds=["verify"], target=build.target)
        failed = {int(one.key): one for one in ledger.failures(build.id, limit=STRIDE)}
        _build_again(ledger, build, catalog, failed, points)
        again = _begun(ledger, verify, points, writes=False)
        ledger.record(again.id, Progress("", Counts(points, done=points), result=verify.result))
        ledger.finish(again.id, RunState.SUCCEEDED, reason=verify.reason)


def _build_again(ledger: Ledger, build: Run, catalog: SqlCatalog, failed: Mapping[int, Failure], points: int) -> None:
    run = _begun(ledger, build, points, writes=True)
    recorded = ledger.pace(build.id)
    counts, pace = Counts(points), recorded.pace if recorded else None
    rows, size = catalog.rows(), -(-points // _STEPS)
    while some := list(islice(rows, size)):
        failures = tuple(
            replace(failed[int(row.key) % STRIDE], key=row.key) for row in some if int(row.key) % STRIDE in failed
        )
        kinds = dict(counts.failed)
        for failure in failures:
            kinds[failure.kind] = kinds.get(failure.kind, 0) + 1
        counts = replace(counts, done=counts.done + len(some) - len(failures), failed=kinds)
        ledger.record(run.id, Progress(some[-1].key, counts, failures, pace=pace))
    ledger.finish(run.id, RunState.SUCCEEDED, reason=build.reason)


def _begun(ledger: Ledger, like: Run, points: int, *, writes: bool) -> Run:
    run = ledger.submit(
        kind=like.kind,
        lane=like.lane,
        title=like.title,
        target=like.target,
        spec=like.spec,
        actor="the benchmark",
        migration=like.migration,
        selected=points,
        writes=writes,
    )
    claimed = ledger.claim(like.lane, "the benchmark", only=run.id)
    assert claimed is not None
    return claimed
