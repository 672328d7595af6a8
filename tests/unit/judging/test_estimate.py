"""Intervals and the sign-flip test: scipy's values, what enumeration gives, equal differences, and how many more."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from console_core.judging.estimate import (
    _FREEDOM,
    Estimate,
    estimate,
    freedom,
    guarded,
    more,
    needed,
    paired,
    sign_flip,
)


def drawn(n: int, mean: float = 0.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.2, n)


def test_the_bounds_and_p_are_those_of_students_paired_test() -> None:
    values = drawn(40, -0.01)
    found = paired(values, 0.95)
    above = stats.ttest_1samp(values, -0.05, alternative="greater")
    assert found.lower == pytest.approx(above.confidence_interval(0.95).low, abs=1e-12)
    below = stats.ttest_1samp(values, -0.05, alternative="less")
    assert found.upper == pytest.approx(below.confidence_interval(0.95).high, abs=1e-12)
    assert found.p_above(-0.05) == pytest.approx(above.pvalue, abs=1e-12)
    assert found.spread == pytest.approx(values.std(ddof=1))


@pytest.mark.parametrize("value", [0.0, 0.1, -0.3])
def test_equal_differences_have_an_interval_of_no_width_and_no_p_of_0(value: float) -> None:
    found = paired([value] * 30, 0.95)
    assert (found.lower, found.mean, found.upper, found.error) == (value, value, value, 0)
    assert found.p_above(-0.05) == (0.5**30 if value > -0.05 else 1)


def test_a_mean_at_the_limit_itself_is_on_neither_side_of_it() -> None:
    found = paired([0.1 + 0.2 - 0.35] * 20, 0.95)
    assert found.mean != -0.05
    assert not found.is_above(-0.05)
    assert not found.is_below(-0.05)


def test_no_p_is_0_however_far_the_mean_is() -> None:
    assert estimate(0.9, 1e-9, 500, 501, 0.95).p_above(-0.05) > 0
    assert paired([0.5] * 5000, 0.95).p_above(0) > 0
    assert sign_flip(np.full(200, 0.3), "above", 0, 99).p == 1 / 100


def test_one_difference_has_no_interval() -> None:
    with pytest.raises(ValueError, match="no interval"):
        paired([0.1], 0.95)


@pytest.mark.parametrize("side", ["above", "below"])
def test_with_few_queries_every_sign_pattern_is_looked_at(side: str) -> None:
    values = drawn(8, 0.05)
    sums = np.array([np.dot(signs, values) for signs in product((1, -1), repeat=8)])
    share = np.mean(sums >= values.sum() - 1e-12 if side == "above" else sums <= values.sum() + 1e-12)
    found = sign_flip(values, "above" if side == "above" else "below", 0)
    assert found.p == pytest.approx(share, abs=1e-12)
    assert found.resamples == 256


def test_with_many_it_is_near_what_the_t_test_says_and_counts_itself() -> None:
    values = drawn(60, 0.03)
    found = sign_flip(values, "above", 3, 1999)
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0, alternative="greater").pvalue, abs=0.03)
    assert found.p * 2000 == pytest.approx(round(found.p * 2000))


def test_differences_that_are_all_nothing_are_no_evidence() -> None:
    assert sign_flip(np.full(50, 1e-17), "above", 0).p == 1


def test_one_more_query_that_loses_or_wins_everything_widens_the_interval_to_its_side() -> None:
    values = drawn(40, -0.01)
    lost, won = guarded(values, 0.95)
    for found, one in ((lost, -1.0), (won, 1.0)):
        usual = paired([*values, one], 0.95)
        assert (found.mean, found.n) == pytest.approx((usual.mean, usual.n), rel=1e-12)
        assert found.error == pytest.approx(usual.error, rel=1e-12)
        assert _FREEDOM < found.freedom < usual.freedom == 40
    assert lost.lower < paired(values, 0.95).lower < paired(values, 0.95).upper < won.upper


@pytest.mark.parametrize(
    ("spread", "margin", "mean"), [(0.15, 0.05, 0), (0.2, 0.05, 0), (0.25, 0.1, 0), (0.2, 0.1, -0.03)]
)
def test_so_many_queries_have_the_power_that_was_asked_for(spread: float, margin: float, mean: float) -> None:
    n = needed(spread, margin, 0.95, mean=mean)
    values = np.random.default_rng(2).normal(mean, spread, (4000, n))
    values = np.append(values, np.full((4000, 1), -1.0), axis=1)
    tails = np.array([freedom(each) for each in values])
    lower = values.mean(1) - stats.t.ppf(0.95, tails) * values.std(1, ddof=1) / (n + 1) ** 0.5
    assert np.mean(lower > -margin) == pytest.approx(0.8, abs=0.03)


def test_a_variance_has_the_freedom_that_the_tails_of_its_values_leave_it() -> None:
    """The variance of sample variances of rare losses, beside that of a chi-square with so many degrees of freedom."""
    chance = np.random.default_rng(4)
    losses = -(chance.random((20_000, 200)) < 0.1).astype(np.float64)
    variances = losses.var(1, ddof=1)
    seen = 2 * variances.mean() ** 2 / variances.var()
    whole = -(np.arange(200) < 20).astype(np.float64)
    assert freedom(whole) == pytest.approx(seen, rel=0.05)
    assert freedom(whole) < 60
    assert freedom(chance.uniform(-1, 1, 200)) == 199
    assert freedom(np.array([0.0] * 99 + [-1.0])) == _FREEDOM
    assert freedom(np.zeros(50)) == 49
    assert freedom(np.array([0.2, 0.1])) == 1


@pytest.mark.parametrize(("margin", "queries"), [(0.05, 60), (0.03, 100), (0.02, 150)])
def test_of_columns_that_never_differ_as_many_queries_are_enough_as_the_rule_of_three_says(
    margin: float, queries: int
) -> None:
    assert needed(0, margin, 0.95) == queries
    assert guarded([0.0] * queries, 0.95)[0].is_above(-margin)
    assert not guarded([0.0] * (queries - 1), 0.95)[0].is_above(-margin)


def test_a_query_that_weighs_more_than_others_takes_more_of_them() -> None:
    assert needed(0, 0.05, 0.95, reach=2) == pytest.approx(2 * needed(0, 0.05, 0.95), abs=3)


def mean_of(mean: float, error: float, n: int) -> Estimate:
    return estimate(mean, error, n - 1, n, 0.95)


def test_further_queries_are_what_the_observed_spread_lacks() -> None:
    found = more(mean_of(-0.01, 0.2 / 5, 25), 0.05)
    assert found.if_equal + 25 == needed(0.2, 0.05, 0.95)
    assert found.as_observed is not None
    assert found.as_observed + 25 == needed(0.2, 0.05, 0.95, mean=-0.01) > found.if_equal + 25
    assert not found.hopeless


def test_an_observed_difference_beyond_the_margin_is_hopeless() -> None:
    assert more(mean_of(-0.05, 0.04, 25), 0.05).hopeless
    assert more(mean_of(-0.2, 0.5, 25), 0.05).as_observed is None
    assert more(mean_of(-0.0499, 0.04, 25), 0.05).hopeless


def test_with_enough_queries_for_equal_columns_only_the_observed_difference_asks_for_more() -> None:
    found = more(mean_of(-0.04, 0.01, 400), 0.05)
    assert found.if_equal == 0
    assert found.as_observed is not None
    assert found.as_observed > 1000
