"""What judges say is added and never changed; what they are shown tells nothing of who found it."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from console_core.database import Database
from console_core.errors import NotFound, Refused
from console_core.judging.desk import Desk
from console_core.judging.graded import GradedPictures
from console_core.judging.judgements import TIE, Evaluation, Judgements, by_judge, combined
from console_core.judging.pool import pool, pools
from console_core.judging.protocol import Protocol
from console_core.querylab.rankings import Query

PROTOCOL = Protocol(k=2, seed=3)
QUERIES = [Query("q1", "a fox"), Query("q2", "a cat"), Query("q3", "a dog")]
COLUMNS = (
    {"q1": ["a", "b"], "q2": ["c", "d"], "q3": ["a", "b"]},
    {"q1": ["b", "e"], "q2": ["d", "c"], "q3": ["a", "b"]},
)


@pytest.fixture
def records(database: Database) -> Judgements:
    return Judgements(database)


@pytest.fixture
def graded(database: Database) -> GradedPictures:
    return GradedPictures(database)


@pytest.fixture
def evaluation(records: Judgements) -> Evaluation:
    return records.get(records.begin("s-1", (0, 1), PROTOCOL, by="ann"))


@pytest.fixture
def voting(records: Judgements) -> Evaluation:
    return records.get(records.begin("s-1", (0, 1), PROTOCOL, way="votes", by="ann"))


def test_an_evaluation_keeps_what_was_locked_before_the_first_judgement(
    records: Judgements, evaluation: Evaluation
) -> None:
    assert (evaluation.protocol, evaluation.digest, evaluation.columns) == (PROTOCOL, PROTOCOL.digest, (0, 1))
    assert records.all(snapshot="s-1") == [evaluation]
    assert records.all(snapshot="s-2") == []
    with pytest.raises(NotFound):
        records.get("e-none")


def test_a_judge_is_led_through_what_any_column_found_and_goes_on_where_they_left(
    records: Judgements, graded: GradedPictures, evaluation: Evaluation
) -> None:
    desk, seen = Desk(evaluation, QUERIES, COLUMNS), []
    while (task := desk.next_task(graded.of(evaluation.id, "ann"))) is not None:
        seen.append((task.query.id, task.key))
        records.judge(evaluation, task.query.id, task.key, 2, by="ann")
        after = desk.next_task(graded.of(evaluation.id, "ann"))
        assert task.following == (after.key if after else "")
    assert sorted(seen) == [("q1", "a"), ("q1", "b"), ("q1", "e"), ("q2", "c"), ("q2", "d")]
    assert [query for query, _ in seen] == sorted((query for query, _ in seen), key=[q for q, _ in seen].index)
    mine, theirs = (desk.graded(graded.of(evaluation.id, judge)) for judge in ("ann", "ben"))
    assert (mine.judged, mine.of, mine.share, theirs.judged) == (5, 5, 1.0, 0)
    first = desk.next_task(graded.of(evaluation.id, "ben"))
    assert first is not None
    assert (first.query.id, first.key, first.number) == (*seen[0], 1)


def test_a_judgement_is_taken_back_one_at_a_time_and_the_picture_comes_again(
    records: Judgements, graded: GradedPictures, evaluation: Evaluation
) -> None:
    desk = Desk(evaluation, QUERIES, COLUMNS)
    seen = []
    for grade in (3, 0):
        task = desk.next_task(graded.of(evaluation.id, "ann"))
        assert task is not None
        seen.append(task)
        records.judge(evaluation, task.query.id, task.key, grade, by="ann")
    records.judge(evaluation, "q1", "b", 1, by="ben")
    assert records.undo(evaluation, by="ann")
    assert desk.next_task(graded.of(evaluation.id, "ann")) == seen[1]
    assert records.undo(evaluation, by="ann")
    assert not records.undo(evaluation, by="ann")
    assert [one.judge for one in records.of(evaluation.id)] == ["ben"]
    assert records.counted(evaluation.id) == 5


def test_what_a_judge_graded_follows_every_word_and_is_what_all_of_them_say(
    records: Judgements, graded: GradedPictures, database: Database, evaluation: Evaluation
) -> None:
    chance = random.Random(5)
    small = GradedPictures(database, most=4)  # forgets one judge for the other, and reads anew
    for _ in range(120):
        judge = chance.choice(("ann", "ben"))
        if chance.random() < 0.4:
            before = max((one.number for one in records.of(evaluation.id, judge)), default=None)
            assert records.undo(evaluation, by=judge) is (before is not None)
            assert before not in {one.number for one in records.of(evaluation.id, judge)}
        else:
            records.judge(evaluation, chance.choice(("q1", "q2")), chance.choice("abcde"), 1, by=judge)
        told = {(one.query, one.key) for one in records.of(evaluation.id, judge)}
        assert graded.of(evaluation.id, judge) == small.of(evaluation.id, judge) == told
    assert graded.of("e-other", "ann") == graded.of(evaluation.id, "carl") == set()


def test_the_newest_word_on_a_picture_counts_and_of_several_judges_the_lower_median(
    records: Judgements, evaluation: Evaluation
) -> None:
    for judge, grade in (("ann", 0), ("ann", 3), ("ben", 2)):
        records.judge(evaluation, "q1", "a", grade, by=judge)
    assert combined(records.of(evaluation.id)) == {"q1": {"a": 2}}
    records.judge(evaluation, "q1", "a", 3, by="cid")
    assert combined(records.of(evaluation.id)) == {"q1": {"a": 3}}
    assert by_judge(records.of(evaluation.id)) == {
        judge: {"q1": {"a": grade}} for judge, grade in (("ann", 3), ("ben", 2), ("cid", 3))
    }


def test_after_the_reveal_nothing_is_judged_or_taken_back(records: Judgements, evaluation: Evaluation) -> None:
    records.judge(evaluation, "q1", "a", 3, by="ann")
    revealed = records.reveal(evaluation.id, by="ann")
    assert records.reveal(evaluation.id, by="ben") == revealed
    assert revealed.revealed_at is not None
    with pytest.raises(Refused, match="revealed"):
        records.judge(evaluation, "q1", "b", 3, by="ann")
    with pytest.raises(Refused, match="revealed"):
        records.undo(evaluation, by="ann")


@pytest.mark.parametrize("grade", [4, -1, True])
def test_what_is_no_grade_is_refused(records: Judgements, evaluation: Evaluation, grade: int) -> None:
    with pytest.raises(Refused):
        records.judge(evaluation, "q1", "a", grade, by="ann")
    assert records.of(evaluation.id) == []


@pytest.mark.parametrize("columns", [(), (0,), (0, 0), (0, 0, 1)])
def test_an_evaluation_of_one_column_or_of_one_twice_is_refused(records: Judgements, columns: tuple[int, ...]) -> None:
    with pytest.raises(Refused, match="none of them twice"):
        records.begin("s-1", columns, PROTOCOL, by="ann")


def test_a_judge_votes_between_lists_that_differ_and_takes_the_newest_vote_back(
    records: Judgements, voting: Evaluation
) -> None:
    desk, seen = Desk(voting, QUERIES, COLUMNS), []
    while (duel := desk.next_duel(records.votes(voting.id, "ann"), "ann")) is not None:
        seen.append(duel)
        assert duel.lists == tuple(tuple(COLUMNS[place][duel.query.id]) for place in (duel.left, duel.right))
        records.vote(voting, duel.query.id, duel.left, duel.right, duel.left if len(seen) == 1 else TIE, by="ann")
    assert {duel.query.id for duel in seen} == {"q1", "q2"}
    done = desk.voted(records.votes(voting.id, "ann"))
    assert (done.judged, done.of) == (2, 2)
    assert {vote.as_vote().winner for vote in records.votes(voting.id)} == {str(seen[0].left), ""}
    assert records.undo(voting, by="ann")
    assert desk.next_duel(records.votes(voting.id, "ann"), "ann") == seen[1]
    with pytest.raises(Refused):
        records.vote(voting, "q1", 0, 1, 2, by="ann")


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


def test_queries_that_fewer_than_two_columns_answered_have_no_pool() -> None:
    columns = [{"q1": ["a", "b"], "q2": ["a", "b"]}, {"q1": ["b", "a"]}]
    assert set(pools(columns, ["q1", "q2"], k=2, seed=1)) == {"q1"}


def test_words_that_count_are_counted_without_being_read(
    records: Judgements, evaluation: Evaluation, voting: Evaluation
) -> None:
    chance, silent = np.random.default_rng(5), records.begin("s-1", (0, 1), PROTOCOL, by="ann")
    for _ in range(60):
        judge, name = f"judge {chance.integers(3)}", f"q{chance.integers(3)}"
        x, y = chance.permutation(3)[:2].tolist()
        if chance.random() < 0.3:
            records.undo(evaluation, by=judge)
            records.undo(voting, by=judge)
        else:
            records.judge(evaluation, name, f"k{chance.integers(3)}", int(chance.integers(4)), by=judge)
            records.vote(voting, name, x, y, (x, y, TIE)[chance.integers(3)], by=judge)
    assert records.standing([evaluation.id, voting.id, silent]) == {
        evaluation.id: len(records.of(evaluation.id)),
        voting.id: len(records.votes(voting.id)),
    }
    assert records.standing([voting.id]) == {voting.id: len(records.votes(voting.id))}
    assert records.standing([]) == {}
    assert 0 < len(records.votes(voting.id)) < records.counted(voting.id)
