# ruff: noqa: T201
"""A sample is uniform, as large as its promise demands, and finds wrong vectors as often as it says."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt
from pathlib import Path

import pytest

from console_core.catalog.sampling import SIZE, KeySample, found_with
from console_core.runs.types import Counts
from tests.unit.differences.dict_store import DictStore
from tests.unit.differences.world import NAME, World

POINTS = 200
SEEDS = 300


@pytest.fixture(name="small")
def _small(tmp_path: Path) -> Iterator[World]:
    world = World.build(tmp_path, DictStore(), POINTS)
    world.full = False
    yield world
    world.close()


def test_the_sample_is_as_large_as_one_percent_found_with_ninety_nine_demands() -> None:
    assert SIZE == 459
    assert (1 - 0.01) ** SIZE <= 0.01 < (1 - 0.01) ** (SIZE - 1)
    assert found_with(SIZE, 50_000) >= 0.99


@pytest.mark.parametrize(
    ("drawn", "of", "probability"),
    [(459, 459, 1.0), (0, 100, 0.0), (10, 100, 0.1), (50, 200, 1 - 150 * 149 / (200 * 199)), (5, 0, 0.0)],
)
def test_the_stated_probability_is_that_of_drawing_without_replacement(drawn: int, of: int, probability: float) -> None:
    assert found_with(drawn, of) == pytest.approx(probability)


def test_every_key_is_drawn_equally_often_and_none_twice() -> None:
    keys = [str(key) for key in range(50)]
    drawn = Counter[str]()
    for seed in range(2_000):
        sample = KeySample(f"r-{seed}", 10)
        sample.offer(keys)
        assert len(set(sample.keys())) == 10
        drawn.update(sample.keys())
    sigma = sqrt(2_000 * 0.2 * 0.8)
    assert all(abs(drawn[key] - 400) < 4.5 * sigma for key in keys)


def test_an_interrupted_draw_is_the_same_as_one_at_a_stretch() -> None:
    keys = [f"picture {key}" for key in range(500)]
    whole, first = KeySample("r-1", 20), KeySample("r-1", 20)
    whole.offer(keys)
    first.offer(keys[:200])
    second = KeySample("r-1", 20, first.as_json())
    second.offer(keys[200:])
    assert second.keys() == whole.keys()


@pytest.mark.parametrize("sample", [20, 60])
def test_wrong_vectors_are_found_at_the_stated_probability(small: World, sample: int) -> None:
    small.sample = sample
    for key in (41, 142):  # 1 % of them
        small.write(key, vector=small.point(key + 1).vector)
    found = 0
    for seed in range(SEEDS):
        *_, last = small.verifying(small.plan(), f"seed-{seed}").steps("", Counts())
        assert last.result is not None
        stated = float(last.result["sample"]["probability"])
        assert last.result["sample"]["size"] == sample
        found += last.result["verdict"] == "red"
        assert (last.result["verdict"] == "red") == (last.result["differences"]["wrong vector"] > 0)
    sigma = sqrt(stated * (1 - stated) / SEEDS)
    print(
        f"{sample} of {POINTS} embedded again, seeds 0 to {SEEDS - 1}: found in {found / SEEDS:.1%} of them, "
        f"stated {stated:.1%} (3 sigma: {3 * sigma:.1%})"
    )
    assert found / SEEDS >= stated - 3 * sigma
    assert small.store.count(NAME) == POINTS
