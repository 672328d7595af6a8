"""Each kind of difference is found by name, with the picture and the point that it is about, and nothing else is."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from console_core.catalog.types import Slice
from console_core.migration.difference import DifferenceKind as Kind
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import point_id
from tests.unit.differences.world import NAME, World

Found = set[tuple[Kind, str, object]]


def _checks(run: Run) -> set[str]:
    return {check["name"] for check in (run.result or {})["checks"] if not check["ok"]}


def test_a_collection_as_it_was_built_has_no_difference(world: World) -> None:
    for world.full in (True, False):
        run = world.verify()
        assert run.state is RunState.SUCCEEDED, run.reason
        assert world.found(run) == []
        assert run.result is not None
        assert run.result["verdict"] == "green", run.result["checks"]
        assert set(run.result["differences"]) == {str(kind) for kind in Kind}
        assert run.result["steady"]


def _missing(world: World) -> Found:
    world.store.delete(NAME, [3])
    return {(Kind.MISSING, "3", 3)}


def _new_row(world: World) -> Found:
    world.sql("INSERT INTO images VALUES (900, '1.png', 'new', 'user-1')")
    return {(Kind.MISSING, "900", 900)}


def _extra(world: World) -> Found:
    world.say(3, at=777, key="777")
    return {(Kind.EXTRA, "777", 777)}


def _extra_without_provenance(world: World) -> Found:
    world.store.upsert(NAME, [replace(world.point(3), id=778, payload={})])
    return {(Kind.EXTRA, "778", 778)}


def _row_left(world: World) -> Found:
    world.sql("DELETE FROM images WHERE id = 5")
    return {(Kind.EXTRA, "5", 5)}


def _row_changed(world: World) -> Found:
    world.sql("UPDATE images SET caption = 'another' WHERE id = 5")
    return {(Kind.STALE, "5", 5)}


def _payload_edited(world: World) -> Found:
    world.write(5, payload={**world.point(5).payload, "caption": "edited"})
    return {(Kind.STALE, "5", 5)}


def _payload_field_gone(world: World) -> Found:
    payload = dict(world.point(5).payload)
    del payload["user_id"]
    world.write(5, payload=payload)
    return {(Kind.STALE, "5", 5)}


def _picture_changed(world: World) -> Found:
    file = world.folder / "images" / "own-7.png"
    file.write_bytes((world.folder / "images" / "0.png").read_bytes())
    return {(Kind.STALE, "7", 7)}


def _wrong_vector(world: World) -> Found:
    world.write(9, vector=world.point(10).vector)
    return {(Kind.WRONG_VECTOR, "9", 9)}


def _second_point(world: World) -> Found:
    world.say(9, at=point_id("a copy"))
    return {(Kind.DUPLICATE, "9", point_id("a copy"))}


def _id_taken(world: World) -> Found:
    world.say(9, key="10")
    return {(Kind.DUPLICATE, "9", 9)}


def _moved_to_another_id(world: World) -> Found:
    world.say(9, at=point_id("elsewhere"))
    world.store.delete(NAME, [9])
    return {(Kind.MISSING, "9", 9), (Kind.DUPLICATE, "9", point_id("elsewhere"))}


def _another_model(world: World) -> Found:
    world.say(9, fingerprint="f" * 16)
    return {(Kind.FOREIGN, "9", 9)}


def _says_nothing(world: World) -> Found:
    world.write(9, payload={})
    return {(Kind.FOREIGN, "9", 9)}


def _zero_vector(world: World) -> Found:
    world.write(9, vector=np.zeros(48, np.float32))
    return {(Kind.INVALID, "9", 9)}


HAPPENINGS = (
    *(_missing, _new_row, _extra, _extra_without_provenance, _row_left, _row_changed, _payload_edited),
    *(_payload_field_gone, _picture_changed, _wrong_vector, _second_point, _id_taken, _moved_to_another_id),
    *(_another_model, _says_nothing, _zero_vector),
)
CHECKS = {
    Kind.MISSING: "ids",
    Kind.EXTRA: "count",
    Kind.DUPLICATE: "count",
    Kind.INVALID: "norms",
    Kind.FOREIGN: "fingerprints",
    Kind.STALE: "contents",
    Kind.WRONG_VECTOR: "sample",
}


@pytest.mark.parametrize("happen", HAPPENINGS, ids=lambda happen: happen.__name__.strip("_"))
def test_what_happened_is_found_in_full_mode_and_in_a_sample_that_has_all_and_one_repair_mends_it(
    world: World, happen: Callable[[World], Found]
) -> None:
    expected = happen(world)
    for world.full in (False, True):
        run = world.verify()
        assert world.told(run) == expected
        assert run.result is not None
        assert run.result["verdict"] == "red"
        assert _checks(run) == {CHECKS[kind] for kind, _, _ in expected}
    repaired = world.finish(world.repair(run))
    assert repaired.state is RunState.SUCCEEDED, repaired.reason
    assert repaired.counts.done == len(expected)
    (again,) = world.queued()
    verified = world.finish(again)
    assert world.found(verified) == []
    assert verified.result is not None
    assert verified.result["verdict"] == "green", verified.result["checks"]


def test_what_an_application_added_to_a_point_is_its_own_and_a_repair_keeps_it(world: World) -> None:
    world.write(9, payload={**world.point(9).payload, "clicks": 7})
    assert world.found(world.verify()) == []
    world.write(9, payload={**world.point(9).payload, "caption": "edited"})
    world.finish(world.repair(world.verify()))
    assert world.point(9).payload["caption"] == "picture 9"
    assert world.point(9).payload["clicks"] == 7


def test_a_point_without_provenance_in_a_collection_that_an_application_built_is_taken_as_it_is(world: World) -> None:
    payload = {"tags": ["cat"]}
    world.write(9, payload=payload)
    built = world.plan
    world.plan = lambda: replace(built(), ours=False)  # type: ignore[method-assign]
    assert world.found(world.verify()) == []
    world.write(9, vector=world.point(10).vector)
    assert world.told(world.verify()) == {(Kind.WRONG_VECTOR, "9", 9)}


def test_pictures_outside_the_slice_that_was_built_are_extra_and_those_of_it_alone_are_demanded(world: World) -> None:
    world.part = Slice({"user_id": ("user-1",)})
    found = world.told(world.verify())
    assert found == {(Kind.EXTRA, str(key), key) for key in range(1, 41) if key % 3 != 1}


def test_a_picture_whose_embedding_failed_is_expected_to_be_absent_also_when_it_was_a_repair_that_tried(
    world: World,
) -> None:
    (world.folder / "images" / "own-7.png").write_bytes(b"not a picture")
    world.store.delete(NAME, [7, 9])
    first = world.verify()
    assert {(one.kind, one.key) for one in world.found(first)} == {(Kind.MISSING, "7"), (Kind.MISSING, "9")}
    repaired = world.finish(world.repair(first))
    assert (repaired.counts.done, repaired.counts.failed) == (1, {"unsupported": 1})
    (again,) = world.queued()
    verified = world.finish(again)
    assert world.found(verified) == []
    assert verified.result is not None
    assert verified.result["verdict"] == "green"
    ids = next(check for check in verified.result["checks"] if check["name"] == "ids")
    assert "1 known failures, 0 missing" in ids["detail"]


def test_a_picture_that_cannot_be_read_any_more_is_said_and_does_not_condemn_its_vector(world: World) -> None:
    (world.folder / "images" / "own-7.png").unlink()
    for world.full in (True, False):
        run = world.verify()
        assert run.result is not None
        assert (run.result["verdict"], world.found(run)) == ("green", [])
        assert run.result["sample"]["unreadable"] == 1
        assert "1 could not be read" in run.result["checks"][-1]["detail"]


def test_differences_are_listed_by_kind_a_page_at_a_time_and_those_of_the_newest_verification_are_kept(
    world: World,
) -> None:
    world.store.delete(NAME, list(range(1, 31)))
    world.say(35, at=777, key="777")
    first = world.verify()
    assert world.records.counts(first.id)[Kind.MISSING] == 30
    pages = [world.records.page(first.id, kind="missing", limit=12)]
    while pages[-1]:
        pages.append(world.records.page(first.id, kind="missing", after=pages[-1][-1].number, limit=12))
    assert [len(page) for page in pages] == [12, 12, 6, 0]
    assert [one.difference.key for one in pages[0]] == [str(key) for key in range(1, 13)]
    assert pages[0][0].difference.path == "1.png"
    assert world.records.surplus(first.id) == 1
    second = world.verify()
    assert world.found(first) == []
    assert len(world.found(second)) == 31
