# ruff: noqa: T201
"""The books of a run: selected = done + skipped + failed + pending, whatever happens at whatever moment; and a run
that says that it succeeded has done its work."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core.database import Database
from console_core.runs import execution
from console_core.runs.types import RunState
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from tests.lifecycle.memory_store import MemoryStore
from tests.lifecycle.schedules.archiving import BackingUp, Proving, Restoring
from tests.lifecycle.schedules.dice import FAULTS, Clock
from tests.lifecycle.schedules.embedding import Build, CatchingUp, Repairing, Retrying
from tests.lifecycle.schedules.parts import StrictLedger
from tests.lifecycle.schedules.pictures import APPLICATION, make_pictures
from tests.lifecycle.schedules.world import World
from tests.lifecycle.test_worker_locked_ledger import impatient

WORLDS: tuple[tuple[type[World], int], ...] = (
    (Build, 300),
    (Retrying, 160),
    (CatchingUp, 220),
    (Repairing, 140),
    (BackingUp, 60),
    (Restoring, 80),
    (Proving, 40),
)
"""How many schedules of each; a thousand in all."""
ON_THE_REAL_STORE = 16
"""One of so many runs on the embedded store, the others on one in memory."""


@pytest.fixture
def strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StrictLedger]:
    """A ledger that can be locked and does not wait for that, and a clock whose waits are over at once."""
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
    impatient(database)
    monkeypatch.setattr(execution, "time", Clock())
    ledger = StrictLedger(database)
    yield ledger
    ledger.close()
    database.close()


def test_a_thousand_schedules_of_faults_leave_true_books_and_no_success_that_is_none(
    tmp_path: Path, strict: StrictLedger
) -> None:
    make_pictures(tmp_path / "images")
    embedded = QdrantEmbedded(tmp_path / "store")
    happened, runs, attempts, states = Counter[str](), Counter[str](), Counter[int](), Counter[str]()
    violations, lies, real, began = list[str](), list[str](), 0, time.monotonic()
    kinds = [kind for kind, number in WORLDS for _ in range(number)]
    try:
        for seed, kind in enumerate(kinds):
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
        f"{len(kinds)} schedules ({', '.join(f'{number} {kind}' for kind, number in runs.items())}), {real} of them on "
        f"the embedded store; {sum(faults.values())} faults {faults}; changes "
        f"{ {change: number for change, number in happened.items() if change not in faults} }; runs by attempts "
        f"{dict(sorted(attempts.items()))}; {dict(states)}; {strict.steps} audited steps, "
        f"{len(violations)} violations, {len(lies)} false successes; {time.monotonic() - began:.0f} s"
    )
    assert violations == []
    assert lies == []
    assert len(kinds) == 1000
    assert min(faults.values()) > 10, "every kind of fault has happened"
    assert all(happened[change] for change in (*APPLICATION, "write", "delete point"))
    assert states[RunState.SUCCEEDED] > 900
    assert max(attempts) > 4
