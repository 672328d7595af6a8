"""An old threshold in a new model's scores: the same precision, or as many answers, with an interval or a reason."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_rel

from benchmarks.thresholds import CUT, DEPTH, World, scored, truth
from console_core.errors import Refused
from console_core.querylab.rankings import Grades
from console_core.querylab.threshold_code import Side, as_json, as_python
from console_core.querylab.threshold_fits import Numbers
from console_core.querylab.threshold_interval import interval
from console_core.querylab.thresholds import Basis, Scored, Translation, translate
from console_core.vectorstore.types import CollectionInfo

OLD = Side("images", "siglip", "0ld")
NEW = Side("images-2", "clip", "f00d")


def world(queries: int, seed: int) -> tuple[Scored, Scored, Grades]:
    """Answers of two models whose scores look nothing alike, and who is relevant; pictures are judged all."""
    random = np.random.default_rng(seed)
    shape = (queries, DEPTH)
    relevant = random.random(shape) < 0.25
    ease = random.normal(size=(queries, 1))
    old = 1.3 * relevant + 0.25 * ease + 0.8 * random.normal(size=shape) - 0.5
    new = 0.25 + 0.05 * np.tanh(0.8 * relevant + 0.15 * ease + 0.5 * random.normal(size=shape))
    grades = {f"q{q}": {f"p{p}": int(relevant[q, p]) for p in range(DEPTH)} for q in range(queries)}
    return scored(old), scored(new), grades


def precision(column: Scored, grades: Grades, cut: float) -> float:
    passed = [grades[query][key] for query, hits in column.items() for key, score in hits if score >= cut]
    return float(np.mean(passed))


def volume(column: Scored, cut: float) -> float:
    return sum(score >= cut for hits in column.values() for _, score in hits) / len(column)


@pytest.mark.parametrize("seed", range(3))
def test_on_held_out_judgments_the_precision_is_the_old_ones_within_two_points(seed: int) -> None:
    old, new, grades = world(500, seed)
    found = translate(old, new, CUT, grades)
    assert found.problems == ()
    assert found.new is not None
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.new < found.high
    held_old, held_new, held = world(1500, 100 + seed)
    assert abs(precision(held_new, held, found.new) - precision(held_old, held, CUT)) < 0.02
    assert found.new_precision == pytest.approx(precision(new, grades, found.new))
    assert found.old_precision == pytest.approx(precision(old, grades, CUT))
    assert found.new_volume == pytest.approx(volume(new, found.new))
    assert found.held_out is not None
    assert 0 <= found.held_out < 5


@pytest.mark.parametrize(
    ("kind", "queries", "worlds"),
    [("alike", 20, 600), ("alike", 40, 400), ("alike", 100, 150), ("unlike", 20, 400), ("unlike", 100, 100)],
)
def test_the_interval_has_the_true_threshold_in_it_as_often_as_it_says(kind: str, queries: int, worlds: int) -> None:
    """For both aims, and neither side is missed more often than it should: three standard errors are allowed."""
    drawn = [World.drawn(kind, queries, seed) for seed in range(worlds)]
    columns = [(numbers(world.old, world.relevant), numbers(world.new, world.relevant)) for world in drawn]
    aims: tuple[Basis, ...] = ("precision", "volume")
    for aim in aims:
        found = [interval(before, after, CUT, aim, 0.95) for before, after in columns]
        low, high = np.array([ends for ends in found if ends is not None]).T
        assert len(low) > 0.8 * worlds
        true = truth(kind, aim)
        for missed, allowed in (((high < true) | (low > true), 0.05), (high < true, 0.025), (low > true, 0.025)):
            assert np.mean(missed) <= allowed + 3 * (allowed * (1 - allowed) / len(low)) ** 0.5, aim


def numbers(scores: Any, relevant: Any) -> Numbers:
    """What `Numbers.of` makes of a column whose answers are all judged."""
    order = np.argsort(-scores, axis=None)
    query = np.repeat(np.arange(len(scores)), scores.shape[1])[order]
    return Numbers(
        scores.ravel()[order], query, np.ones(scores.size, dtype=bool), relevant.ravel()[order], scores.min(axis=1)
    )


@pytest.mark.parametrize("aim", ["precision", "volume"])
def test_the_interval_is_what_students_test_of_each_query_set_does_not_reject(aim: Basis) -> None:
    """Threshold by threshold, from each query's own counts, with the test of scipy."""
    world = World.drawn("unlike", 20, 3)
    unjudged = np.random.default_rng(2).random(world.relevant.shape) < 0.1
    grades = {f"q{q}": {f"p{p}": int(world.relevant[q, p]) for p in np.flatnonzero(~unjudged[q])} for q in range(20)}
    rounded = np.round(world.new, 3)  # many are equal
    ids = [f"q{q}" for q in range(20)]
    judged = grades if aim == "precision" else None
    before, after = (Numbers.of(scored(one), ids, judged, 1) for one in (world.old, rounded))

    def counts(scores: Any, cut: float) -> tuple[Any, Any]:
        passed = (scores >= cut) & ~unjudged
        return passed.sum(axis=1), (passed & world.relevant).sum(axis=1)

    kept = []
    cuts = sorted(set(rounded[~unjudged].tolist()))
    for cut in cuts:
        (n, hits), (n_old, hits_old) = counts(rounded, cut), counts(world.old, CUT)
        if aim == "volume":
            found = ttest_rel((rounded >= cut).sum(axis=1), (world.old >= CUT).sum(axis=1)).pvalue
        else:
            new, old = hits.sum() / n.sum(), hits_old.sum() / n_old.sum()
            values = (hits - new * n) / n.mean() - (hits_old - old * n_old) / n_old.mean()
            found = ttest_1samp(values + new - old, 0).pvalue
        if n.sum() >= 30 and found >= 0.05:
            kept.append(cut)
    assert interval(before, after, CUT, aim, 0.95) == (cuts[cuts.index(min(kept)) - 1], max(kept))


def test_more_confidence_and_fewer_queries_make_a_wider_interval_and_an_open_one_is_not_told() -> None:
    world = World.drawn("alike", 100, 1)

    def width(queries: int, confidence: float) -> float:
        before, after = (numbers(one[:queries], world.relevant[:queries]) for one in (world.old, world.new))
        found = interval(before, after, CUT, "volume", confidence)
        assert found is not None
        return found[1] - found[0]

    assert width(100, 0.8) < width(100, 0.95) < width(25, 0.95) < width(25, 0.99)
    old, new = [numbers(one[:, :12], world.relevant[:, :12]) for one in (world.old, world.new)]
    assert interval(old, new, float(world.old.min()), "volume", 0.95) is None


def test_without_judgments_as_many_answers_come_as_before() -> None:
    old, new, _ = world(300, 4)
    found = translate(old, new, CUT)
    assert (found.basis, found.judged, found.old_precision, found.held_out) == ("volume", 0, None, None)
    assert found.new is not None
    assert found.old_volume == pytest.approx(volume(old, CUT))
    assert volume(new, found.new) == pytest.approx(volume(old, CUT), abs=1 / 300)
    assert found.new_volume == pytest.approx(volume(new, found.new))


def rescale(score: float | None) -> float:
    assert score is not None
    return score**3 * 7 - 2


def passing(column: Scored, cut: float) -> set[tuple[str, str]]:
    return {(query, key) for query, hits in column.items() for key, score in hits if score >= cut}


@pytest.mark.parametrize("judged", [True, False])
def test_a_monotone_rescaling_of_either_models_scores_changes_the_threshold_accordingly_and_nothing_else(
    judged: bool,
) -> None:
    old, new, judged_all = world(80, 5)
    grades = judged_all if judged else None
    rescaled = {query: [(key, rescale(score)) for key, score in hits] for query, hits in new.items()}
    stretched = {query: [(key, 2 * score) for key, score in hits] for query, hits in old.items()}
    plain, other = translate(old, new, CUT, grades), translate(stretched, rescaled, 2 * CUT, grades)
    assert None not in (plain.new, plain.low, plain.high)
    for name in ("old_precision", "new_precision", "old_volume", "new_volume", "held_out", "judged", "problems"):
        assert getattr(plain, name) == getattr(other, name), name
    for name in ("new", "low", "high"):  # what passes is the same, at the threshold and at both ends
        cut, moved = getattr(plain, name), getattr(other, name)
        assert passing(new, cut) == passing(rescaled, moved), name
    assert (other.low, other.high) == (rescale(plain.low), rescale(plain.high))


def test_the_same_input_gives_the_same_bits_from_any_thread() -> None:
    old, new, grades = world(40, 6)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: translate(old, new, CUT, grades), range(8)))
    assert len(set(found)) == 1
    assert found[0] == translate({query: old[query] for query in sorted(old, reverse=True)}, new, CUT, grades)


def refused(found: Translation) -> str:
    assert (found.new, found.low, found.high, found.held_out) == (None, None, None, None)
    return " ".join(found.problems)


def test_too_little_is_said_and_no_threshold_is_proposed() -> None:
    old, new, grades = world(60, 8)
    few = {query: old[query] for query in list(old)[:19]}
    assert refused(translate(few, new, CUT, grades)).startswith("There are 19 queries that both columns answered")
    assert "judged answers from its threshold on" in refused(translate(old, new, 2.4, grades))
    assert "ask for more answers" in refused(translate(old, new, -9.0, grades))
    assert "ask for more answers" in refused(translate(old, new, -9.0))
    short = {query: hits[:3] for query, hits in new.items()}
    assert "never as many" in refused(translate(old, short, CUT))


def test_answers_that_nobody_judged_do_not_count_as_irrelevant() -> None:
    old, new, grades = world(60, 9)
    of_old = {query: {key: grades[query][key] for key, _ in hits[:20]} for query, hits in old.items()}
    said = refused(translate(old, new, CUT, of_old))
    assert "Of the new column's answers" in said
    assert "are judged, and 90% are needed" in said


def test_a_model_that_is_never_as_precise_gets_no_threshold() -> None:
    old, _, grades = world(60, 10)
    useless = scored(np.random.default_rng(1).random((60, DEPTH)))
    assert "never as precise" in refused(translate(old, useless, 1.5, grades))


def run(code: str) -> Mapping[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "pasted.py", "exec"), names)
    return names


@pytest.mark.parametrize("judged", [True, False])
def test_the_exported_code_passes_what_the_threshold_passes_and_refuses_another_models_scores(judged: bool) -> None:
    old, new, grades = world(60, 11)
    found = translate(old, new, CUT, grades if judged else None)
    assert found.new is not None
    code = as_python(found, OLD, NEW)
    pasted = run(code)
    scores = [score for hits in new.values() for _, score in hits]
    assert sum(pasted["passes"](score, "f00d") for score in scores) == sum(score >= found.new for score in scores)
    with pytest.raises(ValueError, match="for f00d, and not for 0ld"):
        pasted["passes"](0.3, "0ld")
    assert all(said in code for said in ('"0ld"', "60 queries", f"{found.low:.6g} to {found.high:.6g}"))
    assert ("judged answers" in code) == judged
    assert max(map(len, code.splitlines())) <= 105


def test_the_json_says_all_that_the_translation_knows() -> None:
    old, new, grades = world(60, 12)
    found = translate(old, new, CUT, grades)
    told = json.loads(as_json(found, OLD, NEW))
    assert told["new"] == {"collection": "images-2", "model": "clip", "fingerprint": "f00d", "threshold": found.new}
    assert told["old"]["threshold"] == CUT
    assert told["interval"] == {"low": found.low, "high": found.high, "confidence": 0.95}
    assert told["precision"] == {"old": found.old_precision, "new": found.new_precision}
    assert (told["queries"], told["judged_answers"]) == (60, found.judged)


def test_odd_names_cannot_break_out_of_the_exported_comment() -> None:
    old, new, grades = world(60, 13)
    found = translate(old, new, CUT, grades)
    odd = replace(NEW, collection="a\nraise SystemExit\n#", model='"\r\nimport os', fingerprint="f'\n\\")
    pasted = run(as_python(found, odd, odd))
    assert pasted["MADE_BY"] == "f'\n\\"
    assert "os" not in pasted


def test_nothing_is_exported_without_a_threshold_or_without_knowing_the_model() -> None:
    old, new, grades = world(10, 14)
    found = translate(old, new, CUT, grades)
    for export in (as_python, as_json):
        with pytest.raises(Refused, match="no threshold") as error:
            export(found, OLD, NEW)
        assert "10 queries" in error.value.remedy
    bare = CollectionInfo("images", 3, "cosine", 0, "green", None, (), {}, {}, ())
    with pytest.raises(Refused, match="which model"):
        Side.of(bare)
