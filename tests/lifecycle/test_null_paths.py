"""Rows whose paths are NULL: each is told by its key, and however many they are, they stop no run."""

import pytest

from console_core.migration.breaker import LIMIT
from console_core.runs.types import RunState
from tests.lifecycle.failing import TARGET, Rig


@pytest.mark.parametrize("batch_size", [1, 64, 512])
def test_rows_without_a_path_fail_alone_and_stop_no_run(rig: Rig, batch_size: int) -> None:
    without = rig.add_without_paths(2 * LIMIT + 50)
    good = rig.add(30)
    without += rig.add_without_paths(LIMIT)
    run = rig.build(batch_size=batch_size)
    assert run.state is RunState.SUCCEEDED, run.reason
    assert (run.counts.done, dict(run.counts.failed)) == (len(good), {"missing": len(without)})
    assert rig.in_target() == set(good)
    assert sorted(rig.images.asked) == sorted(f"{key}.png" for key in good)
    (told,) = rig.failed.among(TARGET, [str(without[3])]).values()
    assert told.message == f"The catalog has no path for {without[3]}."


def test_they_hide_no_source_that_is_away(rig: Rig) -> None:
    rig.add(5)
    for _ in range(LIMIT + 20):
        rig.add(1, good=False)
        rig.add_without_paths(1)
    run = rig.build()
    assert run.state is RunState.FAILED
    assert f"{LIMIT} of the last {LIMIT} pictures are missing, e.g. 6.png" in run.reason


def test_a_retry_of_them_ends_too_and_one_that_got_its_path_is_embedded(rig: Rig) -> None:
    without = rig.add_without_paths(LIMIT + 50)
    rig.build()
    rig.give_paths(without[7])
    run = rig.retry()
    assert run.state is RunState.SUCCEEDED, run.reason
    assert (run.counts.done, run.counts.all_failed) == (1, len(without) - 1)
    assert rig.in_target() == {without[7]}
