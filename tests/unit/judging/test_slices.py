"""Slices: what each tag and metric differs by, corrected for how many were looked at, and none of few queries."""

import time

import numpy as np
import pytest
from scipy import stats

from console_core.judging.metrics import Scores
from console_core.judging.sampling import draw, reweighted
from console_core.judging.slices import by_metric, by_tag, parts_by_tag, table
from console_core.querylab.rankings import Query


def test_every_p_is_students_and_corrected_within_the_table() -> None:
    chance = np.random.default_rng(0)
    groups = {f"tag {number}": list(chance.normal(-0.02 * number, 0.1, 30)) for number in range(5)}
    found = table(groups, 0.95)
    expected = [stats.ttest_1samp(values, 0).pvalue for values in groups.values()]
    assert [each.p for each in found] == pytest.approx(expected)
    assert [each.adjusted for each in found] == pytest.approx(list(stats.false_discovery_control(expected)))
    assert [each.finding for each in found][-1] == "lower"
    assert found[0].finding == "not told apart"
    bounds = stats.ttest_1samp(groups["tag 1"], 0).confidence_interval(0.95)
    assert found[1].estimate is not None
    assert (found[1].estimate.lower, found[1].estimate.upper) == pytest.approx((bounds.low, bounds.high))


def test_of_many_slices_without_any_difference_hardly_one_table_in_twenty_finds_something() -> None:
    chance = np.random.default_rng(1)
    found = [table({str(tag): list(chance.normal(0, 0.2, 12)) for tag in range(10)}, 0.95) for _ in range(100)]
    assert sum(any(each.finding != "not told apart" for each in slices) for slices in found) <= 10


def test_a_slice_of_fewer_than_ten_queries_shows_its_mean_and_no_finding() -> None:
    few, enough = table({"few": [-0.5] * 9, "enough": [-0.5] * 10}, 0.95)
    assert (few.n, few.mean, few.estimate, few.p, few.adjusted, few.finding) == (9, -0.5, None, None, None, "too few")
    assert enough.finding == "lower"
    assert enough.p == pytest.approx(2 * 0.5**10)


def test_equal_columns_are_not_told_apart() -> None:
    assert [(each.p, each.finding) for each in table({"all": [0.0] * 20}, 0.95)] == [(1, "not told apart")]
    assert table({}, 0.95) == []


def test_a_query_is_in_the_slice_of_each_of_its_tags_and_only_if_it_counts() -> None:
    queries = [
        Query(f"q{number}", tags=("all", "even", "even") if number % 2 == 0 else ("all",)) for number in range(40)
    ]
    differences = {f"q{number}": 0.1 if number % 2 == 0 else -0.1 for number in range(30)}
    found = by_tag(draw(dict.fromkeys(differences, 1.0), 0, 0), differences, queries)
    assert [(each.name, each.n, each.finding) for each in found] == [("even", 15, "higher")]


def test_a_tag_of_all_questions_is_no_slice_and_makes_no_other_one_harder_to_find() -> None:
    chance = np.random.default_rng(6)
    values = dict(zip((f"q{number:02}" for number in range(40)), chance.normal(0.05, 0.1, 40), strict=True))
    sample = draw(dict.fromkeys(values, 1.0), 0, 0)
    tagged = [Query(query, tags=("caption", "even") if int(query[1:]) % 2 == 0 else ("caption",)) for query in values]
    alone = [
        Query(query, tags=("even",) if "even" in of.tags else ()) for query, of in zip(values, tagged, strict=True)
    ]
    found = by_tag(sample, values, tagged)
    assert [each.name for each in found] == ["even"]
    assert found == by_tag(sample, values, alone)
    assert found[0].adjusted == found[0].p
    assert by_tag(sample, values, [Query(query, tags=("caption",)) for query in values]) == []


def test_metrics_other_than_the_primary_one_have_a_slice_each() -> None:
    a = {f"q{number}": Scores(0.5, 0.5, 1, 0.5, 1) for number in range(12)}
    b = {query: Scores(0.5, 0.4, 0.5, 0.5, 1) for query in a}
    sample = draw(dict.fromkeys(a, 1.0), 0, 0)
    found = {each.name: (each.mean, each.finding) for each in by_metric(sample, a, b, "nDCG")}
    assert found == {"P": (pytest.approx(-0.1), "lower"), "RR": (-0.5, "lower"), "Recall": (0, "not told apart")}


def test_questions_that_are_answered_alike_are_in_the_slice_of_their_tag() -> None:
    """Forty of 400 differ, each by all that it can: the mean of the tag of 399 is -40/399, and not -1 over 40."""
    values = {f"q{number:03}": 1.0 if number < 40 else 0.0 for number in range(400)}
    queries = [Query(query, tags=("most", "alike") if value == 0 else ("most",)) for query, value in values.items()]
    queries[-1] = Query(queries[-1].id, tags=("alike",))
    sample = draw(values, 0, 0)
    found = {each.name: each for each in by_tag(sample, dict.fromkeys(sample.queue, -1.0), queries)}
    assert found["most"].n == 399
    assert found["most"].mean == pytest.approx(-40 / 399)
    assert (found["alike"].n, found["alike"].mean, found["alike"].finding) == (360, 0, "not told apart")


def test_a_tag_of_a_drawn_queue_is_the_mean_of_all_its_questions_over_many_seeds() -> None:
    chance = np.random.default_rng(4)
    values = {f"q{number:03}": float(value) for number, value in enumerate(chance.beta(1.2, 1.5, 200))}
    values |= {f"q{number:03}": 0.0 for number in range(50)}
    truth = {query: -value for query, value in values.items()}
    queries = [Query(query, tags=("odd",) if int(query[1:]) % 2 else ("even",)) for query in values]
    odd = np.mean([truth[query.id] for query in queries if query.tags == ("odd",)])
    means, whole = [], []
    for seed in range(100):
        sample = draw(values, 90, seed)
        slices = {each.name: each for each in by_tag(sample, truth, queries)}
        means.append(slices["odd"].mean)
        assert slices["odd"].n + slices["even"].n == 90
        whole.append((slices["odd"].mean + slices["even"].mean) / 2 - reweighted(sample, truth, 0.95).mean)
    assert np.mean(means) == pytest.approx(odd, abs=float(3 * np.std(means) / 10))
    assert np.std(means) < 0.05
    assert np.mean(whole) == pytest.approx(0, abs=0.01)


def test_a_slice_uses_the_confidence_that_it_is_given() -> None:
    sample = draw({f"q{number}": 1.0 for number in range(30)}, 0, 0)
    differences = {query: float(value) for query, value in zip(sample.queue, np.linspace(-0.9, 1.1, 30), strict=True)}
    queries = [Query(query, tags=("most",)) for query in sample.queue[1:]]
    (usual,), (surer,) = (by_tag(sample, differences, queries, confidence) for confidence in (0.6, 0.99))
    assert (usual.finding, surer.finding) == ("higher", "not told apart")
    assert usual.estimate is not None
    assert surer.estimate is not None
    assert usual.estimate.lower > surer.estimate.lower


@pytest.mark.parametrize("drawn", [0, 90])
def test_each_tag_has_the_part_of_the_sample_that_its_questions_are(drawn: int) -> None:
    chance = np.random.default_rng(8)
    values = {f"q{number:03}": float(value) for number, value in enumerate(chance.beta(1.2, 1.5, 200))}
    values |= {f"q{number:03}": 0.0 for number in range(50)}
    sample = draw(values, drawn, 3)
    tags = {query: {query, query[-1:], "few" if query < "q030" else "most"} for query in values}
    found = parts_by_tag(sample, tags)
    assert len(found) == 200 + 10 + 2
    assert found == {tag: sample.among({query for query in values if tag in tags[query]}) for tag in found}


@pytest.mark.alone
def test_as_many_tags_as_questions_take_no_longer_than_a_blink() -> None:
    values = {f"q{number:05}": 1.0 if number % 2 else 0.0 for number in range(10_000)}
    sample, began = draw(values, 0, 0), time.perf_counter()
    found = by_tag(sample, dict.fromkeys(values, -0.1), [Query(query, tags=(f"tag {query}",)) for query in values])
    assert len(found) == len(values)
    assert time.perf_counter() - began < 2
