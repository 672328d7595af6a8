# ruff: noqa: T201
"""Failed pictures stand until they are embedded, are tried again on demand, and rest in quarantine."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from console_core.catalog.types import ImageStore
from console_core.errors import ImageTimeout, Refused, StoreRefused
from console_core.migration.retrying import quarantine, submit_retry
from console_core.runs.ledger import Ledger
from console_core.runs.types import Progress, RunState, Verb
from tests.lifecycle.failing import TARGET, Rig
from tests.lifecycle.schedules.dice import Killed

CLASSES = (
    "missing",
    "empty",
    "unreadable",
    "unsupported",
    "too large",
    "forbidden",
    "timeout",
    "model error",
    "store refused",
)


class _Slow:
    """An image store of which one picture does not arrive while `waits`."""

    def __init__(self, images: ImageStore, path: str) -> None:
        self._images, self._path, self.waits = images, path, True
        self.location, self.readers = images.location, images.readers

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        if self.waits and path == self._path:
            raise ImageTimeout(f"{path} did not arrive within 30 s.", "Try again.", path=path)
        return self._images.read(path, make_room)


@pytest.fixture
def all_classes(rig: Rig) -> dict[str, int]:
    """30 pictures, of which the second to tenth fail, each in another class. The keys by class."""
    keys = rig.add(30)
    broken = dict(zip(CLASSES, keys[1:10], strict=True))

    def file(kind: str) -> Path:
        return rig.root / f"{broken[kind]}.png"

    file("missing").unlink()
    file("empty").write_bytes(b"")
    file("unreadable").write_bytes(file("unreadable").read_bytes()[:45])
    file("unsupported").write_text("<!doctype html><html><body>404</body></html>")
    Image.new("1", (20_000, 12_000)).save(file("too large"))
    file("forbidden").unlink()
    file("forbidden").symlink_to("/etc/hostname")  # root may read every file, but nothing outside the image root
    Image.new("RGB", (8, 8), (255, 0, 255)).save(file("model error"))
    rig.images = _Slow(rig.images, f"{broken['timeout']}.png")  # type: ignore[assignment]
    refused = broken["store refused"]
    rig.store.refuses = lambda point: StoreRefused("Payload too deep.") if point.id == refused else None
    return broken


def _mend(rig: Rig, broken: dict[str, int]) -> None:
    for key in broken.values():
        (rig.root / f"{key}.png").unlink(missing_ok=True)
        rig.mend(key)
    rig.images.waits = False  # type: ignore[attr-defined]
    rig.store.refuses = lambda _: None


def test_each_of_nine_kinds_of_bad_picture_ends_in_its_class_and_costs_no_neighbour(
    rig: Rig, all_classes: dict[str, int]
) -> None:
    run = rig.build()
    standing = {one.kind: one for one in rig.failed.all(TARGET)}
    print(", ".join(f"{kind}: {one.message}" for kind, one in standing.items()))
    assert {kind: int(one.key) for kind, one in standing.items()} == all_classes
    assert dict(run.counts.failed) == rig.ledger.failure_counts(run.id) == dict.fromkeys(sorted(CLASSES), 1)
    assert rig.in_target() == set(range(1, 31)) - set(all_classes.values())
    assert {(one.tries, one.run, one.path) for one in standing.values()} == {
        (1, run.id, f"{key}.png") for key in all_classes.values()
    }


def test_a_mended_class_that_is_tried_again_is_gone_everywhere_and_the_others_stay(
    rig: Rig, all_classes: dict[str, int]
) -> None:
    rig.build()
    key = all_classes["missing"]
    rig.mend(key)
    run = rig.retry(kind="missing")
    assert (run.state, run.reason) == (RunState.SUCCEEDED, "1 of 1 pictures embedded.")
    assert key in rig.in_target()
    assert rig.failed.counts(TARGET).keys() == set(CLASSES) - {"missing"}
    assert rig.ledger.failed_among(TARGET, [str(key)]) == {}
    _mend(rig, all_classes)
    rest = rig.retry()
    assert (rest.state, rest.counts.done) == (RunState.SUCCEEDED, 8)
    assert rig.failed.collections() == {}
    assert rig.in_target() == set(range(1, 31))


def test_what_fails_again_has_one_try_more_and_its_new_class_and_message(rig: Rig, all_classes: dict[str, int]) -> None:
    rig.build()
    key = all_classes["missing"]
    (rig.root / f"{key}.png").touch()
    run = rig.retry(key)
    assert (run.state, run.counts.pending) == (RunState.FAILED, 0)
    (again,) = (one for one in rig.failed.all(TARGET) if one.key == str(key))
    assert (again.kind, again.tries, again.run) == ("empty", 2, run.id)
    assert again.first_at < again.last_at
    assert rig.retry(key).state is RunState.FAILED, "a retry in vain does not lock the collection"
    assert rig.ledger.get(run.id).state is RunState.CANCELLED
    assert next(iter(rig.ledger.failed_among(TARGET, [str(key)]).values())).tries == 3


def test_quarantined_pictures_are_passed_over_unless_they_are_named(rig: Rig, all_classes: dict[str, int]) -> None:
    rig.build()
    held = [all_classes["missing"], all_classes["empty"]]
    assert rig.failed.quarantine(TARGET, "olga", keys=[str(key) for key in held]) == 2
    _mend(rig, all_classes)
    filled = rig.build(fills=True)
    assert filled.counts.skipped == {"already embedded": 21, "quarantined": 2}
    assert set(held) & rig.in_target() == set()
    with pytest.raises(Refused, match="in quarantine"):
        rig.retry()
    assert {one.quarantined_by for one in rig.failed.all(TARGET)} == {"olga"}
    assert rig.retry(held[0]).counts.done == 1
    rig.failed.release(TARGET, kind="empty")
    assert rig.retry(kind="empty").counts.done == 1
    assert rig.in_target() == set(range(1, 31))


def test_a_retry_of_all_counts_those_in_quarantine_as_skipped(rig: Rig, all_classes: dict[str, int]) -> None:
    rig.build()
    rig.failed.quarantine(TARGET, "olga", kind="timeout")
    _mend(rig, all_classes)
    run = rig.retry()
    assert (run.counts.selected, run.counts.done, run.counts.skipped) == (9, 8, {"quarantined": 1})


def test_a_failed_picture_that_left_the_catalog_is_failed_no_more(rig: Rig, all_classes: dict[str, int]) -> None:
    rig.build()
    rig.remove(all_classes["missing"])
    run = rig.retry(kind="missing")
    assert (run.state, run.counts.skipped) == (RunState.SUCCEEDED, {"left the catalog": 1})
    assert "missing" not in rig.failed.counts(TARGET)


def test_a_build_killed_between_store_and_ledger_counts_every_try_once(rig: Rig, ledger: Ledger) -> None:
    rig.add(5)
    rig.add(20, good=False)
    rig.add(5)
    record, kills = ledger.record, iter((False, True, False, True, True))

    def deadly(run_id: str, progress: Progress, *, attempt: int | None = None) -> None:
        if next(kills, False):
            raise Killed
        record(run_id, progress, attempt=attempt)
        if next(kills, False):
            raise Killed

    ledger.record = deadly  # type: ignore[method-assign]
    lives, run = 0, None
    while run is None or run.state is not RunState.SUCCEEDED:
        lives += 1
        try:
            run = rig.build(batch_size=4) if run is None else rig.resume(run)
        except Killed:
            (run,) = ledger.recover("this test")
    print(f"{lives} lives, {run.counts.all_failed} failed pictures, all with one try")
    assert lives == 4
    assert [one.tries for one in rig.failed.all(TARGET)] == [1] * 20
    assert run.counts.all_failed == 20


def test_a_retry_that_is_interrupted_after_every_step_tries_nothing_twice(rig: Rig) -> None:
    rig.add(1)
    bad = rig.add(60, good=False)
    rig.build(batch_size=8)
    rig.mend(*bad[::2])
    run = submit_retry(rig.store, rig.ledger, rig.failed, TARGET, actor="olga")  # type: ignore[arg-type]
    while run.state is not RunState.SUCCEEDED:
        asked = iter((False, True))
        run = rig.work(run, lambda looks=asked: next(looks))  # type: ignore[misc]
        if run.state is RunState.INTERRUPTED:
            run = rig.ledger.ask(run.id, Verb.RESUME, "olga")
    print(f"{run.attempt} attempts")
    assert run.attempt == 9
    assert (run.counts.done, run.counts.all_failed) == (30, 30)
    assert [one.tries for one in rig.failed.all(TARGET)] == [2] * 30


def test_what_did_not_fail_cannot_be_tried_again_or_put_into_quarantine(rig: Rig) -> None:
    rig.add(3)
    rig.build()
    with pytest.raises(Refused, match="Picture 2 did not fail in target"):
        rig.retry(2)
    with pytest.raises(Refused, match='Pictures of the class "missing" did not fail'):
        quarantine(rig.store, rig.failed, TARGET, kind="missing", actor="olga")  # type: ignore[arg-type]
    with pytest.raises(Refused, match="Nothing is named"):
        quarantine(rig.store, rig.failed, TARGET, actor="olga")  # type: ignore[arg-type]
