"""What rankings are worth: computed by hand, by trec_eval's own code, with odd keys, and from many threads."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from math import log2

import pytest
import pytrec_eval

from console_core.judging.metrics import Scores, mean, scores, weighted
from console_core.judging.protocol import Gain, Protocol

ODD = ["a b", 'say "hi"', "it's", "größer/日本.jpg", "tab\there", "", "\ud800", "null\x00byte", "q0 1 d 3\n"]


def random_set(seed: int, k: int, highest: int) -> tuple[dict[str, list[str]], dict[str, dict[str, int]]]:
    chance = random.Random(seed)
    keys = [f"d{number}" for number in range(30)]
    rankings = {f"q{number}": chance.sample(keys, chance.randint(1, k)) for number in range(60)}
    grades = {
        query: {key: chance.randint(0, highest) for key in chance.sample(keys, chance.randint(1, 20))}
        for query in rankings
    }
    return rankings, grades


def test_scores_equal_values_computed_by_hand() -> None:
    """Grades 0, 3, none, 1 of the answers, and a relevant picture of grade 2 that was not found."""
    found = scores({"q": ["w", "x", "y", "z"]}, {"q": {"w": 0, "x": 3, "z": 1, "m": 2}}, Protocol(k=4))["q"]
    ideal = 7 + 3 / log2(3) + 1 / log2(4)
    assert found.ndcg == pytest.approx((7 / log2(3) + 1 / log2(5)) / ideal, abs=1e-9)
    assert (found.p, found.rr, found.judged) == (0.5, 0.5, 0.75)
    assert found.recall == pytest.approx(2 / 3, abs=1e-9)


def test_the_gain_function_is_the_stated_one() -> None:
    rankings, grades = {"q": ["x", "y"]}, {"q": {"x": 1, "y": 3}}
    linear = scores(rankings, grades, Protocol(gain="linear"))["q"].ndcg
    assert linear == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)), abs=1e-9)
    exponential = scores(rankings, grades, Protocol())["q"].ndcg
    assert exponential == pytest.approx((1 + 7 / log2(3)) / (7 + 1 / log2(3)), abs=1e-9)
    yes, no = (Protocol(scale="yes/no", gain=gain) for gain in ("linear", "exponential"))
    assert yes.gains == no.gains == {0: 0, 1: 1}


@pytest.mark.parametrize("relevant", [1, 2])
def test_scores_equal_those_of_trec_eval(relevant: int) -> None:
    k = 10
    rankings, grades = random_set(1, 2 * k, 3)
    found = scores(rankings, grades, Protocol(k=k, gain="linear", relevant=relevant))
    run = {query: {key: 1 / rank for rank, key in enumerate(keys[:k], start=1)} for query, keys in rankings.items()}
    asked = {f"ndcg_cut.{k}", f"P.{k}", f"recall.{k}", "recip_rank"}
    expected = pytrec_eval.RelevanceEvaluator(grades, asked, relevance_level=relevant).evaluate(run)
    for query, values in found.items():
        trec = [expected[query][name] for name in (f"ndcg_cut_{k}", f"P_{k}", "recip_rank", f"recall_{k}")]
        assert [values.ndcg, values.p, values.rr, values.recall] == pytest.approx(trec, abs=1e-9)


def by_definition(ranking: list[str], grades: dict[str, int], protocol: Protocol) -> list[float]:
    """nDCG, P, RR and Recall at depth k, written out: Järvelin and Kekäläinen 2002 with the discount of trec_eval."""
    k, exponential = protocol.k, protocol.gain == "exponential"

    def discounted(values: list[int]) -> float:
        gains = [2**grade - 1 if exponential else grade for grade in values[:k]]
        return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, start=1))

    found = [grades.get(key, 0) for key in ranking[:k]]
    ideal = discounted(sorted(grades.values(), reverse=True))
    relevant = [grade >= protocol.relevant for grade in found]
    of_all = sum(grade >= protocol.relevant for grade in grades.values())
    return [
        discounted(found) / ideal if ideal else 0.0,
        sum(relevant) / k,
        1 / (relevant.index(True) + 1) if any(relevant) else 0.0,
        sum(relevant) / of_all if of_all else 0.0,
    ]


@pytest.mark.parametrize("gain", ["linear", "exponential"])
@pytest.mark.parametrize("relevant", [1, 2, 3])
def test_scores_equal_their_definitions_written_out(gain: Gain, relevant: int) -> None:
    protocol = Protocol(k=5, gain=gain, relevant=relevant)
    rankings, grades = random_set(2, 10, 3)
    found = scores(rankings, grades, protocol)
    assert len(found) == len(rankings) == 60
    for query, ranking in rankings.items():
        assert list(astuple(found[query])[:4]) == pytest.approx(
            by_definition(ranking, grades[query], protocol), abs=1e-9
        )
        assert found[query].judged == sum(key in grades[query] for key in ranking[:5]) / len(ranking[:5])


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        # DCG  3 + 2/1.584962501 + 3/2 + 0 + 1/2.584962501 + 2/2.807354922 = 6.861126688594
        # ideal 3, 3, 3, 2, 2, 2:  3 + 1.892789261 + 1.5 + 0.861353116 + 0.773705614 + 0.712414374 = 8.740262365546
        ("linear", 0.785002371970),
        # DCG  7 + 3/1.584962501 + 7/2 + 0 + 1/2.584962501 + 3/2.807354922 = 13.848263629273
        # ideal 7 + 4.416508275 + 3.5 + 1.292029674 + 1.160558422 + 1.068621561 = 18.437717932248
        ("exponential", 0.751083386792),
    ],
)
def test_scores_are_the_published_ones_of_a_known_example(gain: Gain, expected: float) -> None:
    """The example of nDCG that textbooks and Wikipedia have (0.785, with linear gains as in trec_eval): six answers of
    grades 3, 2, 3, 0, 1, 2, and two more pictures of grades 3 and 2 that were not found."""
    run = ["d1", "d2", "d3", "d4", "d5", "d6"]
    qrels = {"d1": 3, "d2": 2, "d3": 3, "d4": 0, "d5": 1, "d6": 2, "d7": 3, "d8": 2}
    found = scores({"q": run}, {"q": qrels}, Protocol(k=6, gain=gain))["q"]
    assert list(astuple(found)) == pytest.approx([expected, 5 / 6, 1, 5 / 7, 1], abs=1e-9)


def test_a_query_without_a_relevant_picture_a_grade_or_an_answer_scores_nothing() -> None:
    rankings = {"irrelevant": ["x"], "ungraded": ["x"], "empty": [], "nothing": []}
    grades = {"irrelevant": {"x": 0, "y": 0}, "empty": {"x": 3}, "elsewhere": {"x": 1}}
    found = scores(rankings, grades, Protocol())
    assert list(found) == list(rankings)
    assert all(astuple(value)[:4] == (0, 0, 0, 0) for value in found.values())
    assert [value.judged for value in found.values()] == [1, 0, 1, 1]
    assert scores({}, grades, Protocol()) == {}


def test_keys_and_query_ids_of_any_text_score_as_plain_ones_do() -> None:
    plain = [f"d{number}" for number in range(len(ODD))]
    grade = {name: number % 4 for number, name in enumerate(plain)}
    named = dict(zip(plain, ODD, strict=True))
    expected = scores({"q": plain}, {"q": grade}, Protocol())["q"]
    odd = {named[name]: value for name, value in grade.items()}
    for query in ODD:
        assert scores({query: ODD}, {query: odd}, Protocol()) == {query: expected}
    assert expected.ndcg > 0.5


def test_a_picture_that_comes_twice_counts_at_its_first_place_and_pictures_beyond_k_not_at_all() -> None:
    grades = {"q": {"x": 1, "y": 1, "z": 1}}
    twice = scores({"q": ["x", "x", "y"]}, grades, Protocol(k=2))
    assert twice == scores({"q": ["x", "y", "z"]}, grades, Protocol(k=2))
    assert scores({"q": ["n", "n", "m", "x"]}, grades, Protocol(k=2))["q"].rr == 0


@pytest.mark.parametrize("grade", [4, -1, 1.5, True])
def test_a_grade_that_is_not_on_the_scale_is_refused(grade: int) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 3"):
        scores({"q": ["x"]}, {"q": {"x": grade}}, Protocol())


def test_eight_threads_at_once_get_what_one_gets() -> None:
    sets = [random_set(seed, 10, 3) for seed in range(8)]
    alone = [scores(rankings, grades, Protocol()) for rankings, grades in sets]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda each: scores(each[0], each[1], Protocol()), sets * 5))
    assert together == alone * 5


def test_means_are_of_each_value_and_may_be_weighted() -> None:
    values = {"x": Scores(1, 0.5, 1, 0, 1), "y": Scores(0, 0.5, 0.5, 0, 0)}
    assert mean(values) == Scores(0.5, 0.5, 0.75, 0, 0.5)
    assert weighted(values, {"x": 3, "y": 1}) == Scores(0.75, 0.5, 0.875, 0, 0.75)
    assert mean({}) is None
