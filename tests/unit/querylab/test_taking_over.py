"""A least score taken over to another column: as many pictures of the sample reach it, with an interval or a reason."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from console_core.querylab.calibration import Sample
from console_core.querylab.taking_over import TakenOver, taken_over
from console_core.vectorstore.types import Vector

QUERY = np.array([1, 0], dtype=np.float32)
Columns = tuple[Sample, Sample]


def drawn(seed: int, pictures: int = 2000) -> Columns:
    """Samples whose scores are any number: the first coordinates of vectors under "dot". What both columns see of a
    picture is the half of it, and the new one's scores are exponentials."""
    random = np.random.default_rng(seed)
    shared, own, others = random.normal(size=(3, pictures))
    ids = tuple(range(pictures))
    both = (np.sqrt(0.5) * (shared + own), np.exp(np.sqrt(0.5) * (shared + others)))
    old, new = (Sample(ids, np.stack([one, 0 * one], axis=1).astype(np.float32), "dot") for one in both)
    return old, new


def over(columns: Columns, threshold: float, query: Vector = QUERY) -> TakenOver:
    return taken_over(columns[0], query, threshold, columns[1], query)


def passing(sample: Sample, threshold: float | None) -> int:
    assert threshold is not None
    return int(np.sum(sample.vectors[:, 0] >= threshold))


def test_as_many_pictures_of_the_sample_reach_the_new_least_score() -> None:
    old, new = drawn(1)
    found = over((old, new), 2.0)
    assert (found.passing, found.sampled, found.problem) == (passing(old, 2.0), 2000, "")
    assert passing(new, found.threshold) == found.passing > 30
    assert len(f"{found.threshold:g}") <= 5, "no more digits than it takes"
    assert None not in (found.low, found.high)
    assert passing(new, found.low) > found.passing > passing(new, found.high) > 0


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_the_interval_has_the_true_least_score_in_it_as_often_as_it_says(share: float) -> None:
    """True is what lets the same share of all pictures through. Three standard errors are allowed."""
    cut = float(norm.isf(share))
    found = [over(drawn(seed), cut) for seed in range(300)]
    ends = np.array([(one.low, one.high) for one in found if one.low is not None and one.high is not None])
    assert len(ends) > 295
    true = np.exp(cut)
    for missed, allowed in ((ends[:, 1] < true, 0.025), (ends[:, 0] > true, 0.025)):
        assert np.mean(missed) <= allowed + 3 * (allowed * (1 - allowed) / len(ends)) ** 0.5


def test_a_rescaling_of_the_new_models_scores_moves_the_least_score_and_its_interval_alike() -> None:
    old, new = drawn(2)
    cubed = replace(new, vectors=new.vectors**3)
    plain, other = over((old, new), 1.5), over((old, cubed), 1.5)
    for name in ("threshold", "low", "high"):
        assert passing(new, getattr(plain, name)) == passing(cubed, getattr(other, name)), name


def test_pictures_of_one_sample_only_are_left_out_and_their_order_does_not_matter() -> None:
    old, new = drawn(3)
    whole = over((old, new), 1.5)
    extra = Sample((*new.ids[::-1], "x", "y"), np.vstack([new.vectors[::-1], [[9, 0], [8, 0]]]), "dot")
    assert over((old, extra), 1.5) == whole


def test_where_the_sample_says_too_little_no_least_score_is_proposed() -> None:
    old, new = drawn(4)
    few = Sample(new.ids[:39], new.vectors[:39], "dot")
    for columns, cut, said in (
        ((old, few), 1.0, "39 pictures in common"),
        ((old, new), 9.0, "No picture of the sample scores as high"),
        ((old, new), float(np.sort(old.vectors[:, 0])[-2]), "2 of 2,000 pictures of the sample score as high"),
        ((old, new), -9.0, "no end"),
    ):
        found = over(columns, cut)
        assert (found.threshold, found.low, found.high) == (None, None, None)
        assert said in found.problem
