# ruff: noqa: T201
"""The books of a run: selected = done + skipped + failed + pending, whatever happens at whatever moment; and a run
that says that it succeeded has done its work."""

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import event

from console_core.backup import rebuilding
from console_core.backup.operation import BackUp
from console_core.backup.proving import Prove
from console_core.backup.rebuilding import Rebuilding
from console_core.database import Database
from console_core.errors import StoreError
from console_core.following.catch_up import CatchUp
from console_core.following.comparing import Comparison
from console_core.migration import filling, reembed
from console_core.migration.batch import Filled
from console_core.migration.repair import Repair
from console_core.migration.settling import settle
from console_core.migration.writing import write
from console_core.runs import execution, failures
from console_core.runs.types import Counts, RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.signature import Signing
from console_core.vectorstore.types import Point, PointId, VectorStore
from tests.lifecycle.memory_store import MemoryStore
from tests.lifecycle.schedules.archiving import BackingUp, Proving, Restoring
from tests.lifecycle.schedules.dice import FAULTS, Clock
from tests.lifecycle.schedules.embedding import Build, CatchingUp, Repairing, Retrying
from tests.lifecycle.schedules.parts import StrictLedger
from tests.lifecycle.schedules.pictures import APPLICATION, make_pictures
from tests.lifecycle.schedules.world import World

WORLDS: tuple[tuple[type[World], int], ...] = (
    (Build, 480),
    (Retrying, 100),
    (CatchingUp, 160),
    (Repairing, 80),
    (BackingUp, 70),
    (Restoring, 70),
    (Proving, 40),
)
"""How many schedules of each; a thousand in all."""
ON_THE_REAL_STORE = 16
"""One of so many runs on the embedded store, the others on one in memory."""
SHARES = 2
"""In so many tests, so that they can run side by side. What must happen in all must happen in each."""
MOST_SEEDS = 80
"""A broken operation must be caught by one of so many schedules."""


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictLedger]:
    """A ledger that can be locked and does not wait for that, and a clock whose waits are over at once.

    Nobody cuts the power here, so nothing waits for the disk.
    """
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    database.engine.dispose()
    for pragma in ("busy_timeout=1", "synchronous=OFF"):
        event.listen(database.engine, "connect", lambda opened, _, pragma=pragma: opened.execute(f"PRAGMA {pragma}"))
    monkeypatch.setattr(execution, "time", Clock())
    monkeypatch.setattr(os, "fsync", lambda _file: None)
    monkeypatch.setattr(execution.log, "level", logging.ERROR)
    ledger = StrictLedger(database)
    make_pictures(tmp_path / "images")
    yield ledger
    ledger.close()
    database.close()


@pytest.mark.parametrize("share", range(SHARES))
def test_a_thousand_schedules_of_faults_leave_true_books_and_no_success_that_is_none(
    tmp_path: Path, strict: StrictLedger, share: int
) -> None:
    embedded = QdrantEmbedded(tmp_path / "store")
    happened, runs, attempts, states = Counter[str](), Counter[str](), Counter[int](), Counter[str]()
    violations, lies, real = list[str](), list[str](), 0
    began, worked = time.monotonic(), time.process_time()
    kinds = [kind for kind, number in WORLDS for _ in range(number)]
    assert len(kinds) == 1000
    seeds = [seed for seed in range(len(kinds)) if seed // ON_THE_REAL_STORE % SHARES == share]
    try:
        for seed in seeds:
            kind = kinds[seed]
            is_real = seed % ON_THE_REAL_STORE == 0
            world = kind(seed, strict, embedded if is_real else MemoryStore(), tmp_path)
            world.live()
            violations += [f"seed {seed}: {one}" for one in world.schedule.wrong]
            lies += [f"seed {seed}, {world.kind}: {one}" for one in world.lied]
            happened.update(world.schedule.happened)
            happened.update(world.schedule.spoilt)
            runs[world.kind] += 1
            states[str(world.ended.state)] += 1
            attempts[world.ended.attempt] += 1
            real += is_real
            world.close()
    finally:
        embedded.close()
    faults = {fault: happened[fault] for fault in FAULTS}
    print(
        f"{len(seeds)} schedules ({', '.join(f'{number} {kind}' for kind, number in runs.items())}), {real} of them on "
        f"the embedded store; {sum(faults.values())} faults {faults}; changes "
        f"{ {change: number for change, number in happened.items() if change not in faults} }; runs by attempts "
        f"{dict(sorted(attempts.items()))}; {dict(states)}; {strict.steps} audited steps, "
        f"{len(violations)} violations, {len(lies)} false successes; {time.monotonic() - began:.0f} s, "
        f"{time.process_time() - worked:.0f} s of work"
    )
    assert violations == []
    assert lies == []
    assert min(faults.values()) > 10 / SHARES, "every kind of fault has happened"
    assert all(happened[change] for change in (*APPLICATION, "write", "delete point"))
    assert set(runs) == {kind.kind for kind, _ in WORLDS}
    assert states[RunState.SUCCEEDED] > 0.9 * len(seeds)
    assert max(attempts) > 4


def _does_nothing(*_arguments: Any, **_named: Any) -> None:
    return None


@dataclass(frozen=True)
class _Trusted:
    """A store that is believed to have taken everything that it did not refuse."""

    store: Any

    def upsert(self, name: str, points: Sequence[Point]) -> int:
        self.store.upsert(name, points)
        return len(points)


def _takes_what_it_gets(store: Any, target: str, points: Sequence[Point]) -> dict[PointId, StoreError]:
    return write(cast(VectorStore, _Trusted(store)), target, points)


def _counts_once_more(counts: Counts, filled: Filled) -> Counts:
    settled = settle(counts, filled)
    return replace(settled, done=settled.done + bool(filled.points), selected=settled.selected + bool(filled.points))


def _forgets_what_failed(counts: Counts, filled: Filled) -> Counts:
    return settle(counts, replace(filled, failures=()))


def _skips_a_point(self: BackUp, after: PointId | None, size: int, signing: Signing) -> Iterator[Sequence[Point]]:
    points, _ = self._store.page(self._collection, after=after, limit=1000, vectors=True)
    points = points[1:] if after else points
    signing.add(points)
    yield from ([point] for point in points)


BROKEN: dict[str, tuple[type[World], list[tuple[Any, str, Any]]]] = {
    "takes a partial acknowledgement for a whole one": (Build, [(filling, "write", _takes_what_it_gets)]),
    "counts a batch once too often": (Build, [(reembed, "settle", _counts_once_more)]),
    "does not count what failed": (Build, [(reembed, "settle", _forgets_what_failed)]),
    "does not write failures down": (Build, [(failures, "put", _does_nothing)]),
    "calls a retry done that was not written": (Retrying, [(filling, "write", lambda *_: {})]),
    "does not see what left the catalog": (CatchingUp, [(Comparison, "left", lambda *_: [])]),
    "does not see what is behind": (CatchingUp, [(Comparison, "behind", lambda *_: {})]),
    "forgets what it had embedded when it was stopped": (CatchingUp, [(CatchUp, "_settle_interrupted", lambda *_: ())]),
    "repairs nothing": (Repairing, [(Repair, "_embed", lambda _self, batch, _: ((), {"kept": len(batch)}, ()))]),
    "skips a point where it goes on": (BackingUp, [(BackUp, "_pages", _skips_a_point)]),
    "neither minds a partial acknowledgement nor compares": (
        Restoring,
        [
            (Rebuilding, "_write", lambda self, page: self._store.upsert(self._target, page, as_is=True)),
            (rebuilding, "compare_part", _does_nothing),
        ],
    ),
    "leaves the scratch collection of a proof": (Proving, [(Prove, "_drop_scratch", _does_nothing)]),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_an_operation_that_was_broken_on_purpose_is_caught(
    tmp_path: Path, strict: StrictLedger, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The schedules and audits above are no better than what they catch."""
    kind, changes = BROKEN[broken]
    for place, name, wrong in changes:
        monkeypatch.setattr(place, name, wrong)
    caught: list[str] = []
    for seed in range(MOST_SEEDS):
        world = kind(seed, strict, MemoryStore(), tmp_path)
        world.live()
        world.close()
        if caught := [*world.schedule.wrong, *world.lied]:
            print(f"{kind.kind} {broken}: schedule {seed}, {caught[0]}")
            break
    assert caught
