"""The order of blind votes tells nothing of the columns, and nobody votes twice on the same two lists."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from console_core.judging import wording
from console_core.judging.ballots import ballots
from console_core.judging.desk import Desk, Duel
from console_core.judging.judgements import TIE, CountedVote, Evaluation
from console_core.judging.protocol import Protocol
from console_core.querylab.rankings import Query, Rankings

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def desk_of(answers: Sequence[str], *, columns: int = 3, seed: int = 0) -> Desk:
    """For each query the letter of each column's list: "abb" is two columns that answer alike."""
    places = tuple(range(3, 3 + columns))
    evaluation = Evaluation("e", "s", "votes", places, Protocol(k=1, seed=seed), "", "olga", NOW)
    queries = [Query(f"q{number:03}", f"question {number}") for number in range(len(answers))]
    rankings: list[Rankings] = [
        {query.id: [f"{query.id} {shown[place]}"] for query, shown in zip(queries, answers, strict=True)}
        for place in range(columns)
    ]
    return Desk(evaluation, queries, rankings)


def vote_of(duel: Duel, winner: int, judge: str = "ann") -> CountedVote:
    return CountedVote(0, duel.query.id, judge, duel.left, duel.right, winner, NOW)


def voted_by(desk: Desk, judge: str) -> list[Duel]:
    """All duels of a judge, in their order."""
    given: list[CountedVote] = []
    found = []
    while (duel := desk.next_duel(given, judge)) is not None:
        found.append(duel)
        given.append(vote_of(duel, TIE, judge))
    return found


def test_the_list_that_two_duels_of_a_question_share_is_that_of_each_column_about_equally_often() -> None:
    shared: Counter[int] = Counter()
    for seed in range(20):
        for judge in ("ann", "ben", "cid"):
            of: dict[str, list[Duel]] = {}
            for duel in voted_by(desk_of(["abc"] * 10, seed=seed), judge):
                of.setdefault(duel.query.id, []).append(duel)
            assert {len(some) for some in of.values()} == {3}
            for some in of.values():
                for one, other in pairwise(some):
                    (both,) = {one.left, one.right} & {other.left, other.right}
                    shared[both] += 1
    assert shared.total() == 1200
    assert all(340 < shared[column] < 460 for column in (3, 4, 5))


def test_a_question_comes_twice_in_a_row_only_where_no_order_avoids_it() -> None:
    for seed in range(20):
        asked = [duel.query.id for duel in voted_by(desk_of(["abc", *["abb"] * 2, "abc"], seed=seed), "ann")]
        assert len(asked) == 8
        assert all(one != other for one, other in pairwise(asked))
    asked = [duel.query.id for duel in voted_by(desk_of(["abc", "abb"]), "ann")]
    assert asked == ["q000", "q001", "q000", "q000"]


def test_every_judge_has_an_order_of_their_own_and_keeps_it() -> None:
    desk = desk_of(["abc"] * 10)
    ann, ben = (voted_by(desk, judge) for judge in ("ann", "ben"))
    assert voted_by(desk_of(["abc"] * 10), "ann") == ann
    assert ann != ben
    assert {(one.query.id, *sorted((one.left, one.right))) for one in ann} == {
        (one.query.id, *sorted((one.left, one.right))) for one in ben
    }
    assert len({duel.query.id for duel in ann[:10]}) == 10
    assert [duel.query.id for duel in ann[:10]] != sorted(desk.queries)


@pytest.mark.parametrize(("shown", "duels"), [("abb", 1), ("aab", 1), ("aba", 1), ("abc", 3), ("aaa", 0)])
def test_lists_that_two_columns_share_are_voted_on_once(shown: str, duels: int) -> None:
    desk = desk_of([shown, "abc"])
    seen = [duel for duel in voted_by(desk, "ann") if duel.query.id == "q000"]
    assert len(seen) == duels
    assert len({frozenset(map(tuple, duel.lists)) for duel in seen}) == duels
    assert desk.voted([]).of == duels + 3


def test_the_one_vote_counts_for_all_pairs_of_columns_with_these_lists() -> None:
    desk = desk_of(["aabb"] * 12, columns=4)
    given = [vote_of(duel, max(duel.left, duel.right)) for duel in voted_by(desk, "ann")]
    assert (desk.voted(given).judged, desk.voted(given).of, len(given)) == (12, 12, 12)
    found = {(pair.x, pair.y): pair for pair in ballots(desk, given, "ABCD", intact=True).pairs}
    for apart in (("A", "C"), ("A", "D"), ("B", "C"), ("B", "D")):
        told = found[apart].preference
        assert told is not None
        assert (told.a, told.b, told.ties) == (0, 12, 0)
    for alike in (("A", "B"), ("C", "D")):
        pair, said = found[alike], f"{alike[0]} and {alike[1]} answered every drawn question alike"
        assert (pair.asked, pair.both, pair.finding) == (0, 12, "alike")
        assert pair.text == f"{said}. There is nothing to vote on."
        assert wording.preferred(pair.finding, pair.x, pair.y) == said
    ties = ballots(desk, [vote_of(duel, TIE) for duel in voted_by(desk, "ann")], "ABCD", intact=True).pairs
    assert {pair.preference.ties for pair in ties if pair.preference and pair.asked} == {12}


def test_of_two_votes_of_a_judge_on_the_same_lists_the_later_counts_and_they_are_one() -> None:
    desk = desk_of(["abb"] * 12)
    old = [CountedVote(1, query, "ann", 3, 4, 3, NOW) for query in desk.queries]
    new = [CountedVote(2, query, "ann", 5, 3, 5, NOW) for query in desk.queries]
    assert (desk.voted([*old, *new]).judged, desk.voted([*old, *new]).of) == (12, 12)
    first, second, _ = ballots(desk, [*old, *new], "ABC", intact=True).pairs
    for pair in (first, second):
        assert pair.preference is not None
        assert (pair.preference.a, pair.preference.b) == (0, 12)


def test_of_columns_that_answered_nothing_in_common_it_is_not_said_that_they_answered_alike() -> None:
    whole = desk_of(["abc"] * 12)
    columns = [whole.columns[0], *({query: column[query] for query in some} for column, some in halves(whole))]
    desk = Desk(whole.evaluation, list(whole.queries.values()), columns)
    given = [vote_of(duel, TIE) for duel in voted_by(desk, "ann")]
    pair = ballots(desk, given, "ABC", intact=True).pairs[2]
    assert (pair.both, pair.finding) == (0, "unanswered")
    assert pair.text == "No drawn question was answered by both B and C. There is nothing to vote on."
    assert ballots(desk, given, "ABC", intact=False).pairs[2].finding == "withheld"


def halves(desk: Desk) -> list[tuple[Rankings, list[str]]]:
    """Its second and third column, the one with the first half of the queries, the other with the rest."""
    queries = list(desk.queries)
    return [(desk.columns[1], queries[:6]), (desk.columns[2], queries[6:])]
