"""How often a verdict is wrong: at the margin itself, with usual differences and with rare and great ones."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from console_core.judging.decision import Decision, settle
from console_core.judging.estimate import guarded, paired
from console_core.judging.protocol import Protocol
from console_core.judging.sampling import draw, reweighted, reweighted_guarded, sample_of
from console_core.judging.several import together
from console_core.judging.verdict import decide

PROTOCOL = Protocol(k=5, seed=11)


def settled(values: npt.NDArray[np.float64], resamples: int = 499) -> Decision:
    return settle(paired(values, 0.95), guarded(values, 0.95), values + 0.05, PROTOCOL, resamples=resamples)


def test_where_the_sign_flip_test_does_not_agree_nothing_is_decided() -> None:
    """One great loss among small gains: Student's bound is just above the margin, the signs are not so sure."""
    for seed in range(500):
        values = np.random.default_rng(seed).normal(0, 0.08, 10)
        mean = paired(values, 0.95)
        found = settle(mean, (mean, mean), values + 0.05, PROTOCOL, resamples=999)
        if found.estimate.is_above(-0.05) and found.check is not None and found.check.p > 0.05:
            assert found.outcome == "inconclusive"
            return
    pytest.fail("The two never disagreed.")


@pytest.mark.parametrize(("queries", "least"), [(70, 0.0005), (150, 0.01)])
def test_at_the_margin_itself_at_most_six_in_a_hundred_are_called_non_inferior(queries: int, least: float) -> None:
    """2,000 sets whose mean loss is the margin exactly: spread 0.2, a third of the queries without any difference."""
    chance = np.random.default_rng(queries)
    values = np.where(chance.random((2000, queries)) < 0.35, 0.0, chance.normal(-0.05 / 0.65, 0.245, (2000, queries)))
    outcomes = [settled(each).outcome for each in values]
    assert least <= outcomes.count("non-inferior") / 2000 <= 0.06
    assert outcomes.count("inferior") / 2000 <= 0.06


@pytest.mark.parametrize("queries", [10, 30, 60, 100])
@pytest.mark.parametrize(
    ("share", "rare", "side"), [(0.05, -1, "non-inferior"), (0.1, -0.5, "non-inferior"), (0.05, 1, "inferior")]
)
def test_rare_and_great_losses_at_the_margin_are_called_non_inferior_at_most_six_times_in_a_hundred(
    queries: int, share: float, rare: float, side: str
) -> None:
    """The mean is the margin exactly, and queries are of two kinds; so each number of rare ones is settled once, and
    weighs what the binomial distribution gives it."""
    usual = (-0.05 - share * rare) / (1 - share)
    wrong, alone = 0.0, 0.0
    for count in range(min(queries, 25)):
        values = np.full(queries, usual)
        values[:count] = rare
        found, chance = settled(values), float(stats.binom.pmf(count, queries, share))
        wrong += chance * (found.outcome == side)
        bound = found.estimate
        alone += chance * (bound.is_above(-0.05) if side == "non-inferior" else bound.is_below(-0.05))
    assert wrong <= 0.06
    assert alone > 0.1


@pytest.mark.parametrize("margin", [0.02, 0.03, 0.05, 0.1])
def test_whole_losses_at_the_margin_pass_at_most_six_times_in_a_hundred_with_any_number_of_queries(
    margin: float,
) -> None:
    """Exact: with each number of lost queries there is one bound, and a probability of as many or fewer."""
    for queries in [*range(20, 220, 7), 235, 432]:
        lost = 0
        while guarded(-(np.arange(queries) < lost).astype(np.float64), 0.95)[0].is_above(-margin):
            lost += 1
        assert stats.binom.cdf(lost - 1, queries, margin) <= 0.06


@pytest.mark.parametrize("bounded", [True, False])
def test_where_queries_are_drawn_rare_losses_are_seldom_called_non_inferior_and_equal_ones_often(bounded: bool) -> None:
    """Whatever is lost is all that was at stake. Where stakes are not known, any query might have lost everything."""
    chance = np.random.default_rng(9)
    names = [f"q{number:03}" for number in range(250)]
    wrong, alone, equal = 0, 0, 0
    for trial in range(250):
        at_stake = chance.beta(1.2, 1.5, 250) + 1e-3
        sample = draw(dict(zip(names, np.minimum(at_stake, 1), strict=True)), 60, trial, bounded=bounded)
        worth = at_stake if bounded else np.ones(250)
        lost = np.where(chance.random(250) < 0.05 / worth.mean(), -worth, 0.0)
        differences = dict(zip(names, map(float, lost), strict=True))
        alone += reweighted(sample, differences, 0.95, beyond=True).is_above(-0.05)
        wrong += reweighted_guarded(sample, differences, 0.95)[0].is_above(-0.05)
        differences = dict(zip(names, map(float, worth * chance.normal(0, 0.2, 250)), strict=True))
        equal += reweighted_guarded(sample, differences, 0.95)[0].is_above(-0.05)
    assert wrong / 250 <= 0.06
    assert alone > 2 * wrong
    assert equal / 250 > 0.8 if bounded else equal == 0


def test_of_two_columns_that_lose_the_margin_hardly_ever_does_one_pass_and_of_equal_ones_mostly_both() -> None:
    """The whole way, from rankings and grades: three columns share no picture, and a picture of A is relevant with
    another chance than one of B and C."""
    protocol = Protocol(metric="P", scale="yes/no", k=5, margin=0.1, seed=4)
    names = [f"q{number:02}" for number in range(100)]
    columns = [{query: [f"{letter} {query} {place}" for place in range(5)] for query in names} for letter in "abc"]
    sample = sample_of(protocol, columns)
    chance = np.random.default_rng(8)
    wrong, right = 0, 0
    for others, trials in ((0.5, 34), (0.6, 8)):
        for _ in range(trials):
            relevant = {"a": chance.random((100, 5)) < 0.6} | {one: chance.random((100, 5)) < others for one in "bc"}
            grades = {
                query: {
                    f"{letter} {query} {place}": int(found[number, place])
                    for letter, found in relevant.items()
                    for place in range(5)
                }
                for number, query in enumerate(names)
            }
            found = [
                decide(protocol, protocol.digest, columns[0], column, grades, sample, resamples=199)
                for column in columns[1:]
            ]
            passed = [one.outcome == "non-inferior" for one in together(found, resamples=199)]
            wrong += any(passed) if others == 0.5 else 0
            right += all(passed) if others == 0.6 else 0
    assert wrong <= 0.06 * 34
    assert right > 0.4 * 8
