"""Rank shifts and agreement: rank arithmetic, hand-computed values, and laws that hold for any two rankings."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures.providers import compat_provider

from console_core.querylab.shifts import (
    Shift,
    agreement,
    jaccard_at,
    overlap_at,
    persistence_meaning,
    rank_biased_overlap,
    shifts,
    weight_of_first,
)

rankings = st.lists(st.sampled_from("abcdefghijklmnop"), unique=True, max_size=12)
persistences = st.floats(0.05, 0.99)


def test_shifts_say_same_up_down_new_and_gone() -> None:
    found = shifts(["a", "b", "c", "d"], ["a", "d", "b", "x"])
    assert found.hits == (Shift("same"), Shift("up", 2), Shift("down", 1), Shift("new"))
    assert found.gone == ("c",)


def test_every_shift_is_rank_arithmetic_on_a_thousand_random_pairs() -> None:
    chance = random.Random(7)
    for _ in range(1000):
        reference = chance.sample(range(30), chance.randint(0, 20))
        ranking = chance.sample(range(30), chance.randint(0, 20))
        before, after = [str(key) for key in reference], [str(key) for key in ranking]
        found = shifts(before, after)
        signs = {"same": 0, "up": -1, "down": 1}
        for place, (key, shift) in enumerate(zip(after, found.hits, strict=True)):
            if shift.kind == "new":
                assert key not in before
            else:
                assert place == before.index(key) + signs[shift.kind] * shift.places
                assert (shift.places == 0) == (shift.kind == "same")
        assert list(found.gone) == [key for key in before if key not in after]


@pytest.mark.parametrize(
    ("a", "b", "p", "expected"),
    [
        ("abc", "acb", 0.9, (1 + 0.9 / 2 + 0.81) / (1 + 0.9 + 0.81)),
        ("ab", "ba", 0.5, 1 / 3),  # (0 + ½·1) / 1.5
        ("abcd", "efgh", 0.9, 0.0),
        ("a", "ba", 0.5, 1 / 6),  # lists of unlike length: (0 + ½·½) / 1.5
        ("a", "ab", 0.5, 5 / 6),  # the shorter list has no more in common: (1 + ½·½) / 1.5
        ("ab", "acd", 0.5, (1 + 1 / 4 + 1 / 12) / 1.75),
    ],
)
def test_rank_biased_overlap_equals_values_computed_by_hand(a: str, b: str, p: float, expected: float) -> None:
    assert rank_biased_overlap(list(a), list(b), p=p) == pytest.approx(expected, abs=1e-12)


def test_it_is_the_rank_biased_overlap_of_ir_measures_for_any_two_lists() -> None:
    chance = random.Random(3)
    for alike in (True, False):
        for _ in range(300):
            first = chance.randint(1, 30)
            second = first if alike else chance.randint(1, 30)
            a, b = ([str(key) for key in chance.sample(range(40), length)] for length in (first, second))
            p = chance.uniform(0.1, 0.99)
            expected = compat_provider.rbo(a, b, p, max(first, second))
            assert rank_biased_overlap(a, b, p=p) == pytest.approx(expected, abs=1e-9)


@given(rankings, rankings, persistences)
def test_every_measure_is_symmetric_and_between_0_and_1(a: list[str], b: list[str], p: float) -> None:
    for forth, back in (
        (rank_biased_overlap(a, b, p=p), rank_biased_overlap(b, a, p=p)),
        (overlap_at(a, b, 5), overlap_at(b, a, 5)),
        (jaccard_at(a, b, 5), jaccard_at(b, a, 5)),
    ):
        assert forth == pytest.approx(back, abs=1e-12)
        assert 0 <= forth <= 1


@given(rankings, persistences)
def test_a_ranking_agrees_wholly_with_itself_and_not_at_all_with_another_world(a: list[str], p: float) -> None:
    assert rank_biased_overlap(a, a, p=p) == pytest.approx(1, abs=1e-9)
    assert overlap_at(a, a, 10) == jaccard_at(a, a, 10) == 1
    if a:
        elsewhere = [key.upper() for key in a]
        assert (
            rank_biased_overlap(a, elsewhere, p=p) == overlap_at(a, elsewhere, 10) == jaccard_at(a, elsewhere, 10) == 0
        )


@given(rankings.filter(lambda ranking: len(ranking) >= 4), persistences)
def test_a_swap_at_the_top_costs_more_than_one_at_the_bottom(a: list[str], p: float) -> None:
    top = [a[1], a[0], *a[2:]]
    bottom = [*a[:-2], a[-1], a[-2]]
    assert rank_biased_overlap(a, top, p=p) < rank_biased_overlap(a, bottom, p=p)


@pytest.mark.parametrize("p", [0, 1, -0.1, 1.5])
def test_a_p_that_is_not_rank_biased_overlap_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_biased_overlap(["a"], ["a"], p=p)


@pytest.mark.parametrize("p", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("k", [1, 2, 10, 50])
def test_the_weight_of_the_first_ranks_is_what_all_depths_from_theirs_on_give_them(k: int, p: float) -> None:
    of_rank = [sum((1 - p) * p ** (depth - 1) / depth for depth in range(rank, 2000)) for rank in range(1, k + 1)]
    assert weight_of_first(k, p) == pytest.approx(sum(of_rank), abs=1e-9)


def test_what_p_means_is_said_as_its_authors_say_it() -> None:
    assert weight_of_first(10, 0.9) == pytest.approx(0.8556, abs=5e-5)
    said = persistence_meaning(10, 0.9)
    assert "10 places on average" in said
    assert "the first 10 carry 86% of the weight" in said
    assert "20 places on average: in endless lists the first carries" in persistence_meaning(1, 0.95)


def test_overlap_and_jaccard_count_only_the_first_k() -> None:
    assert overlap_at(list("abcd"), list("axyb"), 2) == 0.5
    assert jaccard_at(list("abcd"), list("axyb"), 2) == pytest.approx(1 / 3)
    assert overlap_at(list("abcd"), list("axyb"), 4) == 0.5


def test_a_short_answer_of_a_small_collection_is_not_punished_twice() -> None:
    assert overlap_at(["a", "b"], ["b", "a"], 10) == 1
    assert overlap_at(["a", "b"], ["b"], 10) == 0.5


def test_a_picture_that_comes_twice_counts_at_its_first_place() -> None:
    assert rank_biased_overlap(["a", "a", "b"], ["a", "b"]) == pytest.approx(1)
    assert shifts(["a", "a", "b"], ["b"]).hits == (Shift("up", 2),)


def test_agreement_names_its_depth_and_persistence() -> None:
    found = agreement(list("abcdef"), list("abcxyz"), k=3)
    assert (found.k, found.p, found.overlap, found.jaccard) == (3, 0.9, 1, 1)
    assert found.rbo == pytest.approx(1)
