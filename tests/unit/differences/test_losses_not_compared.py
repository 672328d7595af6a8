"""Points that are served today under ids that no catalog key leads to cannot be compared, and that is said."""

from dataclasses import replace

import pytest

from console_core.vectorstore.types import CollectionSpec, Point
from tests.unit.differences.world import NAME, World

SERVED = "served"


def _losses(world: World, strange: int, known: int) -> tuple[bool, str]:
    """The check where so many served points have ids of their own, and so many are their pictures' keys."""
    world.store.create(SERVED, CollectionSpec(world.model.card.dimension))
    vector = world.point(1).vector
    ids = [*range(1, known + 1), *range(9_000, 9_000 + strange)]
    world.store.upsert(SERVED, [Point(each, vector, {}) for each in ids])
    plan = replace(world.plan(), replaces=SERVED).as_json()
    run = world.finish(world._submit("verify", plan, world.catalog.count(), writes=False))
    assert run.result is not None, run.reason
    (check,) = [check for check in run.result["checks"] if check["name"] == "losses"]
    assert (run.result["verdict"] == "green") is check["ok"]
    return check["ok"], check["detail"]


@pytest.mark.parametrize(("strange", "known", "passes"), [(0, 5, True), (3, 2, True), (5, 0, False)])
def test_what_could_not_be_compared_is_counted_and_passes_only_beside_what_could(
    world: World, strange: int, known: int, passes: bool
) -> None:
    ok, told = _losses(world, strange, known)
    assert ok is passes
    assert (f"{strange} of its 5 points could not be compared" in told) is bool(strange)


def test_a_picture_that_is_found_today_and_lacks_here_is_lost_also_beside_what_cannot_be_compared(world: World) -> None:
    world.store.delete(NAME, [1])
    vector = world.point(2).vector
    assert vector is not None
    world.store.create(SERVED, CollectionSpec(world.model.card.dimension))
    world.store.upsert(SERVED, [Point(each, vector, {}) for each in (1, 9_000)])
    plan = replace(world.plan(), replaces=SERVED).as_json()
    run = world.finish(world._submit("verify", plan, world.catalog.count(), writes=False))
    assert run.result is not None, run.reason
    assert run.result["losses"] == 1
