"""Measuring as a run: exact books, nothing left behind by a stop, and a snapshot that appears at once or not at all."""

from collections.abc import Iterator
from itertools import islice

import pytest

from console_core.catalog.types import EVERYTHING, Slice
from console_core.coverage.operation import LEFT_MEANWHILE, MeasureCoverage
from console_core.coverage.report import CoverageReport
from console_core.coverage.stats import stats
from console_core.errors import CollectionNotFound
from console_core.runs.execution import execute
from console_core.runs.types import Counts, Progress, Run, RunState, Verb
from tests.unit.coverage.conftest import COLLECTION, World


def operation(world: World, collection: str = COLLECTION, part: Slice = EVERYTHING) -> MeasureCoverage:
    return MeasureCoverage(
        world.catalog, world.store, world.ledger.failed_among, world.records, collection, part, page_size=10
    )


def claimed(world: World) -> Run:
    selected = operation(world).plan().selected
    submitted = world.ledger.submit(
        kind=MeasureCoverage.kind,
        lane=MeasureCoverage.lane,
        title="",
        target=COLLECTION,
        spec={},
        actor="test",
        selected=selected,
        writes=False,
    )
    return claim(world, submitted)


def claim(world: World, run: Run) -> Run:
    found = world.ledger.claim(MeasureCoverage.lane, "test", only=run.id)
    assert found is not None
    return found


@pytest.fixture
def filled(world: World) -> World:
    world.add(range(100))
    world.embed(range(60))
    world.remove(3)
    world.fail(70)
    return world


def test_a_run_counts_rows_and_points_and_ends_with_the_report(filled: World) -> None:
    run = execute(claimed(filled), operation(filled), filled.ledger, lambda: False)
    assert run.state is RunState.SUCCEEDED
    assert run.counts == Counts(selected=99 + 60, done=99 + 60)
    assert run.result is not None
    report = CoverageReport.from_json(run.result)
    assert report.totals == {"embedded": 59, "stale": 0, "failed": 1, "missing": 39}
    latest = filled.records.latest(COLLECTION)
    assert latest is not None
    assert (latest.id, latest.report) == (run.result["snapshot"], report)
    assert [found.gap.key for found in filled.records.gaps(latest.id, status="failed")] == ["70"]
    assert [found.gap.key for found in filled.records.gaps(latest.id, status="orphaned")] == ["3"]


def test_every_step_keeps_the_books_and_no_snapshot_is_seen_before_the_last(filled: World) -> None:
    planned = operation(filled).plan()
    done = 0
    for progress in operation(filled).steps("", planned):
        assert progress.counts.pending >= 0
        assert progress.counts.done >= done
        done = progress.counts.done
        assert (filled.records.latest(COLLECTION) is None) == (progress.result is None)
    assert done == planned.selected


def test_a_paused_measurement_starts_over_on_resume_and_its_counts_never_go_down(filled: World) -> None:
    stops = iter([False, False, False, False, True])
    run = execute(claimed(filled), operation(filled), filled.ledger, lambda: next(stops))
    assert run.state is RunState.INTERRUPTED
    assert 0 < run.counts.done < run.counts.selected
    assert filled.records.latest(COLLECTION) is None
    filled.embed([60, 61])
    filled.ledger.ask(run.id, Verb.RESUME, "test")
    resumed = claim(filled, run)
    run = execute(resumed, operation(filled), filled.ledger, lambda: False)
    assert (run.state, run.reason) == (RunState.SUCCEEDED, run.reason)
    assert run.counts.pending == 0
    latest = filled.records.latest(COLLECTION)
    assert latest is not None
    assert latest.report.totals == {"embedded": 61, "stale": 0, "failed": 1, "missing": 37}


def test_a_stopped_measurement_leaves_no_trace(filled: World) -> None:
    steps = operation(filled).steps("", Counts())
    for _ in islice(steps, 4):
        pass
    assert isinstance(steps, Iterator)
    steps.close()  # type: ignore[attr-defined]
    begun = filled.records.begin(COLLECTION)
    assert filled.records.gaps(1) == []
    begun.discard()
    assert filled.records.history(COLLECTION) == []


def test_pictures_that_come_and_go_meanwhile_do_not_break_the_books(filled: World) -> None:
    def meanwhile(change: int) -> Progress:
        last = Progress("", Counts())
        for number, progress in enumerate(operation(filled).steps("", operation(filled).plan())):
            if number == 1:
                filled.add(range(200, 250)) if change > 0 else filled.remove(*range(200, 250))
            last = progress
        return last

    grown = meanwhile(+1).counts
    assert (grown.selected, grown.done, grown.pending) == (209, 209, 0)
    shrunk = meanwhile(-1).counts
    assert (shrunk.selected, shrunk.done, shrunk.skipped) == (209, 159, {LEFT_MEANWHILE: 50})


def test_a_collection_that_vanished_fails_the_run_with_its_name(world: World) -> None:
    with pytest.raises(CollectionNotFound, match="vanished"):
        list(operation(world, "vanished").steps("", Counts()))


def test_measuring_again_adds_to_the_history_and_keeps_one_set_of_gaps(filled: World) -> None:
    for keys in ([60], [61, 62]):
        filled.embed(keys)
        list(operation(filled).steps("", Counts()))
    newest, older = filled.records.history(COLLECTION)
    assert newest.report.totals["embedded"] == older.report.totals["embedded"] + 2
    assert len(filled.records.gaps(newest.id, status="missing", limit=100)) == 36
    assert filled.records.gaps(older.id) == []


def test_stats_are_one_flat_line_whose_parts_add_up(filled: World) -> None:
    list(operation(filled).steps("", Counts()))
    latest = filled.records.latest(COLLECTION)
    assert latest is not None
    assert stats(latest.report) == {
        "total": 99,
        "with_embedding": 59,
        "without_embedding": 40,
        "failed": 1,
        "coverage_percentage": 59.6,
        "stale": 0,
        "orphaned": 1,
        "model": "demo-clip",
        "collection": COLLECTION,
    }


def test_stats_never_round_up_to_a_full_hundred(filled: World) -> None:
    list(operation(filled).steps("", Counts()))
    latest = filled.records.latest(COLLECTION)
    assert latest is not None
    totals = {"embedded": 999_999, "stale": 0, "failed": 0, "missing": 1}
    nearly = CoverageReport.from_json({**latest.report.as_json(), "totals": totals})
    assert stats(nearly)["coverage_percentage"] == 99.99
    full = CoverageReport.from_json({**latest.report.as_json(), "totals": {**totals, "missing": 0}})
    assert stats(full)["coverage_percentage"] == 100
