# ruff: noqa: T201
"""A run in which picture after picture fails stops within 200 of them, names the culprit, and loses nothing."""

import pytest

from console_core.catalog.opening import open_images
from console_core.errors import DimensionMismatch, StoreDenied, StoreRefused
from console_core.migration.breaker import LIMIT
from console_core.runs.types import RunState
from console_core.settings import ImageSettings
from tests.lifecycle.failing import Rig
from tests.picture_server import serving, status


@pytest.mark.parametrize("batch_size", [1, 7, 64, 512])
def test_a_source_that_is_away_stops_the_run_after_exactly_200_pictures_whatever_the_batch(
    rig: Rig, batch_size: int
) -> None:
    rig.add(600, good=False)
    run = rig.build(batch_size=batch_size)
    print(f"batch {batch_size}: {len(rig.images.asked)} pictures were attempted, {run.counts.all_failed} failed")
    assert run.state is RunState.FAILED
    assert run.reason == f"Images under {rig.root}: 200 of the last 200 pictures are missing, e.g. 1.png."
    assert "then resume" in run.remedy
    assert len(rig.images.asked) == LIMIT
    assert (run.checkpoint, run.counts.pending, dict(run.counts.failed)) == ("200", 400, {"missing": 200})


def test_a_source_that_goes_away_in_the_middle_is_noticed_200_pictures_later(rig: Rig) -> None:
    rig.add(100)
    rig.add(500, good=False)
    run = rig.build()
    print(f"{len(rig.images.asked)} pictures were attempted, 100 of them good")
    assert run.state is RunState.FAILED
    assert len(rig.images.asked) == 100 + LIMIT
    assert rig.in_target() == set(range(1, 101))


def test_not_mended_it_stops_again_and_mended_it_goes_on_and_a_retry_brings_the_rest(rig: Rig) -> None:
    keys = rig.add(700, good=False)
    run = rig.build()
    again = rig.resume(run)
    assert (again.state, len(rig.images.asked), again.checkpoint) == (RunState.FAILED, 2 * LIMIT, "400")
    rig.mend(*keys)
    done = rig.resume(run)
    assert (done.state, done.counts.done, done.counts.all_failed) == (RunState.SUCCEEDED, 300, 400)
    retried = rig.retry(kind="missing")
    assert (retried.state, retried.counts.done) == (RunState.SUCCEEDED, 400)
    assert rig.in_target() == set(keys)
    assert rig.failed.collections() == {}


def test_a_server_that_goes_down_in_the_middle_is_named_with_its_answer_and_a_retry_brings_the_rest(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console_core.catalog.transfer.FIRST_PAUSE", 0.0001)
    keys = rig.add(350)
    with serving() as server:
        images = open_images(ImageSettings((f"{server.url}/p/",), retries=1))
        rig.images = images  # type: ignore[assignment]
        server.pictures = {f"/p/{key}.png": (rig.root / f"{key}.png").read_bytes() for key in keys[:100]}
        for key in keys[100:]:
            server.faults[f"/p/{key}.png"].extend([status(503)] * 99)
        run = rig.build()
        assert run.state is RunState.FAILED
        assert (
            f"{server.url}/p/: 200 of the last 200 pictures are unavailable, e.g. The server answers 503" in run.reason
        )
        assert "the pictures' server answers" in run.remedy
        assert (run.counts.done, dict(run.counts.failed)) == (100, {"unavailable": 200})
        server.faults.clear()
        server.pictures = {f"/p/{key}.png": (rig.root / f"{key}.png").read_bytes() for key in keys}
        done = rig.resume(run)
        assert (done.state, done.counts.done) == (RunState.SUCCEEDED, 150)
        assert rig.retry(kind="unavailable").counts.done == 200
        assert rig.in_target() == set(keys)
        images.close()


def test_several_classes_of_one_source_are_told_together(rig: Rig) -> None:
    keys = rig.add(300, good=False)
    for key in keys[::2]:
        (rig.root / f"{key}.png").touch()
    run = rig.build()
    assert run.state is RunState.FAILED
    assert "200 of the last 200 pictures failed (100 empty, 100 missing)" in run.reason


def test_a_model_that_chokes_on_everything_is_named(rig: Rig) -> None:
    rig.add(300)
    rig.model.broken = True
    run = rig.build()
    print(f"model: {len(rig.images.asked)} pictures were attempted")
    assert run.state is RunState.FAILED
    assert run.reason.startswith("The model grid: 200 of the last 200 pictures could not be embedded, e.g. 1.png:")
    assert (len(rig.images.asked), dict(run.counts.failed)) == (LIMIT, {"model error": 200})


def test_a_store_that_refuses_every_point_is_named_and_its_own_words_are_told(rig: Rig) -> None:
    rig.add(300)
    rig.store.refuses = lambda _: StoreRefused("The collection is locked for writing.")
    run = rig.build()
    print(f"store: {len(rig.images.asked)} pictures were attempted in {rig.store.asked} writes")
    assert run.state is RunState.FAILED
    assert run.reason.startswith("The store in memory (target): 200 of the last 200 pictures were refused, e.g. 1.png:")
    assert "locked for writing" in run.reason
    assert (len(rig.images.asked), dict(run.counts.failed)) == (LIMIT, {"store refused": 200})
    assert rig.in_target() == set()
    rig.store.refuses = lambda _: None
    assert rig.resume(run).state is RunState.SUCCEEDED
    assert rig.retry().state is RunState.SUCCEEDED
    assert len(rig.in_target()) == 300


@pytest.mark.parametrize(
    "error",
    [StoreDenied("The store wants an API key."), DimensionMismatch("The collection has vectors of another length.")],
)
def test_a_refusal_that_is_no_pictures_fault_ends_the_attempt_at_once_and_writes_no_picture_off(
    rig: Rig, error: StoreRefused
) -> None:
    rig.add(100)
    rig.store.refuses = lambda _: error
    run = rig.build()
    assert (run.state, run.reason) == (RunState.FAILED, error.message)
    assert (run.counts.all_failed, rig.failed.collections()) == (0, {})
    rig.store.refuses = lambda _: None
    assert rig.resume(run).counts.done == 100


def test_one_picture_that_the_store_refuses_costs_none_of_its_neighbours(rig: Rig) -> None:
    rig.add(64)
    rig.store.refuses = lambda point: StoreRefused("Payload too deep.") if point.id == 23 else None
    run = rig.build()
    print(f"one refused point of 64 took {rig.store.asked} writes")
    assert (run.state, run.counts.done, dict(run.counts.failed)) == (RunState.SUCCEEDED, 63, {"store refused": 1})
    assert rig.in_target() == set(range(1, 65)) - {23}
    (failure,) = rig.ledger.failures(run.id)
    assert (failure.key, failure.kind, failure.message, failure.path) == (
        *("23", "store refused", "Payload too deep."),
        "23.png",
    )


def test_one_good_picture_among_many_bad_ones_is_enough_to_go_on(rig: Rig) -> None:
    for _ in range(3):
        rig.add(LIMIT - 1, good=False)
        rig.add(1)
    run = rig.build()
    assert (run.state, run.counts.done, run.counts.all_failed) == (RunState.SUCCEEDED, 3, 3 * (LIMIT - 1))


def test_a_run_of_fewer_pictures_is_judged_at_its_end(rig: Rig) -> None:
    rig.add(LIMIT - 1, good=False)
    run = rig.build()
    assert run.state is RunState.FAILED
    assert run.reason.startswith("None of the 199 pictures could be embedded.")


def test_pictures_that_are_known_to_be_broken_do_not_stop_a_build_that_fills_gaps(rig: Rig) -> None:
    rig.add(50)
    for _ in range(2):
        rig.add(LIMIT - 1, good=False)
        rig.add(1)
    rig.build()
    filled = rig.build(fills=True)
    assert (filled.state, filled.counts.skipped) == (RunState.SUCCEEDED, {"already embedded": 52})
    assert filled.counts.all_failed == 2 * (LIMIT - 1)
    rig.add(LIMIT, good=False)
    stopped = rig.build(fills=True)
    assert (stopped.state, stopped.checkpoint) == (RunState.FAILED, str(rig.catalog.count())), "new ones do"


def test_a_retry_of_fewer_than_200_known_failures_comes_to_its_end_and_a_larger_one_stops(rig: Rig) -> None:
    rig.add(1)
    bad = rig.add(150, good=False)
    rig.add(1)
    rig.build()
    short = rig.retry(*bad)
    assert short.state is RunState.FAILED
    assert short.reason.startswith("None of the 150 pictures could be embedded.")
    rig.add(150, good=False)
    rig.build(fills=True)
    rig.images.asked.clear()
    long = rig.retry()
    print(f"retry: {len(rig.images.asked)} of 300 pictures were attempted")
    assert "200 of the last 200 pictures are missing" in long.reason
    assert (len(rig.images.asked), long.counts.pending) == (LIMIT, 100)
