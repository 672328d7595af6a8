"""Blind votes: balanced sides, exact tests, a leaderboard that is evalica's, and whether judges agree."""

import random
from collections.abc import Mapping
from itertools import pairwise

import evalica
import pandas as pd
import pytest
from scipy import stats

from console_core.judging.judges import judges_agreement
from console_core.judging.leaderboard import leaderboard
from console_core.judging.votes import Vote, by_query, corrected, preference, swapped

QUERIES = [f"q{number}" for number in range(1000)]


def votes(a: int, b: int, ties: int = 0) -> list[Vote]:
    winners = ["A"] * a + ["B"] * b + [""] * ties
    return [Vote(f"q{number}", "judge", "A", "B", winner) for number, winner in enumerate(winners)]


@pytest.mark.parametrize("judge", ["ann", "bob", "größe \ud800"])
def test_sides_are_swapped_for_half_of_a_thousand_queries_in_no_order_that_one_could_learn(judge: str) -> None:
    sides = swapped(QUERIES, judge, 5)
    assert 470 <= sum(sides.values()) <= 530
    row = [sides[query] for query in sorted(QUERIES)]
    runs = 1 + sum(left != right for left, right in pairwise(row))
    assert 420 <= runs <= 580
    assert 200 <= sum(row[:500]) <= 300


def test_sides_are_the_same_for_a_judge_and_seed_and_others_for_another() -> None:
    sides = swapped(QUERIES, "ann", 5)
    assert swapped(QUERIES[::-1], "ann", 5) == sides
    for other in (swapped(QUERIES, "bob", 5), swapped(QUERIES, "ann", 6)):
        assert 400 <= sum(other[query] != sides[query] for query in QUERIES) <= 600
    assert {swapped(["q"], "ann", seed)["q"] for seed in range(20)} == {True, False}
    assert swapped([], "ann", 5) == {}


def test_what_looks_decisive_is_not_and_ties_are_no_evidence() -> None:
    """32 to 18 with 10 ties: p = 0.065 two-sided."""
    found = preference(votes(18, 32, 10), "A", "B")
    assert (found.a, found.b, found.ties, found.queries, found.finding) == (18, 32, 10, 60, "not told apart")
    assert found.p == pytest.approx(0.0649, abs=1e-4)
    assert preference(votes(18, 32), "A", "B").p == found.p
    wilson = stats.binomtest(32, 50).proportion_ci(method="wilson")
    assert (found.lower, found.upper) == pytest.approx((wilson.low, wilson.high))
    assert found.share == 0.64


def test_a_clear_preference_is_found_on_either_side() -> None:
    assert preference(votes(10, 40), "A", "B").finding == "B"
    assert preference(votes(10, 40), "B", "A").finding == "A"
    assert preference(votes(40, 10), "A", "B").finding == "A"


def test_a_p_that_is_corrected_for_other_pairs_can_take_a_finding_back() -> None:
    found = preference(votes(12, 28), "A", "B")
    assert (found.finding, found.adjusted) == ("B", found.p)
    taken = corrected(found, 6 * found.p)
    assert (taken.finding, taken.p, taken.adjusted) == ("not told apart", found.p, 6 * found.p)
    assert corrected(taken, found.p) == found


def test_without_a_winner_nothing_is_known() -> None:
    found = preference(votes(0, 0, 5), "A", "B")
    assert (found.share, found.lower, found.upper, found.p, found.finding) == (None, 0, 1, 1, "not told apart")
    assert preference([], "A", "B").queries == 0


def test_equal_lists_are_preferred_about_as_often_and_hardly_ever_told_apart() -> None:
    chance = random.Random(1)
    wins = [sum(chance.random() < 0.5 for _ in range(100)) for _ in range(100)]
    found = [preference(votes(won, 100 - won), "A", "B") for won in wins]
    assert sum(each.finding != "not told apart" for each in found) <= 8


def test_several_judges_of_one_query_are_one_voice() -> None:
    said = [Vote("q", judge, "A", "B", winner) for judge, winner in (("x", "A"), ("y", "A"), ("z", "B"))]
    assert by_query(said) == {("q", "A", "B"): "A"}
    assert by_query([*said, Vote("q", "w", "B", "A", "B")]) == {("q", "A", "B"): ""}
    assert by_query([*said, Vote("q", "x", "A", "B", "")]) == {("q", "A", "B"): ""}
    assert by_query([*said, Vote("q", "x", "B", "A", "B")]) == {("q", "A", "B"): "B"}


@pytest.mark.parametrize(("x", "y", "winner"), [("A", "A", "A"), ("A", "B", "C")])
def test_a_vote_that_nobody_could_cast_is_refused(x: str, y: str, winner: str) -> None:
    with pytest.raises(ValueError, match="cannot win"):
        Vote("q", "judge", x, y, winner)


def tournament(strengths: Mapping[str, float], queries: int, seed: int = 0) -> list[Vote]:
    chance = random.Random(seed)
    names = sorted(strengths)
    said = []
    for query in range(queries):
        for place, x in enumerate(names):
            for y in names[place + 1 :]:
                won = x if chance.random() < strengths[x] / (strengths[x] + strengths[y]) else y
                said.append(Vote(f"q{query}", "judge", x, y, "" if chance.random() < 0.1 else won))
    return said


def test_the_leaderboard_has_the_strengths_of_evalica() -> None:
    said = tournament({"clip": 1, "dino": 0.5, "siglip": 2}, 60)
    found = leaderboard(said, ["clip", "dino", "siglip"], seed=1, resamples=50)
    outcomes = [
        {"": evalica.Winner.Draw, vote.x: evalica.Winner.X, vote.y: evalica.Winner.Y}[vote.winner] for vote in said
    ]
    expected = evalica.bradley_terry([vote.x for vote in said], [vote.y for vote in said], outcomes, limit=1000)
    assert [each.name for each in found.standings] == ["siglip", "clip", "dino"]
    for each in found.standings:
        assert each.strength == pytest.approx(expected.scores[each.name], rel=1e-4)
        assert each.lower is not None
        assert each.upper is not None
        assert each.lower < each.strength < each.upper
        assert each.wins + each.losses + each.ties == 120
    assert [each.rank for each in found.standings] == [1, 2, 3]


def test_its_bounds_are_the_same_for_a_seed_and_draw_queries_not_votes() -> None:
    """Where all votes of a query agree, a hundred of them say no more than the queries do."""
    said = tournament({"a": 1, "b": 1.3, "c": 0.8}, 40)
    columns = ["a", "b", "c"]
    found = leaderboard(said, columns, seed=1, resamples=60)
    assert leaderboard(said[::-1], columns, seed=1, resamples=60) == found
    assert leaderboard(said, columns, seed=2, resamples=60) != found
    more = [Vote(vote.query, f"judge {number}", vote.x, vote.y, vote.winner) for vote in said for number in range(5)]
    assert leaderboard(more, columns, seed=1, resamples=60) == found


def test_votes_of_a_drawn_queue_count_by_what_their_queries_stand_for() -> None:
    """Nine tenths of all queries are of a kind of which as many were drawn as of the rest."""
    winners = {"rare": "ab", "usual": "ba"}
    said = [
        Vote(f"{kind}{number}", "j", "a", "b", winner[number % 10 == 0])
        for kind, winner in winners.items()
        for number in range(40)
    ]
    whole = [
        Vote(f"{kind}{number}", "j", "a", "b", winner[number % 10 == 0])
        for kind, winner in winners.items()
        for number in range(360 if kind == "usual" else 40)
    ]
    weights = {vote.query: 0.1 / 40 if vote.query.startswith("rare") else 0.9 / 40 for vote in said}
    by_weight = leaderboard(said, ["a", "b"], seed=1, weights=weights, resamples=60)
    alike, truth = (leaderboard(votes, ["a", "b"], seed=1, resamples=60) for votes in (said, whole))
    first = by_weight.standings[0]
    assert (first.name, first.wins, first.losses) == ("b", 40, 40)
    assert first.strength == pytest.approx(truth.standings[0].strength, rel=1e-6)
    assert first.lower is not None
    assert first.lower < first.strength
    assert alike.standings[0].strength == pytest.approx(1)


def test_a_column_that_won_every_vote_has_no_finite_strength_and_the_board_says_so() -> None:
    said = [Vote(f"q{number}", "j", "a", "b", "a") for number in range(9)]
    said += [Vote(f"q{number}", "j", "b", "c", "bc"[number % 2]) for number in range(9)]
    found = leaderboard(said, ["a", "b", "c"], seed=0)
    assert (found.standings, found.queries) == ((), 9)
    assert "More votes are needed" in found.reason
    assert leaderboard([], ["a", "b"], seed=0).reason


def test_where_too_many_draws_of_queries_have_no_finite_strengths_there_are_no_bounds() -> None:
    said = [Vote(f"q{number}", "j", "a", "b", "b" if number == 0 else "a") for number in range(12)]
    found = leaderboard(said, ["a", "b"], seed=0, resamples=60)
    assert [(each.name, each.lower, each.upper) for each in found.standings] == [("a", None, None), ("b", None, None)]
    assert found.standings[0].strength == pytest.approx(11**0.5, rel=1e-3)


def test_alpha_is_krippendorffs_own_example() -> None:
    """Krippendorff (2011), example C: four observers, twelve units, missing values; nominal 0.743, ordinal 0.815."""
    rows = {
        "a": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "b": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "c": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "d": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
    judgments = {
        judge: {"q": {f"unit {place}": grade for place, grade in enumerate(row) if grade is not None}}
        for judge, row in rows.items()
    }
    found = judges_agreement(judgments, "yes/no")
    assert found.alpha == pytest.approx(0.743, abs=1e-3)
    assert (found.judges, found.shared, found.graded) == (4, 11, 12)
    assert judges_agreement(judgments, "graded").alpha == pytest.approx(0.815, abs=1e-3)
    assert evalica.alpha(pd.DataFrame(rows).T, "nominal").alpha == pytest.approx(found.alpha)


def test_the_same_picture_in_two_queries_is_two_things_to_agree_on() -> None:
    ann, bob = {"q": {"x": 1}, "r": {"x": 0}}, {"q": {"x": 1}, "r": {"x": 0}}
    found = judges_agreement({"ann": ann, "bob": bob}, "yes/no")
    assert (found.alpha, found.shared) == (1, 2)


@pytest.mark.parametrize(
    ("judgments", "words"),
    [
        ({}, "Fewer than two judges"),
        ({"ann": {"q": {"x": 1}}, "bob": {"q": {}}}, "Fewer than two judges"),
        ({"ann": {"q": {"x": 1}}, "bob": {"q": {"y": 1}}}, "No picture was graded by two"),
        ({"ann": {"q": {"x": 1, "y": 1}}, "bob": {"q": {"x": 1, "y": 1}}}, "the same grade"),
    ],
)
def test_where_alpha_has_no_value_it_says_why(judgments: dict[str, dict[str, dict[str, int]]], words: str) -> None:
    found = judges_agreement(judgments, "graded")
    assert found.alpha is None
    assert words in found.reason
