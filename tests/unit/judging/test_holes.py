"""Unjudged pictures: how many on which side, and bounds that equal those of every possible grading."""

import random
from itertools import product

import pytest

from console_core.judging.holes import bounds, judged_of, stakes
from console_core.judging.metrics import scores
from console_core.judging.protocol import Gain, Metric, Protocol, Scale


def test_judged_counts_every_answer_and_apart_those_that_only_one_column_shows() -> None:
    a = {"q": ["s", "t", "x", "y"], "r": ["u", "v"]}
    b = {"q": ["s", "t", "n", "m"], "r": ["v", "u"]}
    grades = {"q": {"s": 1, "t": 0, "x": 2, "y": 0}, "r": {"u": 1}}
    of_a, of_b = (judged_of(first, second, grades, a, 4) for first, second in ((a, b), (b, a)))
    assert (of_a.at_k, of_a.own, of_a.missing) == (0.75, 1, 1)
    assert (of_b.at_k, of_b.own, of_b.missing) == (0.5, 0, 3)


def test_where_no_query_is_asked_nothing_is_missing() -> None:
    found = judged_of({}, {}, {}, [], 10)
    assert (found.at_k, found.own, found.missing) == (1, 1, 0)


def brute(a: list[str], b: list[str], given: dict[str, int], protocol: Protocol) -> tuple[float, float]:
    """The least and most of B − A over every grading of what is unjudged."""
    unjudged = sorted({*a, *b} - given.keys())
    ways = list(product(range(protocol.highest + 1), repeat=len(unjudged)))
    grades = {str(way): given | dict(zip(unjudged, ways[way], strict=True)) for way in range(len(ways))}
    of_a, of_b = (scores(dict.fromkeys(grades, ranking), grades, protocol) for ranking in (a, b))
    found = [of_b[way].of(protocol.metric) - of_a[way].of(protocol.metric) for way in grades]
    return min(found), max(found)


@pytest.mark.parametrize("scale", ["graded", "yes/no"])
@pytest.mark.parametrize("metric", ["nDCG", "P", "RR", "Recall"])
def test_bounds_are_those_of_every_possible_grading(metric: Metric, scale: Scale) -> None:
    chance = random.Random(f"{metric} {scale}")
    for _ in range(15):
        relevant = chance.randint(1, 1 if scale == "yes/no" else 3)
        gain = chance.choice(("linear", "exponential"))
        protocol = Protocol(metric=metric, k=4, scale=scale, relevant=relevant, gain=gain)  # type: ignore[arg-type]
        a, b = (chance.sample("abcdefg", chance.randint(1, 4)) for _ in range(2))
        pool = sorted({*a, *b})
        open_ = set(chance.sample(pool, min(len(pool), chance.randint(0, 4))))
        given = {key: chance.randint(0, protocol.highest) for key in (*pool, "other", "more") if key not in open_}
        assert bounds(a, b, given, protocol) == pytest.approx(brute(a, b, given, protocol), abs=1e-9)


@pytest.mark.parametrize("gain", ["linear", "exponential"])
@pytest.mark.parametrize("metric", ["nDCG", "P", "RR", "Recall"])
def test_stakes_are_as_far_as_the_bounds_of_two_rankings_without_a_grade(metric: Metric, gain: Gain) -> None:
    chance = random.Random(f"{metric} {gain}")
    for _ in range(40):
        protocol = Protocol(metric=metric, k=6, gain=gain, relevant=chance.randint(1, 3))
        a, b = (chance.sample("abcdefghijk", chance.randint(0, 8)) for _ in range(2))
        low, high = bounds(a, b, {}, protocol)
        assert stakes(a, b, protocol) == pytest.approx(max(-low, high), abs=1e-12)
    assert stakes(["a", "b"], ["a", "b"], Protocol(metric=metric)) == 0
    assert stakes([], ["a"], Protocol(metric=metric, k=1)) == 1


def test_where_all_is_judged_both_bounds_are_the_difference() -> None:
    a, b, given = ["x", "y"], ["y", "z"], {"x": 3, "y": 1, "z": 0}
    protocol = Protocol(k=2)
    found = scores({"a": a, "b": b}, {"a": given, "b": given}, protocol)
    assert bounds(a, b, given, protocol) == pytest.approx([found["b"].ndcg - found["a"].ndcg] * 2)


def test_with_too_many_ways_to_grade_the_bounds_are_the_widest() -> None:
    a, b = [f"a{number}" for number in range(50)], [f"b{number}" for number in range(50)]
    assert bounds(a, b, {}, Protocol(k=50)) == (-1, 1)
    assert bounds(a, b, {}, Protocol(metric="P", k=50)) == (-1, 1)
    assert bounds(a[:3], b[:3], {}, Protocol(metric="P", k=50)) == pytest.approx((-0.06, 0.06))
