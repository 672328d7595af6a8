# ruff: noqa: T201
"""The accounting identity: selected = embedded + skipped + failed + pending, whatever happens at whatever moment."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from console_core.catalog.local_files import LocalFiles
from console_core.database import Database
from console_core.migration.current import ALREADY_EMBEDDED
from console_core.migration.plan import MigrationPlan
from console_core.migration.reembed import Reembed
from console_core.migration.verify import LEFT_THE_CATALOG
from console_core.runs.execution import work
from console_core.runs.types import Lane, Run, RunState, Verb
from console_core.vectorstore.provenance import Provenance
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore
from tests.lifecycle.fault_schedules import (
    CHANGES,
    FAULTS,
    ChangingCatalog,
    FaultyStore,
    Grid,
    Killed,
    MemoryStore,
    Schedule,
    StrictLedger,
    expected_failures,
    make_pictures,
)

SCHEDULES = 200
EVERY_TENTH = 10
"""Schedules that run on the real embedded store."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[StrictLedger]:
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield StrictLedger(database)
    database.close()


class World:
    """One schedule with its catalog, its target and its run."""

    def __init__(self, seed: int, ledger: StrictLedger, store: VectorStore | MemoryStore, folder: Path) -> None:
        self.ledger, self.store, self.images = ledger, store, LocalFiles((folder / "images",))
        self.schedule = schedule = Schedule(seed, ledger, cast(ChangingCatalog, None))
        self.catalog = schedule.catalog = ChangingCatalog(folder / f"{seed}.db", schedule.dice)
        ledger.schedule = schedule
        self.plan = MigrationPlan(
            alias="",
            source="old",
            model="grid",
            fingerprint=Grid.fingerprint.digest,
            target=f"target-{seed}",
            dimension=Grid.card.dimension,
            batch_size=schedule.dice.randint(1, 6),
            fills=seed % 3 == 2,
        )
        if self.plan.fills:
            self._fill()

    def _fill(self) -> None:
        """Every third target has some of its points already."""
        stamp = ModelStamp("grid", self.plan.fingerprint)
        self.store.create(self.plan.target, CollectionSpec(self.plan.dimension, stamp=stamp))
        good = [row for row in self.catalog.reading.rows() if self.catalog.kinds[int(row.key)] == "good"]
        some = [row for row in good if self.schedule.dice.random() < 0.4]
        made = [Provenance(row.key, row.revision, "", self.plan.fingerprint, "r-0", "") for row in some]
        vector = np.ones(self.plan.dimension, dtype=np.float32)
        self.store.upsert(self.plan.target, [Point(int(one.key), vector, one.as_payload()) for one in made])

    def build(self, run: Run) -> Reembed:
        return Reembed(
            MigrationPlan.from_json(run.spec),
            run.id,
            catalog=self.catalog.reading,
            images=self.images,
            store=cast(VectorStore, FaultyStore(self.store, self.schedule)),
            embedder=lambda: Grid(self.schedule),
            failed_among=self.ledger.failed_among,
        )

    def run(self) -> Run:
        """From the first attempt to the end, resuming whenever it stopped."""
        schedule = self.schedule
        selected = self.catalog.reading.count()
        schedule.run_id = self.ledger.submit(
            kind="reembed",
            lane=Lane.STORE,
            title="A schedule",
            target=self.plan.target,
            spec=self.plan.as_json(),
            actor="olga",
            selected=selected,
            writes=True,
        ).id
        for _ in range(2 * SCHEDULES):
            schedule.stop = False
            run = self.ledger.claim(Lane.STORE, "this test")
            assert run is not None
            patience = 0.05 if schedule.seed % 4 else 0.0
            try:
                ended = work(run, self.build, self.ledger, lambda: schedule.stop, patience)
            except Killed:
                (ended,) = self.ledger.recover("this test")
            if ended.state in (RunState.SUCCEEDED, RunState.INVALID):
                return ended
            assert "did not expect" not in ended.reason, ended.reason
            self.ledger.ask(run.id, Verb.RESUME, "olga")
        raise AssertionError("it never ended")

    def in_target(self) -> set[int]:
        return {int(point.id) for point in self.store.scroll(self.plan.target)}


def _assert_true(world: World, ended: Run) -> int:
    """What the books say is what is there. Returns the points whose picture was deleted before they were recorded."""
    catalog, counts, there = world.catalog, ended.counts, world.in_target()
    good = {key for key, kind in catalog.kinds.items() if kind == "good"}
    failed = {int(failure.key) for failure in world.ledger.failures(ended.id)}
    settled_well = counts.done + counts.skipped.get(ALREADY_EMBEDDED, 0)
    gone = counts.skipped.get(LEFT_THE_CATALOG, 0)
    expected = {*catalog.at_start, *catalog.at_end} - catalog.deleted

    assert ended.state is RunState.SUCCEEDED, ended.reason
    assert counts.pending == 0
    assert counts.selected == settled_well + gone + counts.all_failed
    assert expected & good <= there <= good
    assert expected - good <= failed <= set(catalog.kinds) - good
    assert dict(counts.failed) == expected_failures(catalog.kinds, failed)
    assert gone <= len(catalog.deleted)
    orphans = len(there) - settled_well
    assert 0 <= orphans <= len(catalog.deleted)
    assert [attempt.outcome for attempt in world.ledger.attempts(ended.id)].count("succeeded") == 1
    return orphans


def test_two_hundred_schedules_of_faults_and_changes_leave_true_books_and_exactly_the_counted_points(
    tmp_path: Path, ledger: StrictLedger
) -> None:
    make_pictures(tmp_path / "images")
    embedded = QdrantEmbedded(tmp_path / "store")
    happened, attempts, orphans, points, began = Counter[str](), Counter[int](), 0, 0, time.monotonic()
    try:
        for seed in range(SCHEDULES):
            real = seed % EVERY_TENTH == 0
            world = World(seed, ledger, embedded if real else MemoryStore(), tmp_path)
            ended = world.run()
            orphans += _assert_true(world, ended)
            happened.update(world.schedule.happened)
            attempts[ended.attempt] += 1
            points += len(world.in_target())
            world.catalog.close()
    finally:
        embedded.close()
    print(
        f"{SCHEDULES} schedules, all succeeded in the end, {ledger.steps} audited steps, {points} points, "
        f"{orphans} of deleted pictures; faults {dict(happened.most_common())}; runs by attempts "
        f"{dict(sorted(attempts.items()))}; {time.monotonic() - began:.1f} s"
    )
    assert set(happened) == {*FAULTS, *CHANGES}, "every kind of fault and change has happened"
    assert max(attempts) > 4
