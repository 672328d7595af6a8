# ruff: noqa: T201
"""What an application writes while its collection is verified raises no alarm, and makes the verdict a stale one."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from console_core.runs.types import RunState
from console_core.vectorstore.signature import Signature, signature_of
from tests.unit.differences.dict_store import DictStore
from tests.unit.differences.world import FILES, NAME, World

ROWS = 60
TRIALS = 100
_ACTS = ("insert", "edit", "repaint", "delete")


class Writer:
    """An application at work: each of its acts is two or three writes, catalog first or point first, and between any
    two of them the verification may look."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice = world, dice
        self.busy: dict[int, Iterator[None]] = {}
        self.next = ROWS + 1
        self.there = set(range(1, ROWS + 1))
        self.acts = dict.fromkeys(_ACTS, 0)
        self.resting = True

    def write(self) -> None:
        """Perhaps one write: of an act that was begun, or the first of another one."""
        if self.resting or self.dice.random() < 0.5:
            return
        if self.busy and self.dice.random() < 0.6:
            self._go_on(self.dice.choice(list(self.busy)))
            return
        what = self.dice.choice(_ACTS)
        there = sorted(self.there - self.busy.keys())
        if what == "insert":
            key, self.next = self.next, self.next + 1
            self.there.add(key)
        elif len(there) <= ROWS // 2:
            return
        else:
            key = self.dice.choice(there)
        self.acts[what] += 1
        self.busy[key] = getattr(self, f"_{what}")(key, self.dice.random() < 0.5)
        self._go_on(key)

    def wait(self, _seconds: float) -> None:
        """While the verification waits, what was begun is done, and something else is begun."""
        for key in list(self.busy):
            while key in self.busy:
                self._go_on(key)
        for _ in range(4):
            self.write()

    def rest(self) -> None:
        self.wait(0)
        self.resting = True
        self.wait(0)

    def _go_on(self, key: int) -> None:
        if next(self.busy[key], "done") == "done":
            del self.busy[key]

    def _insert(self, key: int, row_first: bool) -> Iterator[None]:
        row = key, f"{key % FILES}.png", f"picture {key}", "user-1"
        if row_first:
            self.world.sql("INSERT INTO images VALUES (?, ?, ?, ?)", *row)
            yield
            self.world.embed(key)
        else:
            self.world.sql("INSERT INTO images VALUES (?, ?, ?, ?)", *row)
            self.world.embed(key)
            self.world.sql("DELETE FROM images WHERE id = ?", key)
            yield
            self.world.sql("INSERT INTO images VALUES (?, ?, ?, ?)", *row)

    def _edit(self, key: int, row_first: bool) -> Iterator[None]:
        yield from self._change(key, "caption", f"edit {self.dice.random()}", row_first)

    def _repaint(self, key: int, row_first: bool) -> Iterator[None]:
        yield from self._change(key, "path", f"{self.dice.randrange(FILES)}.png", row_first)

    def _change(self, key: int, column: str, value: str, row_first: bool) -> Iterator[None]:
        change = f"UPDATE images SET {column} = ? WHERE id = ?"
        if row_first:
            self.world.sql(change, value, key)
            yield
            self.world.embed(key)
        else:
            (row,) = self.world.catalog.get([str(key)])
            before = row.candidates[0] if column == "path" else row.payload["caption"]
            self.world.sql(change, value, key)
            self.world.embed(key)
            self.world.sql(change, before, key)
            yield
            self.world.sql(change, value, key)

    def _delete(self, key: int, row_first: bool) -> Iterator[None]:
        self.there.discard(key)
        acts: list[Callable[[], object]] = [
            lambda: self.world.sql("DELETE FROM images WHERE id = ?", key),
            lambda: self.world.store.delete(NAME, [key]),
        ]
        for act in acts if row_first else reversed(acts):
            act()
            yield


class Writes(Protocol):
    """Whoever may write at a moment."""

    def write(self) -> None: ...


class Watched:
    """A part of the world before whose every call the application may write."""

    def __init__(self, part: Any, writer: Writes) -> None:
        self._part, self._writer = part, writer

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)

        def call(*arguments: Any, **more: Any) -> Any:
            self._writer.write()
            return self._each(found(*arguments, **more)) if name == "rows" else found(*arguments, **more)

        return call

    def _each(self, rows: Any) -> Iterator[Any]:
        for row in rows:
            yield row
            self._writer.write()


@pytest.fixture(name="lively")
def _lively(tmp_path: Path) -> Iterator[World]:
    world = World.build(tmp_path, DictStore(), ROWS)
    world.page = 8
    yield world
    world.close()


def test_a_hundred_verifications_of_what_is_being_written_raise_no_false_alarm(lively: World) -> None:
    dice = random.Random(20263)
    writer = Writer(lively, dice)
    watched = World(lively.folder, Watched(lively.store, writer), Watched(lively.catalog, writer), lively.database)
    watched.model, watched.page, watched.pause = lively.model, lively.page, writer.wait
    suspicions = alarms = stale = 0
    for trial in range(TRIALS):
        watched.full = trial % 2 == 0
        run = watched.submit()
        writer.resting = False
        verified = watched.finish(run)
        writer.rest()
        assert verified.state is RunState.SUCCEEDED, verified.reason
        assert verified.result is not None
        place = watched.records.place(verified.id)
        assert place is not None
        suspicions += place.numbered
        alarms += sum(verified.result["differences"].values()) > 0
        seen = Signature.from_json(verified.result["signature"])
        stale += not seen.same_as(signature_of(lively.store, NAME))
    print(
        f"{TRIALS} verifications, seed 20263, during {sum(writer.acts.values())} acts of an application "
        f"({', '.join(f'{number} {act}s' for act, number in writer.acts.items())}): "
        f"{suspicions} suspicions, {alarms} false alarms, {stale} verdicts stale"
    )
    watched.application.close()
    assert alarms == 0
    assert suspicions > TRIALS, "the writes must have been met half done"
    assert min(writer.acts.values()) > TRIALS
    assert stale == TRIALS

    assert lively.verify().result is not None
    assert lively.found(lively.verify()) == []


def test_a_difference_that_is_there_to_stay_is_told_in_spite_of_all_that_is_written(lively: World) -> None:
    writer = Writer(lively, random.Random(20264))
    watched = World(lively.folder, Watched(lively.store, writer), Watched(lively.catalog, writer), lively.database)
    watched.model, watched.page, watched.pause = lively.model, lively.page, writer.wait
    lively.say(3, at=9_000_001, key="9000001")
    run = watched.submit()
    writer.resting = False
    verified = watched.finish(run)
    writer.rest()
    watched.application.close()
    assert [(str(one.kind), one.key) for one in watched.found(verified)] == [("extra", "9000001")]
