"""The agreement board: every number is that of the side-by-side view, sorted so that what changed most comes first."""

import random

import pytest

from console_core.judging.board import STATEMENT, board, margin
from console_core.querylab.rankings import Query
from console_core.querylab.shifts import agreement

QUERIES = [
    Query("alike", "a dog", tags=("dogs",)),
    Query("apart", "a cat", tags=("cats", "pets")),
    Query("moved", "a cow"),
]
A = {"alike": ["1", "2", "3"], "apart": ["1", "2", "3"], "moved": ["1", "2", "3"]}
B = {"alike": ["1", "2", "9"], "apart": ["7", "8", "9"], "moved": ["2", "1", "3"]}


def test_the_most_changed_query_comes_first_and_each_has_the_numbers_of_its_two_lists() -> None:
    found = board(QUERIES, A, B, k=2, p=0.8)
    assert [row.query.id for row in found.rows] == ["apart", "moved", "alike"]
    for row in found.rows:
        assert row.agreement == agreement(A[row.query.id], B[row.query.id], k=2, p=0.8)
    assert [row.identical for row in found.rows] == [False, False, True]
    assert (found.k, found.p, found.statement) == (2, 0.8, STATEMENT)
    assert "not which are better" in STATEMENT


def test_tags_and_the_total_are_means_of_their_queries() -> None:
    queries = [Query(f"q{number}", tags=("even",) if number % 2 == 0 else ("odd", "odd")) for number in range(40)]
    chance = random.Random(1)
    a, b = ({query.id: [str(key) for key in chance.sample(range(12), 8)] for query in queries} for _ in range(2))
    found = board(queries, a, b, k=8)
    assert found.total is not None
    assert found.total.queries == 40
    assert {tag.name: tag.queries for tag in found.tags} == {"even": 20, "odd": 20}
    assert [tag.rbo for tag in found.tags] == sorted(tag.rbo for tag in found.tags)
    for name in ("overlap", "jaccard", "rbo"):
        of_all = [getattr(row.agreement, name) for row in found.rows]
        assert getattr(found.total, name) == pytest.approx(sum(of_all) / 40)
        assert getattr(found.total, name) == pytest.approx(sum(getattr(tag, name) for tag in found.tags) / 2)


def test_a_query_that_a_column_did_not_answer_is_named_and_in_no_number() -> None:
    found = board([*QUERIES, Query("new", tags=("new",))], A, B | {"new": ["1"]}, k=3)
    assert found.lacking == ("new",)
    assert found.total == board(QUERIES, A, B, k=3).total
    assert board(QUERIES, {}, B, k=3).total is None


def test_margins_stay_with_their_column() -> None:
    found = board(QUERIES, A, B, k=3, margins_a={"alike": 0.1, "apart": 0.2}, margins_b={"alike": 9.0})
    rows = {row.query.id: (row.margin_a, row.margin_b) for row in found.rows}
    assert rows == {"alike": (0.1, 9.0), "apart": (0.2, None), "moved": (None, None)}
    assert found.total is not None
    assert found.total.margin_a == pytest.approx(0.15)
    assert found.total.margin_b == 9.0
    assert {tag.name: tag.margin_b for tag in found.tags} == {"dogs": 9.0, "cats": None, "pets": None}


def test_the_margin_is_the_best_score_less_the_median() -> None:
    assert margin([0.1, 0.9, 0.3, 0.2]) == pytest.approx(0.65)
    assert margin([0.4]) == 0
    assert margin([]) is None


def test_queries_that_changed_as_much_keep_one_order() -> None:
    queries = [Query(f"q{number}") for number in (3, 1, 2)]
    alike = {query.id: ["1"] for query in queries}
    assert [row.query.id for row in board(queries, alike, alike, k=1).rows] == ["q1", "q2", "q3"]
