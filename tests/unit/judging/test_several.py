"""Several comparisons: how often any of them is wrong, and that what is decided leaves more to the others."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from console_core.judging.protocol import Protocol
from console_core.judging.sampling import draw
from console_core.judging.several import adjusted, together
from console_core.judging.verdict import Verdict, decide, decided_with

PROTOCOL = Protocol(k=5, seed=11)
ALIKE = {f"q{number:03}": [f"x{number}"] for number in range(400)}
MADE = decide(PROTOCOL, PROTOCOL.digest, ALIKE, ALIKE, {}, resamples=9)


def verdict(values: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> Verdict:
    """A verdict whose differences are these, decided by itself."""
    sample = draw(dict.fromkeys(ALIKE, 1.0), 0, 0)
    differences = dict(zip(sample.queue, map(float, values), strict=True))
    return decided_with(replace(MADE, sample=sample, differences=differences), PROTOCOL.confidence, resamples=99)


def noise(seed: int, mean: float, spread: float = 0.15) -> Verdict:
    """Four hundred differences whose mean is exactly this."""
    values = np.random.default_rng(seed).normal(0, spread, 400)
    return verdict(values - values.mean() + mean)


def test_a_single_comparison_is_decided_as_it_was_locked() -> None:
    one = noise(0, 0.0)
    assert together([one]) == (one,)


def test_of_three_columns_at_the_margin_hardly_more_than_five_in_a_hundred_sets_have_any_passed() -> None:
    chance = np.random.default_rng(3)
    alone, corrected = 0, 0
    for _ in range(300):
        made = [verdict(chance.normal(-0.05, 0.2, 400)) for _ in range(3)]
        alone += any(one.outcome == "non-inferior" for one in made)
        corrected += any(one.outcome == "non-inferior" for one in together(made, resamples=199))
    assert alone > corrected
    assert corrected <= 0.065 * 300


def test_what_is_decided_leaves_more_to_the_others() -> None:
    """The bound of the second is above the margin with 95 %, and not with 97.5 %."""
    clear, close = noise(1, 0.2), noise(2, -0.05 + 0.0166)
    assert close.outcome == "non-inferior"
    passed = together([clear, close], resamples=9999)
    assert [one.outcome for one in passed] == ["non-inferior", "non-inferior"]
    assert [one.decision.estimate.confidence for one in passed if one.decision] == [pytest.approx(0.975), 0.95]
    failed = together([noise(3, -0.045), close], resamples=9999)
    assert [one.outcome for one in failed] == ["inconclusive", "inconclusive"]
    assert failed[1].further is not None
    assert [one.among for one in failed] == [2, 2]
    worse = together([noise(1, -0.4), close], resamples=9999)
    assert [one.outcome for one in worse] == ["inferior", "inconclusive"]


def test_a_withheld_comparison_counts_among_them() -> None:
    withheld = decide(PROTOCOL, None, ALIKE, ALIKE, {})
    found = together([withheld, noise(1, 0.2)])
    assert [one.outcome for one in found] == ["withheld", "non-inferior"]
    assert found[1].decision is not None
    assert found[1].decision.estimate.confidence == pytest.approx(0.975)
    assert "97.5% sure" in found[1].text
    assert "one of 2 comparisons" in found[1].text


def test_every_p_is_holms() -> None:
    assert adjusted([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert adjusted([0.9, 0.8]) == [1, 1]
    assert adjusted([]) == []
    chances = list(stats.uniform.rvs(size=6, random_state=1))
    assert all(each >= raw for each, raw in zip(adjusted(chances), chances, strict=True))
