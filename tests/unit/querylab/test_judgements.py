"""What judges say is added and never changed; what they are shown tells nothing of who found it."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from console_core.database import Database
from console_core.errors import NotFound, Refused
from console_core.querylab.judgements import Evaluation, Judgements, Queued, Scale, Wanted, combined, upcoming
from console_core.querylab.pool import is_alike, pool, pools

QUEUE = (Queued("q1"), Queued("q2", 0.25))
POOLS = {"q1": ("b", "a"), "q2": ("c",)}


@pytest.fixture
def records(database: Database) -> Judgements:
    return Judgements(database)


@pytest.fixture
def evaluation(records: Judgements) -> Evaluation:
    return records.begin(Wanted("s-1", (0, 1), QUEUE, protocol={"margin": 0.05}), by="ann")


def test_an_evaluation_keeps_what_was_locked_before_the_first_judgement(
    records: Judgements, evaluation: Evaluation
) -> None:
    assert records.get(evaluation.id) == evaluation
    assert (evaluation.queue, evaluation.protocol, evaluation.columns) == (QUEUE, {"margin": 0.05}, (0, 1))
    assert records.all(snapshot="s-1") == [evaluation]
    assert records.all(snapshot="s-2") == []
    with pytest.raises(NotFound):
        records.get("e-none")


def test_a_judge_is_led_through_the_queue_and_goes_on_where_they_left(
    records: Judgements, evaluation: Evaluation
) -> None:
    seen = []
    while (next_one := upcoming(evaluation, POOLS, records.of(evaluation.id, "ann"))) is not None:
        seen.append(next_one)
        records.judge(evaluation, *next_one, 2, by="ann")
    assert seen == [("q1", "b"), ("q1", "a"), ("q2", "c")]
    assert upcoming(evaluation, POOLS, records.of(evaluation.id, "ben")) == ("q1", "b")


def test_a_judgement_is_taken_back_one_at_a_time_and_the_picture_comes_again(
    records: Judgements, evaluation: Evaluation
) -> None:
    records.judge(evaluation, "q1", "b", 3, by="ann")
    records.judge(evaluation, "q1", "a", 0, by="ann")
    records.judge(evaluation, "q1", "b", 1, by="ben")
    undone = records.undo(evaluation, by="ann")
    assert undone is not None
    assert (undone.key, undone.grade) == ("a", 0)
    assert upcoming(evaluation, POOLS, records.of(evaluation.id, "ann")) == ("q1", "a")
    records.undo(evaluation, by="ann")
    assert records.undo(evaluation, by="ann") is None
    assert [one.judge for one in records.of(evaluation.id)] == ["ben"]
    assert records.count(evaluation.id) == 5


def test_the_newest_word_on_a_picture_counts_and_of_several_judges_the_lower_median(
    records: Judgements, evaluation: Evaluation
) -> None:
    for judge, grade in (("ann", 0), ("ann", 3), ("ben", 2)):
        records.judge(evaluation, "q1", "a", grade, by=judge)
    assert combined(records.of(evaluation.id)) == {"q1": {"a": 2}}
    records.judge(evaluation, "q1", "a", 3, by="cid")
    assert combined(records.of(evaluation.id)) == {"q1": {"a": 3}}


def test_after_the_reveal_nothing_is_judged_or_taken_back(records: Judgements, evaluation: Evaluation) -> None:
    records.judge(evaluation, "q1", "a", 3, by="ann")
    revealed = records.reveal(evaluation.id)
    assert revealed.revealed_at == records.reveal(evaluation.id).revealed_at is not None
    with pytest.raises(Refused, match="revealed"):
        records.judge(evaluation, "q1", "b", 3, by="ann")
    with pytest.raises(Refused, match="revealed"):
        records.undo(evaluation, by="ann")


@pytest.mark.parametrize(("query", "grade"), [("q1", 4), ("q1", -1), ("q3", 1)])
def test_what_is_no_grade_or_not_judged_here_is_refused(
    records: Judgements, evaluation: Evaluation, query: str, grade: int
) -> None:
    with pytest.raises(Refused):
        records.judge(evaluation, query, "a", grade, by="ann")
    assert records.of(evaluation.id) == []


def test_an_evaluation_of_one_column_or_of_nothing_is_refused(records: Judgements) -> None:
    for columns, queue in (((0, 0), QUEUE), ((0, 1), ())):
        with pytest.raises(Refused):
            records.begin(Wanted("s-1", columns, queue, Scale.YES_NO), by="ann")


def test_judges_at_once_lose_no_word(records: Judgements, evaluation: Evaluation) -> None:
    def judge(name: str) -> None:
        for number in range(25):
            records.judge(evaluation, "q1", f"picture {number}", number % 4, by=name)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(judge, ["ann", "ben", "cid", "dot"]))
    assert len(records.of(evaluation.id)) == 100


def test_a_pool_is_what_any_column_found_the_same_for_everybody_and_in_an_order_that_tells_no_rank() -> None:
    draw, correlations = random.Random(3), []
    for number in range(1000):
        keys = [f"k{place}" for place in draw.sample(range(500), 15)]
        one, other = keys[:10], draw.sample(keys[5:], 10)
        found = pool([one, other], k=10, seed=7, query=f"q{number}")
        assert set(found) == {*one, *other}
        assert found == pool([other, one], k=10, seed=7, query=f"q{number}")
        places = [found.index(key) for key in one]
        correlations.append(np.corrcoef(places, range(10))[0, 1])
    assert abs(float(np.mean(correlations))) < 0.1
    assert pool([one], k=3, seed=7, query="q")[:] == tuple(pool([one[:3]], k=3, seed=7, query="q"))


def test_queries_that_a_column_could_not_answer_have_no_pool_and_those_answered_alike_need_no_label() -> None:
    columns = [{"q1": ["a", "b"], "q2": ["a", "b"]}, {"q1": ["b", "a"]}]
    assert set(pools(columns, ["q1", "q2"], k=2, seed=1)) == {"q1"}
    assert is_alike([["a", "b", "c"], ["a", "b", "d"]], k=2)
    assert not is_alike([["a", "b"], ["b", "a"]], k=2)
