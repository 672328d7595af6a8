"""The queue prefers what may differ, its estimate does not: chances, prefixes, and how often the interval is right."""

import random
from dataclasses import replace
from math import log2

import numpy as np
import pytest

from console_core.judging.estimate import paired
from console_core.judging.holes import stakes
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import disagreement, draw, parts, reweighted, sample_of

Floats = np.ndarray


def apart(queries: int, chance: np.random.Generator, known: float = 0.4) -> Floats:
    """How much two columns disagree on each query; the first share of them not at all."""
    found = chance.beta(1.2, 1.5, queries)
    found[: int(known * queries)] = 0
    return found


def named(values: Floats) -> dict[str, float]:
    return {f"q{number:04}": float(value) for number, value in enumerate(values)}


def test_a_query_that_all_columns_answer_alike_needs_no_judge_and_all_others_can_be_drawn() -> None:
    columns = (
        {"x": ["1", "2"], "y": ["1", "2"], "z": ["1", "2", "3"]},
        {"x": ["1", "2"], "y": ["2", "1"], "z": ["1", "2"]},
    )
    found = disagreement(columns, 2)
    assert (found["x"], found["z"]) == (0, 0)
    assert found["y"] > 0
    assert disagreement((*columns, {"x": ["1", "3"], "y": ["1"], "z": ["1", "2"]}), 2)["x"] > 0
    sample = draw(found, 0, 0)
    assert (sample.queue, sample.known, sample.population, sample.everything) == (("y",), ("x", "z"), 3, True)


def test_what_judges_are_given_follows_from_the_protocol_and_the_columns_in_any_order() -> None:
    chance = random.Random(3)
    a, b, c = ({f"q{query}": chance.sample("abcdefgh", 5) for query in range(50)} for _ in range(3))
    protocol = Protocol(k=4, queries=20, seed=2)
    found = sample_of(protocol, (a, b, c))
    assert found == sample_of(protocol, (c, b, a))
    assert (len(found.queue), found.population) == (20, 50)
    assert sample_of(replace(protocol, seed=3), (a, b, c)) != found
    assert sample_of(protocol, (a, {query: b[query] for query in list(b)[1:]})).population == 50


def test_where_not_all_are_judged_the_queue_prefers_what_could_differ_most_whatever_the_grades() -> None:
    chance = random.Random(4)
    a = {f"q{query:03}": chance.sample("abcdefghijkl", 6) for query in range(200)}
    near = {query: [*ranking[:4], ranking[5], ranking[4]] for query, ranking in list(a.items())[:100]}
    b = {query: near.get(query) or chance.sample("mnopqrstuvwx", 6) for query in a}
    protocol = Protocol(k=6, queries=60, seed=2)
    sample = sample_of(protocol, (a, b))
    assert [len(stratum.drawn) for stratum in sample.strata] == [5, 5, 25, 25]
    swapped = stakes(a["q000"], b["q000"], protocol)
    assert [stratum.most for stratum in sample.strata] == pytest.approx([swapped, swapped, 1, 1])
    assert swapped == pytest.approx(1 / log2(6) - 1 / log2(7))
    assert [stratum.most for stratum in sample_of(replace(protocol, prefers="disagreement"), (a, b)).strata] == [1] * 4
    assert sample_of(replace(protocol, queries=0), (a, b)).everything


def test_of_questions_that_every_column_answers_with_the_same_pictures_one_counts() -> None:
    """As search logs ask for the same in other words: thrice as many are no more evidence."""
    chance = random.Random(5)
    a, b = ({f"q{query:02}": chance.sample("abcdefgh", 5) for query in range(20)} for _ in range(2))
    again = [column | {f"{query} {copy}": column[query] for query in column for copy in "xy"} for column in (a, b)]
    for queries in (0, 12):
        protocol = Protocol(k=4, queries=queries)
        assert sample_of(protocol, again) == sample_of(protocol, (a, b))
    lacking = [again[0], {query: ranking for query, ranking in again[1].items() if query != "q07 x"}]
    assert sample_of(Protocol(k=4), lacking).population == 21


def test_what_differs_by_nothing_in_the_metric_is_drawn_all_the_same() -> None:
    """Other metrics are computed of it too."""
    a = {f"q{query}": [f"{sign}{query}" for sign in "abc"] for query in range(30)}
    b = {query: ranking[::-1] for query, ranking in a.items()}
    sample = sample_of(Protocol(metric="P", k=3, queries=12), (a, b))
    assert (len(sample.queue), sample.known) == (12, ())
    assert all(stratum.most < 1e-6 for stratum in sample.strata)


def test_the_queue_prefers_disagreement_and_every_chance_is_that_of_its_stratum() -> None:
    values = named(apart(400, np.random.default_rng(1)))
    sample = draw(values, 60, 1)
    assert len(set(sample.queue)) == 60
    assert [stratum.size for stratum in sample.strata] == [60] * 4
    counts = [len(stratum.drawn) for stratum in sample.strata]
    assert counts == sorted(counts)
    assert counts[0] >= 5
    assert counts[-1] > 3 * counts[0]
    assert sum(sample.weights.values()) == pytest.approx(240 / 400)
    drawn, rest = (
        np.mean([value for query, value in values.items() if (query in sample.queue) is so]) for so in (True, False)
    )
    assert drawn > 1.5 * rest


def test_over_many_seeds_each_query_is_drawn_as_often_as_its_chance_says() -> None:
    values = named(apart(60, np.random.default_rng(2), known=0.2))
    times = dict.fromkeys(values, 0)
    for seed in range(600):
        for query in draw(values, 20, seed).queue:
            times[query] += 1
    sample = draw(values, 20, 0)
    assert sample.chances.keys() == set(sample.queue)
    for query, chance in sample.chances.items():
        assert times[query] / 600 == pytest.approx(chance, abs=0.08)


def test_a_longer_queue_begins_with_a_shorter_one_and_the_order_of_queries_is_nothing_to_it() -> None:
    values = named(apart(200, np.random.default_rng(3)))
    whole = draw(values, 0, 7)
    for queries in (10, 11, 50, 119):
        assert draw(values, queries, 7).queue == whole.queue[:queries]
    assert draw(dict(reversed(values.items())), 50, 7) == draw(values, 50, 7)
    assert draw(values, 50, 8) != draw(values, 50, 7)
    assert whole.everything
    assert draw(values, 1000, 7) == whole


@pytest.mark.parametrize("kind", ["noise", "losses"])
def test_the_interval_is_right_95_times_in_100_though_the_queue_prefers_disagreement(kind: str) -> None:
    """1,000 corpora whose differences grow with disagreement; the plain mean of the queue is wrong much more often."""
    chance = np.random.default_rng(5)
    queries, known = 300, 0.4
    of_set, beyond, plain = 0, 0, 0
    for corpus in range(1000):
        values = chance.beta(1.2, 1.5, queries)
        values[chance.random(queries) < known] = 0
        spread = chance.normal(0, 0.3, queries) if kind == "noise" else -0.3 * chance.random(queries) + 0.05
        differences = values * (spread - 0.1)
        truth = (1 - known) * 1.2 / 2.7 * (-0.1 if kind == "noise" else -0.2)
        sample = draw(named(values), 60, corpus)
        judged = {query: float(differences[int(query[1:])]) for query in sample.queue}
        found = reweighted(sample, judged, 0.975)
        of_set += found.lower <= differences.mean() <= found.upper
        found = reweighted(sample, judged, 0.975, beyond=True)
        beyond += found.lower <= truth <= found.upper
        naive = paired(list(judged.values()), 0.975)
        plain += naive.lower <= differences.mean() <= naive.upper
    assert 930 <= of_set <= 970
    assert 930 <= beyond <= 970
    assert plain < 850


def test_with_every_query_drawn_the_set_is_known_and_queries_like_it_have_students_error() -> None:
    chance = np.random.default_rng(6)
    values = apart(120, chance)
    differences = values * chance.normal(0, 0.3, 120)
    sample = draw(named(values), 0, 0)
    judged = {query: named(differences)[query] for query in sample.queue}
    found = reweighted(sample, judged, 0.95)
    assert found.mean == pytest.approx(differences.mean())
    assert (found.error, found.lower) == (0, found.mean)
    beyond, usual = reweighted(sample, judged, 0.95, beyond=True), paired(differences, 0.95)
    assert beyond.mean == pytest.approx(usual.mean)
    assert beyond.error == pytest.approx(usual.error, rel=0.03)


def test_the_parts_add_up_to_the_distance_of_the_reweighted_mean_from_the_margin() -> None:
    chance = np.random.default_rng(7)
    values = apart(120, chance)
    sample = draw(named(values), 30, 0)
    judged = {query: float(chance.normal(0, 0.2)) for query in sample.queue}
    found = parts(sample, judged, 0.05)
    assert len(found) == 30 + 48
    assert found.sum() == pytest.approx(reweighted(sample, judged, 0.95).mean + 0.05)
