"""Builds that travel together: one decoding of each picture, and each with its own run, books, failures and end."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from console_core.database import Database
from console_core.errors import StoreRefused
from console_core.migration.breaker import LIMIT
from console_core.runs.types import Run, RunState, Verb
from console_core.vectorstore.provenance import point_id
from tests.grid_model import Grid
from tests.lifecycle.convoys import MODELS, Holding, Rig, durable
from tests.lifecycle.forking import Forks

PICTURES = 400
MANY = 600
TARGETS = [f"with-{model}" for model in MODELS]


@pytest.fixture
def rig(tmp_path: Path, database: Database) -> Iterator[Rig]:
    made = Rig(tmp_path, database, Holding(), PICTURES)
    yield made
    made.close()


def begun(rig: Rig) -> list[Run]:
    """The three runs, at work."""
    runs = rig.submit(*map(rig.plan, MODELS))
    rig.start()
    return runs


def expected(rig: Rig) -> dict[str, dict[object, object]]:
    """What three builds, one after the other, put into their collections."""
    rig.rest()
    apart = Rig(rig.root.parent, rig.ledger.database, Holding(), PICTURES)
    runs = apart.submit(*(apart.plan(model, target=f"{model}-apart", convoy="") for model in MODELS))
    apart.start()
    for run in runs:
        assert apart.ended(run).state is RunState.SUCCEEDED
    apart.close()
    assert len(apart.images.asked) == PICTURES * len(MODELS)
    return {f"with-{model}": apart.points(f"{model}-apart") for model in MODELS}


def assert_same(found: dict[object, object], wanted: dict[object, object]) -> None:
    assert found.keys() == wanted.keys()
    for key, vector in wanted.items():
        np.testing.assert_allclose(found[key], vector, atol=1e-6)  # type: ignore[call-overload]


def to_the_middle(rig: Rig) -> list[Run]:
    """The three runs, each of which has written something and waits for the store."""
    rig.store.holds_after = 10
    runs = begun(rig)
    for run in runs:
        rig.until(run, lambda now: now.counts.done > 40)
    return runs


def test_each_picture_is_decoded_once_for_three_models_and_every_run_has_its_own_books(rig: Rig) -> None:
    runs = [rig.ended(run) for run in begun(rig)]
    for run in runs:
        assert (run.state, run.counts.selected, run.counts.done) == (RunState.SUCCEEDED, PICTURES, PICTURES)
        assert [attempt.outcome for attempt in rig.ledger.attempts(run.id)] == ["succeeded"]
    assert sorted(rig.images.asked) == sorted(f"{key}.png" for key in range(1, PICTURES + 1))
    assert [model.embedded for model in rig.models.values()] == [PICTURES] * 3
    for target, points in expected(rig).items():
        assert_same(rig.points(target), points)


def test_other_runs_of_the_lane_wait_until_the_convoy_has_ended(rig: Rig) -> None:
    runs = rig.submit(*map(rig.plan, MODELS))
    (other,) = rig.submit(rig.plan("grid", target="other", convoy=""))
    rig.start()
    assert rig.ended(other).state is RunState.SUCCEEDED
    (waited,) = rig.ledger.attempts(other.id)
    for run in runs:
        finished = rig.ledger.attempts(run.id)[0].finished_at
        assert finished is not None
        assert finished <= waited.started_at


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_that_is_paused_lets_the_others_go_on_and_resumes_alone_to_the_same_points(rig: Rig, number: int) -> None:
    runs = to_the_middle(rig)
    resting = runs.pop(number)
    rig.ledger.ask(resting.id, Verb.PAUSE, "jo")
    rig.store.goes_on.set()
    paused = rig.until(resting, lambda run: run.state is RunState.PAUSED)
    for run in runs:
        assert rig.ended(run).state is RunState.SUCCEEDED
    assert rig.ledger.get(resting.id) == paused
    rig.resume(resting)
    again = rig.until(resting, lambda run: run.state is RunState.SUCCEEDED)
    assert again.counts.done == PICTURES
    assert len(rig.images.asked) < 2 * PICTURES
    for target, points in expected(rig).items():
        assert_same(rig.points(target), points)


def test_one_that_is_cancelled_keeps_what_it_wrote_and_costs_the_others_nothing(rig: Rig) -> None:
    first, *others = to_the_middle(rig)
    rig.ledger.ask(first.id, Verb.CANCEL, "jo")
    rig.store.goes_on.set()
    cancelled = rig.ended(first)
    assert cancelled.state is RunState.CANCELLED
    for run in others:
        assert rig.ended(run).counts.done == PICTURES
    assert sorted(rig.images.asked) == sorted(f"{key}.png" for key in range(1, PICTURES + 1))
    assert PICTURES > len(rig.points(first.target)) >= cancelled.counts.done > 0


def test_one_whose_store_refuses_everything_trips_its_own_breaker_only(rig: Rig) -> None:
    upsert = rig.store.upsert

    def refusing(name: str, points: list[object], *, as_is: bool = False) -> int:
        if name == "with-negative":
            raise StoreRefused("Points are not taken here.")
        return int(upsert(name, points))

    rig.store.upsert = refusing
    good, bad, other = (rig.ended(run) for run in begun(rig))
    assert bad.state is RunState.FAILED
    assert f"{LIMIT} of the last {LIMIT} pictures were refused" in bad.reason
    assert dict(bad.counts.failed) == {"store refused": LIMIT}
    for run in (good, other):
        assert (run.state, run.counts.done, run.counts.all_failed) == (RunState.SUCCEEDED, PICTURES, 0)
    assert len(rig.images.asked) == PICTURES
    assert rig.points("with-negative") == {}


def test_one_whose_model_chokes_on_everything_fails_alone_and_names_its_model(rig: Rig) -> None:
    rig.models["negative"].broken = True
    good, bad, other = (rig.ended(run) for run in begun(rig))
    assert bad.state is RunState.FAILED
    assert "could not be embedded" in bad.reason
    assert [run.state for run in (good, other)] == [RunState.SUCCEEDED] * 2
    assert len(rig.images.asked) == PICTURES


def test_pictures_that_cannot_be_read_fail_in_every_run_and_are_tried_once(rig: Rig) -> None:
    for key in (7, 8, 200):
        (rig.root / f"{key}.png").unlink()
    for run in (rig.ended(run) for run in begun(rig)):
        assert (run.state, run.counts.done) == (RunState.SUCCEEDED, PICTURES - 3)
        assert dict(run.counts.failed) == {"missing": 3}
        assert {failure.key for failure in rig.ledger.failures(run.id)} == {"7", "8", "200"}
    assert len(rig.images.asked) == PICTURES


def test_one_that_fills_gaps_passes_by_what_it_has(rig: Rig) -> None:
    (first,) = rig.submit(rig.plan("grid", convoy=""))
    rig.start()
    rig.ended(first)
    rig.store.delete("with-grid", [point_id(str(key)) for key in range(2, PICTURES + 1, 2)])
    before, embedded = len(rig.images.asked), rig.models["grid"].embedded
    filling, whole = rig.submit(rig.plan("grid", fills=True), rig.plan("negative"))
    assert rig.worker is not None
    rig.worker.wake()
    filled, built = rig.ended(filling), rig.ended(whole)
    assert (filled.counts.done, dict(filled.counts.skipped)) == (PICTURES // 2, {"already embedded": PICTURES // 2})
    assert built.counts.done == PICTURES
    assert len(rig.images.asked) - before == PICTURES
    assert rig.models["grid"].embedded - embedded >= PICTURES // 2
    assert len(rig.points("with-grid")) == len(rig.points("with-negative")) == PICTURES


def test_old_plans_travel_alone(rig: Rig) -> None:
    plan = rig.plan("grid")
    stored = {name: value for name, value in plan.as_json().items() if name != "convoy"}
    assert type(plan).from_json(stored).convoy == ""


def test_killed_in_the_middle_all_three_resume_together_and_end_with_the_right_points(
    tmp_path: Path, database: Database, forks: Forks
) -> None:
    dice, folder = random.Random(11), tmp_path / "durable"
    folder.mkdir()
    Rig(folder, database, Holding(), MANY).close()
    rig = durable(folder)
    runs = rig.submit(*map(rig.plan, MODELS))
    rig.store.close()
    for _ in range(4):
        before = rig.ledger.get(runs[0].id).counts.done
        life = forks.start("tests.lifecycle.convoys:server", str(folder), "12")
        rig.until(runs[0], _has_done(before + 20))
        time.sleep(dice.uniform(0, 0.05))
        life.kill()
        states = {rig.ledger.get(run.id).state for run in runs}
        assert states == {RunState.RUNNING}, life.stderr.read_text()
    life = forks.start("tests.lifecycle.convoys:server", str(folder), "")
    ended = [rig.until(run, lambda now: now.state is RunState.SUCCEEDED) for run in runs]
    life.kill()
    rig.close()
    found = durable(folder)
    model = {key: make() for key, make in MODELS.items()}
    for run in ended:
        assert (run.counts.done, run.counts.all_failed, run.counts.all_skipped) == (MANY, 0, 0)
        outcomes = [attempt.outcome for attempt in rig.ledger.attempts(run.id)]
        assert outcomes == ["interrupted"] * 4 + ["succeeded"]
        points = found.points(run.target)
        assert set(points) == set(range(1, MANY + 1))
        for row in (row for row in found.catalog.rows() if int(row.key) % 37 == 0):
            assert_same({1: points[int(row.key)]}, {1: _vector(model[run.title], found, row.candidates[0])})
    found.close()
    found.store.close()
    found.ledger.database.close()
    rig.ledger.database.close()


def _has_done(wanted: int) -> Callable[[Run], bool]:
    return lambda run: run.counts.done >= wanted


def _vector(model: Grid, rig: Rig, path: str) -> object:
    from PIL import Image

    with Image.open(rig.root / path) as picture:
        return model.embed_images([model.preprocessing.exact(picture.convert("RGB"))])[0]
