# ruff: noqa: T201
"""A verification and a repair that are killed at any step go on where they were, and end as if undisturbed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core.migration.difference import DifferenceKind as Kind
from console_core.migration.repair import ALREADY_RIGHT, KEPT, ONLY_ONE
from console_core.migration.verify import BATCH
from console_core.runs.types import Lane, Progress, Run, RunState, Verb
from console_core.vectorstore.provenance import point_id
from tests.unit.differences.dict_store import DictStore
from tests.unit.differences.world import NAME, World

ROWS = 400


@pytest.fixture(name="damaged")
def _damaged(tmp_path: Path) -> Iterator[World]:
    """400 pictures, of which 130 have differences of every kind."""
    world = World.build(tmp_path, DictStore(), ROWS)
    for key in range(1, ROWS, 40):
        world.store.delete(NAME, [key])
        world.say(key + 1, at=1_000_000 + key, key=str(1_000_000 + key))
        world.sql("UPDATE images SET caption = 'another' WHERE id = ?", key + 2)
        world.write(key + 3, vector=world.point(key + 4).vector)
        world.say(key + 5, at=point_id(f"copy {key}"))
        world.say(key + 6, fingerprint="f" * 16)
        vector = world.point(key + 7).vector
        assert vector is not None
        world.write(key + 7, vector=vector * 2)
        for more in range(key + 10, key + 16):
            world.write(more, payload={**world.point(more).payload, "caption": "edited"})
    yield world
    world.close()


def _kill(world: World, run: Run, after: int) -> bool:
    """Do so many steps and one more that the ledger never hears of, then die. False where it ended before that."""
    claimed = world.ledger.claim(Lane.ACCELERATOR, "a server", only=run.id)
    assert claimed is not None
    steps = world.operation(claimed).steps(claimed.checkpoint, claimed.counts)
    for number in range(after + 1):
        progress: Progress | None = next(steps, None)
        if progress is None:
            break
        if number < after:
            world.ledger.record(run.id, progress)
    world.ledger.recover("the next server")
    world.ledger.ask(run.id, Verb.RESUME, "olga")
    return progress is not None


def test_a_full_verification_killed_at_each_of_its_steps_ends_the_same_and_embeds_at_most_one_batch_twice(
    damaged: World,
) -> None:
    whole = damaged.verify()
    assert whole.result is not None
    expected, once = damaged.told(whole), damaged.model.embedded
    damaged.model.embedded = 0
    again = damaged.verify()
    once = damaged.model.embedded
    assert len(expected) == 130
    kills, most, step = 0, 0, 0
    while True:
        damaged.model.embedded = 0
        run = damaged.submit()
        more = _kill(damaged, run, step)
        ended = damaged.finish(run)
        assert ended.state is RunState.SUCCEEDED, ended.reason
        assert damaged.told(ended) == expected
        assert ended.result is not None
        assert ended.result == again.result
        assert (ended.counts.selected, ended.counts.done, ended.counts.pending) == (ROWS, ROWS, 0)
        most = max(most, damaged.model.embedded - once)
        if not more:
            break
        kills, step = kills + 1, step + 1
    print(f"killed at {kills} steps: at most {most} pictures of {ROWS} were embedded twice (a batch has {BATCH})")
    assert kills > ROWS // BATCH
    assert most <= BATCH


def test_a_repair_killed_at_each_of_its_steps_mends_everything_and_asks_for_one_verification(tmp_path: Path) -> None:
    step, kills = 0, 0
    while True:
        world = World.build(tmp_path / str(step), DictStore(), 200)
        world.store.delete(NAME, list(range(1, 150)))
        for key in range(150, 160):
            world.say(key, at=1_000 + key, key=str(1_000 + key))
        verified = world.verify()
        run = world.repair(verified)
        more = _kill(world, run, step)
        ended = world.finish(run)
        assert ended.state is RunState.SUCCEEDED, ended.reason
        counts = ended.counts
        assert (counts.selected, counts.done + counts.all_skipped, counts.pending) == (159, 159, 0)
        assert set(counts.skipped) <= {ALREADY_RIGHT}
        assert counts.all_skipped <= BATCH
        (again,) = world.queued()
        checked = world.finish(again)
        assert checked.result is not None
        assert checked.result["verdict"] == "green"
        assert world.store.count(NAME) == 200
        world.close()
        if not more:
            break
        kills, step = kills + 1, step + 1
    print(f"killed at {kills} steps of a repair of 159 differences")
    assert kills == 4


def test_a_verification_that_ran_before_an_interrupted_repair_had_ended_is_asked_for_again(damaged: World) -> None:
    run = damaged.repair(damaged.verify())
    _kill(damaged, run, 100)  # all its steps, and the verification is queued; only the end is not written
    (early,) = (one for one in damaged.queued() if one.kind == "verify")
    damaged.finish(early)
    assert damaged.finish(run).state is RunState.SUCCEEDED
    (late,) = damaged.queued()
    said = [entry.detail for entry in damaged.ledger.journal(subject=NAME)]
    assert said == [f"run {one.id} is queued, after the repair {run.id}" for one in (late, early)]
    assert (late.kind, late.id != early.id) == ("verify", True)


def test_without_the_word_of_a_person_nothing_is_deleted(damaged: World) -> None:
    before = damaged.store.count(NAME)
    repaired = damaged.finish(damaged.repair(damaged.verify(), delete_extra=False))
    assert repaired.counts.skipped == {KEPT: 20}
    assert damaged.store.count(NAME) == before + 10
    (again,) = damaged.queued()
    assert {kind for kind, _, _ in damaged.told(damaged.finish(again))} == {Kind.EXTRA, Kind.DUPLICATE}


def test_a_point_that_became_right_since_the_verification_is_neither_deleted_nor_written(damaged: World) -> None:
    run = damaged.repair(damaged.verify())
    damaged.sql("INSERT INTO images VALUES (1000001, '2.png', 'came late', 'user-1')")
    damaged.embed(1000001, 1)
    damaged.sql("DELETE FROM images WHERE id = 3")
    repaired = damaged.finish(run)
    assert repaired.counts.skipped == {ALREADY_RIGHT: 2, "left the catalog": 1}
    assert damaged.point(1000001).payload["caption"] == "came late"
    assert damaged.point(1).payload["_console"]["run"] == "r-build"


def test_the_only_point_of_a_picture_is_kept_though_it_lies_at_another_id(tmp_path: Path) -> None:
    world = World.build(tmp_path, DictStore(), 20)
    elsewhere = point_id("elsewhere")
    world.say(9, at=elsewhere)
    world.store.delete(NAME, [9])
    for image in (tmp_path / "images").glob("*.png"):
        image.unlink()
    verified = world.verify()
    repaired = world.finish(world.repair(verified))
    assert repaired.counts.skipped == {ONLY_ONE: 1}
    assert repaired.counts.failed == {"missing": 1}
    assert world.store.retrieve(NAME, [elsewhere])
    world.close()


def test_differences_that_a_newer_verification_replaced_are_not_repaired(damaged: World) -> None:
    run = damaged.repair(damaged.verify())
    damaged.verify()
    repaired = damaged.finish(run)
    assert repaired.state is RunState.FAILED
    assert "were replaced by a newer verification" in repaired.reason
