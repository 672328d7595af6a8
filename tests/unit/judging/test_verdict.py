"""The verdict: what decides, what withholds it, and that chance never changes it."""

import random
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from console_core.judging.estimate import needed
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import sample_of
from console_core.judging.verdict import Verdict, decide

PROTOCOL = Protocol(k=5, seed=11)
Lists = dict[str, list[str]]
Given = dict[str, dict[str, int]]


def columns(queries: int, *, seed: int = 0, alike: int = 0, shared: int = 2) -> tuple[Lists, Lists]:
    """Two columns of five pictures; the first `alike` queries are answered alike, the others share some pictures."""
    chance = random.Random(seed)
    a: Lists = {}
    b: Lists = {}
    for number in range(queries):
        query = f"q{number:03}"
        pool = chance.sample(range(100), 10)
        a[query] = [str(key) for key in pool[:5]]
        mine = [str(key) for key in (*pool[:shared], *pool[5 : 10 - shared])]
        b[query] = list(a[query]) if number < alike else chance.sample(mine, 5)
    return a, b


def judged(*of: Lists, seed: int = 0, spoil: Iterable[str] = ()) -> Given:
    """A grade for all pictures of these columns; those that only the last column of a spoilt query has are worth 0."""
    chance = random.Random(seed)
    grades = {query: {key: chance.randint(0, 3) for column in of for key in column[query]} for query in of[0]}
    for query in spoil:
        grades[query] |= dict.fromkeys(set(of[-1][query]) - set(of[0][query]), 0)
        grades[query] |= dict.fromkeys(of[0][query], 3)
    return grades


def codes(verdict: Verdict) -> list[str]:
    return [reason.code for reason in verdict.reasons]


def verdict_of(protocol: Protocol, a: Lists, b: Lists, grades: Given) -> Verdict:
    return decide(protocol, protocol.digest, a, b, grades, resamples=999)


def test_columns_that_answer_alike_are_non_inferior_without_a_single_judgment() -> None:
    a, b = columns(60, alike=60)
    found = verdict_of(PROTOCOL, a, b, {})
    assert (found.outcome, found.identical, found.drawn, found.worst, found.best) == ("non-inferior", 60, 0, 0, 0)
    assert found.decision is not None
    assert (found.decision.estimate.mean, found.decision.estimate.error) == (0, 0)
    assert 0 < found.decision.p <= 0.5**60


def test_a_column_whose_own_pictures_are_all_irrelevant_is_inferior() -> None:
    a, b = columns(40)
    found = verdict_of(PROTOCOL, a, b, judged(a, b, spoil=a))
    assert found.outcome == "inferior"
    assert found.decision is not None
    assert found.decision.check is not None
    assert found.decision.check.side == "below"
    assert found.decision.estimate.upper < -PROTOCOL.margin
    assert found.decision.p > 0.99
    assert found.further is None


def test_few_noisy_queries_decide_nothing_and_say_how_many_more_would() -> None:
    a, b = columns(20)
    found = verdict_of(PROTOCOL, a, b, judged(a, b, seed=8))
    assert found.outcome == "inconclusive"
    assert found.decision is not None
    assert found.further is not None
    spread = float(np.std(list(found.differences.values()), ddof=1))
    assert found.further.if_equal + 20 == needed(spread, 0.05, 0.95, reach=found.decision.reach)
    assert found.text.endswith(
        "About 170 more questions are needed if the two are truly equal, about 483 if the difference is as observed."
    )


def test_a_loss_beyond_the_margin_that_is_not_sure_yet_says_that_more_queries_hardly_help() -> None:
    a, b = columns(20)
    found = verdict_of(PROTOCOL, a, b, judged(a, b, seed=3))
    assert found.further is not None
    assert (found.outcome, found.further.hopeless) == ("inconclusive", True)
    assert "more questions are not expected to show that B is no worse" in found.text


def test_the_decision_is_that_of_the_paired_differences_with_alike_queries_as_zero() -> None:
    a, b = columns(60, alike=45, shared=4)
    grades = {query: given for query, given in judged(a, b).items() if int(query[1:]) >= 45}
    found = verdict_of(replace(PROTOCOL, margin=0.1), a, b, grades)
    assert (found.identical, found.drawn, len(found.differences)) == (45, 15, 15)
    expected = stats.ttest_1samp([*found.differences.values(), *[0.0] * 45], -0.1, alternative="greater")
    assert found.decision is not None
    assert found.decision.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.decision.estimate.lower == pytest.approx(expected.confidence_interval(0.95).low, abs=1e-12)
    assert found.outcome == "non-inferior"


def test_drawn_queries_that_do_not_differ_decide_where_they_are_enough_for_what_could_be_lost() -> None:
    for shared, queries, outcome in ((0, 30, "inconclusive"), (0, 130, "non-inferior"), (4, 30, "non-inferior")):
        a, b = columns(200, shared=shared)
        protocol = replace(PROTOCOL, queries=queries, metric="P", relevant=1)
        queue = sample_of(protocol, (a, b)).queue
        grades = {}
        for query in queue:
            relevant = set(a[query]) & set(b[query]) if shared else {a[query][0], b[query][0]}
            grades[query] = {key: int(key in relevant) for key in (*a[query], *b[query])}
        found = verdict_of(protocol, a, b, grades)
        assert found.decision is not None
        assert (found.outcome, found.decision.estimate.mean, found.decision.estimate.error) == (outcome, 0, 0)
        if found.further is not None:
            assert 20 <= found.further.if_equal <= 90
            assert "If one more question lost all it can, the lower bound would be" in found.text


def test_the_same_judgments_give_the_same_bits_in_a_hundred_runs_on_eight_threads() -> None:
    a, b = columns(30, alike=5, shared=3)
    grades = judged(a, b, seed=2)
    orders = [random.Random(run).sample(sorted(a), len(a)) for run in range(100)]
    protocol = replace(PROTOCOL, margin=0.2)

    def run(order: list[str]) -> Verdict:
        return verdict_of(protocol, {q: a[q] for q in order}, {q: b[q] for q in order}, {q: grades[q] for q in order})

    first = run(sorted(a))
    assert first.decision is not None
    assert first.decision.check is not None
    assert 0 < first.decision.check.p < 0.05
    with ThreadPoolExecutor(8) as threads:
        assert all(found == first for found in threads.map(run, orders))


def test_judgments_of_one_column_alone_never_give_a_verdict() -> None:
    """1,000 sets in which B has from one to five pictures of its own in a query, however much else the two share."""
    for trial in range(1000):
        a, b = columns(10, seed=trial, alike=trial % 10, shared=trial % 5)
        grades = judged(a, seed=trial)
        found = decide(PROTOCOL, PROTOCOL.digest, a, b, grades)
        assert found.outcome == "withheld"
        assert "judged unevenly" in codes(found)
        assert (found.decision, found.differences, found.secondary) == (None, {}, ())


def test_it_is_not_fooled_where_the_columns_share_nearly_every_picture() -> None:
    """With one picture of twenty unjudged in B alone, Judged@k is 95 % and within 5 points of A's."""
    a = {f"q{number}": [f"{number} {key}" for key in range(20)] for number in range(30)}
    b = {query: ["new", *keys[:-1]] for query, keys in a.items()}
    protocol = Protocol(k=20)
    found = decide(protocol, protocol.digest, a, b, judged(a))
    assert found.b.judged.at_k == pytest.approx(0.95)
    assert (found.b.judged.own, found.a.judged.own) == (0, 1)
    assert codes(found) == ["not judged enough", "judged unevenly"]
    assert found.worst is not None
    assert found.best is not None
    assert found.worst < -0.05 < found.best


def test_what_is_missing_says_so() -> None:
    a, b = columns(12)
    grades = judged(a, b)
    assert codes(decide(PROTOCOL, None, a, b, grades)) == ["not locked"]
    assert codes(decide(PROTOCOL, Protocol().digest, a, b, grades)) == ["changed"]
    few = [{query: column[query] for query in list(a)[:9]} for column in (a, b)]
    assert codes(verdict_of(PROTOCOL, few[0], few[1], grades)) == ["too few"]
    b.pop("q003")
    missing = verdict_of(PROTOCOL, a, b, grades)
    assert codes(missing) == ["other queries"]
    assert "1 of 12 questions were answered by only one of A and B, such as q003" in missing.text
    assert "ask it again" in missing.text
    assert verdict_of(PROTOCOL, {}, {}, {}).outcome == "withheld"


def test_judgments_that_miss_as_much_of_either_column_are_too_few_but_not_uneven() -> None:
    a, b = columns(20, shared=0)
    grades = judged(a, b)
    for query in grades:
        grades[query].pop(a[query][0])
        grades[query].pop(b[query][0])
    found = verdict_of(PROTOCOL, a, b, grades)
    assert set(codes(found)) == {"not judged enough"}
    assert found.a.judged.at_k == found.b.judged.at_k == pytest.approx(0.8)
    assert all("Judge the pictures that are left." in reason.text for reason in found.reasons)


def test_the_bounds_of_the_unjudged_hold_the_mean_that_any_grading_gives() -> None:
    a, b = columns(15)
    grades = judged(a, b)
    whole = verdict_of(PROTOCOL, a, b, grades)
    assert whole.decision is not None
    assert whole.worst == pytest.approx(whole.decision.estimate.mean) == whole.best
    for query in grades:
        grades[query].pop(b[query][2])
    holes = verdict_of(PROTOCOL, a, b, grades)
    assert holes.worst is not None
    assert holes.best is not None
    assert holes.worst < whole.decision.estimate.mean < holes.best


def test_a_fixed_number_of_queries_is_drawn_and_weighed_and_no_other_one_is_asked_for() -> None:
    a, b = columns(200, alike=50, shared=3)
    protocol = replace(PROTOCOL, queries=60, margin=0.1)
    queue = sample_of(protocol, (a, b)).queue
    grades = {query: given for query, given in judged(a, b).items() if query in queue}
    found = verdict_of(protocol, a, b, grades)
    assert (found.drawn, found.identical, found.queries) == (60, 50, 200)
    assert found.decision is not None
    assert found.decision.estimate.mean == pytest.approx(found.worst)
    share = 150 / 200
    assert found.a.scores is not None
    assert found.b.scores is not None
    assert found.decision.estimate.mean == pytest.approx(share * (found.b.scores.ndcg - found.a.scores.ndcg))
    grades.pop(queue[-1])
    left = verdict_of(protocol, a, b, grades)
    assert codes(left) == ["unfinished"]
    assert "1 question without any judgement" in left.text


def test_of_three_columns_that_were_judged_together_a_verdict_is_on_two() -> None:
    a, b = columns(40, alike=20, shared=4)
    c = columns(40, seed=9)[0]
    found = decide(PROTOCOL, PROTOCOL.digest, a, b, judged(a, b), sample_of(PROTOCOL, (a, b, c)), resamples=999)
    assert (found.drawn, found.identical, len(found.differences)) == (20, 20, 40)
    assert found.decision == verdict_of(PROTOCOL, a, b, judged(a, b)).decision


def test_the_other_metrics_are_exploratory_and_stand_apart() -> None:
    a, b = columns(30)
    found = verdict_of(replace(PROTOCOL, metric="P"), a, b, judged(a, b))
    assert [each.name for each in found.secondary] == ["nDCG", "RR", "Recall"]
    assert all(each.n == 30 and each.adjusted is not None for each in found.secondary)


def test_queries_without_a_relevant_picture_are_counted() -> None:
    a, b = columns(12)
    grades = judged(a, b, seed=4)
    grades["q005"] = dict.fromkeys(grades["q005"], 0)
    found = verdict_of(PROTOCOL, a, b, grades)
    assert found.barren == 1
    assert found.differences["q005"] == 0


@pytest.mark.parametrize(("grade", "expected"), [(0, ["one grade", "barren"]), (3, ["one grade"])])
def test_a_judge_who_presses_one_key_for_everything_gets_no_verdict(grade: int, expected: list[str]) -> None:
    a, b = columns(60)
    found = verdict_of(PROTOCOL, a, b, {query: dict.fromkeys((*a[query], *b[query]), grade) for query in a})
    assert (found.outcome, codes(found), found.decision) == ("withheld", expected, None)


@pytest.mark.parametrize(("barren", "expected"), [(30, []), (31, ["barren"])])
def test_where_more_than_half_of_the_drawn_queries_have_no_relevant_picture_there_is_no_verdict(
    barren: int, expected: list[str]
) -> None:
    a, b = columns(80, alike=20)
    grades = {query: {key: 2 if key in a[query] else 0 for key in (*a[query], *b[query])} for query in a}
    for query in list(a)[20 : 20 + barren]:
        grades[query] = dict.fromkeys(grades[query], 1)
    found = verdict_of(replace(PROTOCOL, relevant=2), a, b, grades)
    assert (found.drawn, found.barren, codes(found)) == (60, barren, expected)
    assert all("31 questions of 60 have no relevant picture" in reason.text for reason in found.reasons)


@pytest.mark.parametrize(("flat", "expected"), [(99, []), (100, ["one grade"])])
def test_where_every_query_has_one_grade_for_all_its_pictures_there_is_no_verdict(
    flat: int, expected: list[str]
) -> None:
    """Half of them only right pictures and half only wrong ones: whatever a column answers, it comes out alike."""
    a, b = columns(100)
    grades = judged(a, b, seed=4)
    for number, query in enumerate(list(a)[:flat]):
        grades[query] = dict.fromkeys(grades[query], 3 * (number % 2))
    found = verdict_of(PROTOCOL, a, b, grades)
    assert codes(found) == expected
    assert not expected or "In each question all pictures have the same grade" in found.text


def test_where_too_little_is_at_stake_to_matter_grades_that_tell_nothing_keep_no_verdict_back() -> None:
    """In ten of 200 questions the last picture is another one, and judges find all of them perfect."""
    a = {f"q{number:03}": [f"{number} {place}" for place in range(5)] for number in range(200)}
    b = {query: [*keys[:4], f"{query} else"] if query < "q010" else keys for query, keys in a.items()}
    grades = {query: dict.fromkeys((*a[query], *b[query]), 3) for query in a if query < "q010"}
    found = verdict_of(replace(PROTOCOL, margin=0.05), a, b, grades)
    assert (found.outcome, found.drawn, found.reasons) == ("non-inferior", 10, ())


def test_a_column_that_lost_everything_everywhere_is_inferior_and_no_number_fails() -> None:
    a, b = columns(12, shared=0)
    protocol = replace(PROTOCOL, metric="RR", margin=0.5)
    assert verdict_of(protocol, a, b, judged(a, b, spoil=a)).outcome in ("inferior", "inconclusive")


def test_that_many_queries_have_no_relevant_picture_stands_beside_the_mean_which_they_make_small() -> None:
    a, b = columns(100, shared=0)
    grades = judged(a, b, spoil=a)
    for query in list(a)[:40]:
        grades[query] = dict.fromkeys(grades[query], 0)
    found = verdict_of(PROTOCOL, a, b, grades)
    assert found.decision is not None
    assert found.elsewhere == pytest.approx(found.decision.estimate.mean / 0.6)
    assert "40 of 100 judged questions have no relevant picture and count as no difference" in found.text
    assert f"over the others it is {found.elsewhere:+.3f} on average" in found.text
    assert "no relevant picture" not in verdict_of(PROTOCOL, a, b, judged(a, b, seed=4)).text


def test_questions_with_the_very_same_answers_count_once_however_often_they_were_asked() -> None:
    a, b = columns(60, alike=20)
    grades = judged(a, b)
    once = verdict_of(PROTOCOL, a, b, grades)
    copies = {f"{query} again": query for query in a}
    again = [column | {copy: column[query] for copy, query in copies.items()} for column in (a, b)]
    found = verdict_of(PROTOCOL, again[0], again[1], grades | {copy: grades[query] for copy, query in copies.items()})
    assert (found.repeated, found.queries, found.drawn) == (60, 120, once.drawn)
    assert found.decision == once.decision
    c = columns(120, seed=9)[0]
    third = {query: c[f"q{number:03}"] for number, query in enumerate(again[0])}
    copied = grades | {copy: grades[query] for copy, query in copies.items()}
    first, second = again
    sample = sample_of(PROTOCOL, (first, second, third))
    beside = decide(PROTOCOL, PROTOCOL.digest, first, second, copied, sample, resamples=999)
    assert beside.decision is not None
    assert (beside.repeated, beside.decision.estimate.n) == (60, 60)
    assert beside.decision.estimate.mean == pytest.approx(np.mean([*found.differences.values(), *[0] * 20]))
    assert verdict_of(replace(PROTOCOL, repeats="each"), first, second, copied).sample.population == 120


def test_the_sentence_has_the_numbers_and_that_they_were_fixed_in_advance() -> None:
    a, b = columns(60, alike=60)
    found = verdict_of(PROTOCOL, a, b, {})
    assert found.text == (
        "B is non-inferior: its nDCG@5 less A's is between +0.000 and +0.000 "
        "(60 questions, each bound 95% sure), and a loss of up to 0.05 is accepted."
    )
    assert "fixed in advance" in found.fixed


def test_questions_that_only_further_columns_answered_change_nothing_between_two() -> None:
    """Twelve questions that A and B both answered, B with nothing; 48 more that only C and D could answer."""
    a, b = columns(12, shared=0)
    c, d = columns(60, seed=9)
    grades = judged(c, d) | judged(a, b, spoil=a)
    alone = verdict_of(PROTOCOL, a, b, grades)
    beside = decide(PROTOCOL, PROTOCOL.digest, a, b, grades, sample_of(PROTOCOL, (a, b, c, d)), resamples=999)
    assert (alone.outcome, beside.outcome, beside.queries) == ("inferior", "inferior", 12)
    assert beside.decision == alone.decision
    asked = [f"q{number:03}" for number in range(61)]
    assert decide(PROTOCOL, PROTOCOL.digest, a, b, grades, asked=asked).unanswered == tuple(asked[12:])


def test_of_a_drawn_queue_each_common_question_weighs_what_it_stands_for_among_the_common_ones() -> None:
    """Over 60 seeds the mean of what was drawn is that of all common questions, though a third is C's alone."""
    a, b = columns(120, shared=3)
    c = columns(180, seed=9)[0]
    grades = judged(a, b)
    truth = decide(PROTOCOL, PROTOCOL.digest, a, b, grades, resamples=9).decision
    assert truth is not None
    means, found = [], truth
    for seed in range(60):
        protocol = replace(PROTOCOL, queries=50, seed=seed)
        drawn = decide(protocol, protocol.digest, a, b, grades, sample_of(protocol, (a, b, c)), resamples=9)
        assert drawn.decision is not None
        assert drawn.sample.population == 120
        found = drawn.decision
        means.append(found.estimate.mean)
    assert abs(np.mean(means) - truth.estimate.mean) < 3 * np.std(means) / 60**0.5
    assert found.estimate.error < 1.5 * np.std(means) + truth.estimate.error
    assert not {f"q{number:03}" for number in range(120, 180)} & set(drawn.sample.queue)


def test_up_to_a_twentieth_that_one_column_could_not_answer_is_left_out_for_both_and_named() -> None:
    a, b = columns(40, alike=20, shared=4)
    grades = judged(a, b)
    both = {query for query in a if query not in ("q000", "q030")}
    rest = [{query: column[query] for query in both} for column in (a, b)]
    expected = verdict_of(PROTOCOL, rest[0], rest[1], grades)
    a.pop("q000")
    b.pop("q030")
    found = verdict_of(PROTOCOL, a, b, grades)
    assert (found.reasons, found.unanswered, found.queries) == ((), ("q000", "q030"), 38)
    assert found.decision == expected.decision
    assert "2 questions are left out, which A or B could not answer." in found.text
    assert {"q000", "q030"}.isdisjoint(found.differences)
    b.pop("q031")
    assert codes(verdict_of(PROTOCOL, a, b, grades)) == ["other queries"]


def test_where_one_drawn_question_would_speak_for_several_that_nobody_judged_there_is_no_verdict() -> None:
    """A and B could answer only one drawn question of the stratum with the least disagreement, and one undrawn."""
    whole = columns(100, shared=3)
    protocol = replace(PROTOCOL, queries=40)
    first, *others = sample_of(protocol, whole).strata
    kept = {first.drawn[0], first.left[0], *(query for stratum in others for query in (*stratum.drawn, *stratum.left))}
    a, b = ({query: column[query] for query in kept} for column in whole)
    sample = sample_of(protocol, whole)
    found = decide(protocol, protocol.digest, a, b, judged(*whole), sample, resamples=99)
    assert found.sample.thin
    assert codes(found) == ["too few"]
    assert "Ask the query set again" in found.text
    kept.remove(first.left[0])
    a, b = ({query: column[query] for query in kept} for column in whole)
    assert decide(protocol, protocol.digest, a, b, judged(*whole), sample, resamples=99).reasons == ()
