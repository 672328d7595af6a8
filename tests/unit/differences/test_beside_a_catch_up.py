# ruff: noqa: T201
"""A catch-up that works beside a verification leaves points behind their pictures for a moment: no alarm is raised."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core.following.catch_up import CatchUp
from console_core.following.comparing import Comparison
from console_core.following.records import Follows
from console_core.runs.types import Counts, Progress, RunState
from tests.unit.differences.dict_store import DictStore
from tests.unit.differences.test_writes_in_flight import Watched
from tests.unit.differences.world import FILES, NAME, World

ROWS = 60
TRIALS = 100


class Followed:
    """An application that writes to its catalog only, and the console that catches its collection up step by step.

    Before any call of the verification one of them may do something. While it pauses, the lag comes to zero.
    """

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice = world, dice
        model = world.model
        follows = Follows(world.database)
        follow = follows.begin(NAME, model=model.card.key, fingerprint=model.fingerprint.digest, stocked=True)
        self.comparison = Comparison(
            follow, world.catalog, world.images, world.store, follows, world.ledger.failed_among
        )
        self.steps: Iterator[Progress] | None = None
        self.next, self.there = ROWS + 1, set(range(1, ROWS + 1))
        self.acts, self.resting = Counter[str](), True

    def write(self) -> None:
        if self.resting or self.dice.random() < 0.5:
            return
        self.catch_up() if self.dice.random() < 0.5 else self.change()

    def wait(self, _seconds: float) -> None:
        self.in_step()
        self.change()

    def rest(self) -> None:
        self.resting = True
        self.in_step()

    def in_step(self) -> None:
        """What is at work comes to its end, and another catch-up sees what that one could not."""
        for _ in range(2):
            while self.catch_up():
                pass

    def catch_up(self) -> bool:
        """One step of the catch-up; False where that was its last."""
        if self.steps is None:
            size = self.dice.randint(1, 8)
            run = f"r-{self.acts['catch-up']}"
            self.acts["catch-up"] += 1
            operation = CatchUp(
                self.comparison, run, embedder=lambda: self.world.model, batch_size=lambda: size, mass_deletion=True
            )
            self.steps = operation.steps("", Counts())
        if next(self.steps, None) is None:
            self.steps = None
        return self.steps is not None

    def change(self) -> None:
        what = self.dice.choice(("insert", "edit", "repaint", "delete"))
        key = self.dice.choice(sorted(self.there))
        if what == "delete" and len(self.there) <= ROWS // 2:
            return
        self.acts[what] += 1
        match what:
            case "insert":
                key, self.next = self.next, self.next + 1
                self.there.add(key)
                row = key, f"{key % FILES}.png", f"picture {key}", "user-1"
                self.world.sql("INSERT INTO images VALUES (?, ?, ?, ?)", *row)
            case "edit":
                self.world.sql("UPDATE images SET caption = ? WHERE id = ?", f"edit {self.dice.random()}", key)
            case "repaint":
                self.world.sql("UPDATE images SET path = ? WHERE id = ?", f"{self.dice.randrange(FILES)}.png", key)
            case _:
                self.there.discard(key)
                self.world.sql("DELETE FROM images WHERE id = ?", key)


@pytest.fixture(name="lively")
def _lively(tmp_path: Path) -> Iterator[World]:
    world = World.build(tmp_path, DictStore(), ROWS)
    world.page = 8
    yield world
    world.close()


def test_a_hundred_verifications_beside_a_catch_up_raise_no_false_alarm(lively: World) -> None:
    beside = Followed(lively, random.Random(20265))
    watched = World(lively.folder, Watched(lively.store, beside), Watched(lively.catalog, beside), lively.database)
    watched.model, watched.page, watched.pause = lively.model, lively.page, beside.wait
    suspicions = alarms = 0
    for trial in range(TRIALS):
        watched.full = trial % 2 == 0
        run = watched.submit()
        beside.resting = False
        verified = watched.finish(run)
        beside.rest()
        assert verified.state is RunState.SUCCEEDED, verified.reason
        assert verified.result is not None
        place = watched.records.place(verified.id)
        assert place is not None
        suspicions += place.numbered
        alarms += sum(verified.result["differences"].values()) > 0
    print(
        f"{TRIALS} verifications, seed 20265, beside {beside.acts.pop('catch-up')} catch-ups of "
        f"{', '.join(f'{number} {act}s' for act, number in beside.acts.items())}: {suspicions} suspicions, "
        f"{alarms} false alarms"
    )
    assert alarms == 0
    assert suspicions > TRIALS, "the verification must have met what was behind"
    assert min(beside.acts.values()) > TRIALS
    assert lively.found(lively.verify()) == []
    assert {int(key) for key in lively.store.points[NAME]} == beside.there  # type: ignore[attr-defined]
