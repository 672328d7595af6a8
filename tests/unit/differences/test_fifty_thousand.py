# ruff: noqa: T201
"""Seven kinds of difference planted in 50,000 points: all are found, nothing else is, and one repair mends them."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from console_core.migration.difference import DifferenceKind as Kind
from console_core.runs.types import RunState
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.types import PointId
from tests.unit.differences.dict_store import DictStore
from tests.unit.differences.world import NAME, World

POINTS = 50_000
EACH = 30
OWN = range(1, 11)
"""Pictures with a file of their own, which will be replaced by another."""


@pytest.fixture(name="large")
def _large(tmp_path: Path) -> Iterator[World]:
    world = World.build(tmp_path, DictStore(), POINTS, own=OWN)
    yield world
    world.close()


def _plant(world: World, kind: Kind, keys: Sequence[int]) -> Iterator[tuple[Kind, str, PointId]]:
    """Damage done to as many pictures, in all the ways in which this kind comes about."""
    for place, key in enumerate(keys):
        point, turn = world.point(key), place % 3
        expected: tuple[Kind, str, PointId] = (kind, str(key), key)
        match kind:
            case Kind.MISSING:
                world.store.delete(NAME, [key])
            case Kind.EXTRA if turn == 0:
                world.sql("DELETE FROM images WHERE id = ?", key)
            case Kind.EXTRA:
                stranger = POINTS + key
                world.say(key, at=stranger, key=str(stranger))
                expected = (kind, str(stranger), stranger)
            case Kind.DUPLICATE if turn == 0:
                world.say(key, key=str(key + 1))
            case Kind.DUPLICATE:
                copy = point_id(f"a copy of {key}")
                world.say(key, at=copy)
                expected = (kind, str(key), copy)
            case Kind.INVALID:
                broken = (np.zeros(48, np.float32), np.full(48, np.nan, np.float32), point.vector)[turn]
                assert broken is not None
                world.write(key, vector=broken if turn < 2 else broken * np.float32(0.9))
            case Kind.FOREIGN if turn == 0:
                world.write(key, payload={})
            case Kind.FOREIGN:
                world.say(key, fingerprint="f" * 16)
            case Kind.STALE if key in OWN:
                (world.folder / "images" / f"own-{key}.png").write_bytes((world.folder / "images/99.png").read_bytes())
            case Kind.STALE if turn == 0:
                world.sql("UPDATE images SET caption = 'another' WHERE id = ?", key)
            case Kind.STALE:
                world.write(key, payload={**point.payload, "caption": "edited at the point"})
            case Kind.WRONG_VECTOR:
                world.write(key, vector=world.point(key + 1).vector)
        yield expected


def test_seven_kinds_of_planted_difference_are_all_found_among_fifty_thousand_points_and_one_repair_mends_them(
    large: World,
) -> None:
    dice = random.Random(20262)
    keys = dice.sample(range(100, POINTS - 1, 2), 7 * EACH)  # every second, so that no neighbour is damaged too
    chosen = {kind: keys[place * EACH : (place + 1) * EACH] for place, kind in enumerate(Kind)}
    chosen[Kind.STALE] = [*OWN, *chosen[Kind.STALE][len(OWN) :]]
    planted = {kind: set(_plant(large, kind, those)) for kind, those in chosen.items()}

    started = time.perf_counter()
    verified = large.verify()
    seconds = time.perf_counter() - started
    assert verified.state is RunState.SUCCEEDED, verified.reason
    found = large.told(verified)
    print(f"\n{POINTS:,} points, seed 20262, full mode in {seconds:.1f} s ({POINTS / seconds:,.0f} pictures/s)")
    print(f"{'kind':14}{'planted':>8}{'found':>8}{'false':>8}")
    for kind in Kind:
        told = {one for one in found if one[0] is kind}
        print(f"{kind:14}{len(planted[kind]):>8}{len(told & planted[kind]):>8}{len(told - planted[kind]):>8}")
    for kind in Kind:
        assert {one for one in found if one[0] is kind} == planted[kind], kind
    assert large.model.embedded > POINTS - 7 * EACH

    repaired = large.finish(large.repair(verified))
    assert repaired.state is RunState.SUCCEEDED, repaired.reason
    assert (repaired.counts.selected, repaired.counts.done) == (7 * EACH, 7 * EACH)
    (again,) = large.queued()
    result = large.finish(again).result
    assert result is not None
    print(f"after one repair: {sum(result['differences'].values())} differences, verdict {result['verdict']}")
    assert set(result["differences"].values()) == {0}
    assert result["verdict"] == "green", result["checks"]
    assert result["points"] == POINTS - EACH // 3


def test_a_vector_that_was_replaced_by_an_equal_copy_is_no_difference(large: World) -> None:
    large.full = False
    large.write(9_999, vector=replace(large.point(9_999)).vector)
    result = large.verify().result
    assert result is not None
    assert set(result["differences"].values()) == {0}
    assert (result["sample"]["size"], result["sample"]["of"]) == (459, POINTS)
    print(f"1 % wrong vectors would be found with {result['sample']['probability']:.2%}")
    assert 0.99 <= result["sample"]["probability"] < 0.991
