"""The life of an ingested collection: made, added to, changed, verified, measured, killed, migrated."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console_core.commands import command
from console_core.console import Console
from console_core.errors import ConsoleError, FingerprintMismatch, NotFound, Refused
from console_core.following.comparing import measure
from console_core.following.records import Lag
from console_core.migration.findings import Request
from console_core.migration.ingest import Survey, survey
from console_core.migration.ingesting import Wish
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.conftest import OPERATOR, PICTURES, finish, migrate
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import opened

MODEL = "demo-clip"
FEW = 8


@pytest.fixture(name="holiday")
def _holiday(workspace: Path) -> Path:
    """A folder in the image root with a few pictures, two of them in a subfolder."""
    folder = workspace / "images" / "holiday"
    (folder / "beach").mkdir(parents=True)
    for number in range(1, FEW + 1):
        place = folder / ("beach" if number > FEW - 2 else "") / f"{number}.jpg"
        shutil.copyfile(workspace / "images" / f"{number:04}.jpg", place)
    return folder


def ingest(console: Console, path: Path, into: str = "photos", **wishes: Any) -> Run:
    return finish(console, command(console, OPERATOR, "ingest", wish=Wish(path, into, **({"model": MODEL} | wishes))))


def verified(console: Console, collection: str = "photos") -> dict[str, Any]:
    run = finish(console, command(console, OPERATOR, "verify", collection=collection))
    return dict(run.result or {})


def covered(console: Console, collection: str = "photos") -> dict[str, Any]:
    run = finish(console, command(console, OPERATOR, "measure_coverage", collection=collection))
    return dict(run.result or {})


def test_a_collection_is_made_with_its_models_dimension_and_stamp_and_the_payload_of_the_guide(
    console: Console, holiday: Path
) -> None:
    run = ingest(console, holiday, namespace="summer")
    assert (run.state, run.counts.done, run.counts.selected) == (RunState.SUCCEEDED, FEW, FEW)
    info = console.store.describe("photos")
    embedder = console.models.get(MODEL)
    assert info.stamp == ModelStamp(MODEL, embedder.fingerprint.digest)
    assert (info.dimension, info.points) == (embedder.card.dimension, FEW)
    points = {point.payload["path"]: point.payload for point in console.store.scroll("photos")}
    assert {name: value for name, value in points["holiday/beach/7.jpg"].items() if name != "_console"} == {
        "type": "image",
        "filename": "7.jpg",
        "path": "holiday/beach/7.jpg",
        "extension": "jpg",
        "folder": "holiday/beach",
        "namespace": "summer",
        "label": "",
    }
    assert run.spec["intake"] == {
        "namespace": "summer",
        "kind": "folder",
        "location": "holiday",
        "recursive": True,
        "copy": "",
    }


def test_the_same_folder_twice_makes_no_duplicates_and_embeds_nothing(console: Console, holiday: Path) -> None:
    ingest(console, holiday)
    before = {point.id: point.payload for point in console.store.scroll("photos")}
    again = ingest(console, holiday, model="")
    assert (again.counts.done, again.counts.skipped) == (0, {"already embedded": FEW})
    assert {point.id: point.payload for point in console.store.scroll("photos")} == before
    everything = ingest(console, holiday, again=True)
    assert (everything.counts.done, everything.result and everything.result["replaced"]) == (FEW, FEW)
    assert console.store.count("photos") == FEW


def test_a_changed_file_is_embedded_again_and_said_and_a_new_one_too(console: Console, holiday: Path) -> None:
    ingest(console, holiday)
    old = {point.payload["path"]: point for point in console.store.scroll("photos", vectors=True)}
    shutil.copyfile(holiday.parent / "0040.jpg", holiday / "1.jpg")
    shutil.copyfile(holiday.parent / "0041.jpg", holiday / "new.jpg")
    run = ingest(console, holiday)
    assert (run.counts.done, run.counts.skipped) == (2, {"already embedded": FEW - 1})
    assert run.result is not None
    assert run.result["replaced"] == 1
    now = {point.payload["path"]: point for point in console.store.scroll("photos", vectors=True)}
    assert now["holiday/1.jpg"].id == old["holiday/1.jpg"].id
    first, second = now["holiday/1.jpg"].vector, old["holiday/1.jpg"].vector
    assert first is not None
    assert second is not None
    assert float(first @ second) < 0.999
    assert len(now) == FEW + 1


def test_what_an_application_wrote_on_a_point_stays_when_its_picture_is_ingested_again(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday)
    points = list(console.store.scroll("photos", vectors=True))
    own = [type(point)(point.id, point.vector, {**point.payload, "likes": 3}) for point in points]
    console.store.upsert("photos", own)
    ingest(console, holiday, again=True)
    assert {point.payload["likes"] for point in console.store.scroll("photos")} == {3}


def test_two_namespaces_with_the_same_paths_do_not_overwrite_each_other(console: Console, holiday: Path) -> None:
    ingest(console, holiday, namespace="a")
    ingest(console, holiday, namespace="b", recursive=False)
    spaces = [point.payload["namespace"] for point in console.store.scroll("photos")]
    assert (spaces.count("a"), spaces.count("b")) == (FEW, FEW - 2)
    made = {origin.key for point in console.store.scroll("photos") if (origin := provenance(point.payload))}
    assert {"ingest:a:holiday/1.jpg", "ingest:b:holiday/1.jpg"} <= made
    assert verified(console)["verdict"] == "green"


def test_a_list_gives_its_labels_and_what_it_said_is_kept_when_it_is_written_anew(
    console: Console, holiday: Path
) -> None:
    file = holiday / "delivery.csv"
    file.write_bytes('\ufeffpath,label\r\n1.jpg,"cat, asleep"\r\n./beach/7.jpg,dög\r\n'.encode())
    ingest(console, file, namespace="shop")
    file.write_text("2.jpg,bird\n")
    ingest(console, file, namespace="shop")
    labels = {point.payload["path"]: point.payload["label"] for point in console.store.scroll("photos")}
    assert labels == {"holiday/1.jpg": "cat, asleep", "holiday/beach/7.jpg": "dög", "holiday/2.jpg": "bird"}
    assert verified(console)["verdict"] == "green"
    assert covered(console)["totals"]["embedded"] == 3
    file.unlink()
    assert covered(console)["orphaned"] == 0


def test_pictures_that_cannot_be_read_are_told_by_class_and_the_others_are_there(
    console: Console, holiday: Path
) -> None:
    (holiday / "empty.jpg").touch()
    (holiday / "page.jpg").write_text("<!doctype html><html></html>")
    run = ingest(console, holiday)
    assert (run.state, run.counts.done, run.counts.failed) == (RunState.SUCCEEDED, FEW, {"empty": 1, "unsupported": 1})
    assert set(console.failed.counts("photos")) == {"empty", "unsupported"}
    shutil.copyfile(holiday / "1.jpg", holiday / "empty.jpg")
    retried = finish(console, command(console, OPERATOR, "retry", collection="photos", kind="empty"))
    assert (retried.counts.done, console.store.count("photos")) == (1, FEW + 1)


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"model": ""}, "no collection photos yet"),
        ({"namespace": "a:b"}, "has a colon"),
        ({"namespace": ""}, "is not a namespace"),
        ({"into": " "}, "No collection is named"),
        ({"into": "x@y"}, "@ stands between a collection and a named vector"),
        ({"into": "a/b"}, '"a/b" cannot be the name of a collection'),
        ({"into": "images", "model": "demo-siglip"}, "was made by demo-clip"),
        ({"into": "unstamped"}, "which model made it"),
        ({"into": "images", "mode": "turbo"}, "decoded in fast mode"),
    ],
)
def test_what_would_go_wrong_is_refused_before_anything_is_written(
    console: Console, holiday: Path, wishes: dict[str, Any], said: str
) -> None:
    console.store.create("unstamped", CollectionSpec(128))
    before = [(info.name, info.points) for info in console.store.collections()]
    with pytest.raises(Refused, match=said) as refused:
        ingest(console, holiday, **wishes)
    assert refused.value.remedy
    assert [(info.name, info.points) for info in console.store.collections()] == before
    assert console.ledger.runs() == []


def test_pictures_outside_the_image_roots_are_refused_with_the_line_to_write(console: Console, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    shutil.copyfile(console.settings.image_roots[0] / "0001.jpg", outside / "1.jpg")
    (outside / "list.csv").write_text("1.jpg,cat\n")
    (console.settings.image_roots[0] / "way-out").symlink_to(outside)
    for path in (outside, outside / "list.csv", console.settings.image_roots[0] / "way-out"):
        with pytest.raises(Refused, match="outside the image roots") as refused:
            ingest(console, path)
        assert f'also = ["{outside}"]' in refused.value.remedy
    with pytest.raises(NotFound):
        ingest(console, outside / "nothing")


def test_a_folder_without_a_picture_is_refused_and_makes_no_collection(console: Console, holiday: Path) -> None:
    (holiday / "notes").mkdir()
    (holiday / "notes" / "read me.txt").write_text("no picture")
    with pytest.raises(Refused, match="no picture in"):
        ingest(console, holiday / "notes")
    assert "photos" not in [info.name for info in console.store.collections()]


def test_a_collection_whose_model_changed_since_is_not_added_to(console: Console, holiday: Path) -> None:
    console.store.create("old", CollectionSpec(128, stamp=ModelStamp(MODEL, "0" * 16)))
    with pytest.raises(FingerprintMismatch):
        ingest(console, holiday, into="old", model="")


def test_a_look_says_what_would_be_done_and_writes_nothing(console: Console, holiday: Path) -> None:
    def looked(**wishes: Any) -> Survey:
        ingesting = console.ingesting()
        plan = ingesting.plan(Wish(holiday, "photos", model=MODEL, **wishes))
        return survey(plan, ingesting.catalog(plan), ReadOnlyStore(console.store))

    assert looked() == Survey(FEW, new=FEW, changed=0, current=0)
    assert console.ledger.runs() == []
    ingest(console, holiday, recursive=False)
    (holiday / "1.jpg").write_bytes((holiday / "2.jpg").read_bytes())
    assert looked() == Survey(FEW, new=2, changed=1, current=FEW - 3)
    assert looked(namespace="other") == Survey(FEW, new=FEW, changed=0, current=0)


# What is said of a collection whose pictures are not the workspace's


def test_it_is_verified_and_measured_by_its_own_pictures_and_none_is_called_extra(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday)
    result = verified(console)
    assert result["verdict"] == "green", result["checks"]
    assert (result["surplus"], result["replaces"]) == (0, "")
    report = covered(console)
    assert (report["totals"], report["orphaned"]) == ({"embedded": FEW, "missing": 0, "failed": 0, "stale": 0}, 0)
    shutil.copyfile(holiday / "1.jpg", holiday / "later.jpg")
    (holiday / "2.jpg").unlink()
    console.catalog.close()
    found = verified(console)["differences"]
    assert {kind: number for kind, number in found.items() if number} == {"missing": 1, "extra": 1}


def test_beside_the_workspaces_catalog_both_count_and_the_others_are_as_they_were(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday, into="images", model="")
    assert console.store.count("images") == PICTURES + FEW
    assert verified(console, "images__demo-clip")["verdict"] == "green"
    report = covered(console, "images__demo-clip")
    assert (report["totals"]["embedded"], report["orphaned"]) == (PICTURES + FEW, 0)


def test_what_follows_the_catalog_takes_nothing_away_that_was_ingested_beside_it(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday, into="images", model="")
    built = migrate(console)
    assert built.counts.done == PICTURES + FEW
    assert verified(console, built.target)["verdict"] == "green"
    command(console, OPERATOR, "cut_over", alias="images", to=built.target)
    console.keeping.keep_in_step()
    follows = console.follows.active()
    assert {follow.collection for follow in follows} == {built.target, "images__demo-clip"}
    assert [measure(console.comparison(follow)) for follow in follows] == [Lag(), Lag()]
    shutil.copyfile(holiday / "1.jpg", holiday / "later.jpg")
    assert [measure(console.comparison(follow)) for follow in follows] == [Lag(added=1), Lag(added=1)]


def test_what_was_ingested_can_be_shown_by_its_key_alone(console: Console, holiday: Path) -> None:
    ingest(console, holiday)
    keys = [origin.key for point in console.store.scroll("photos") if (origin := provenance(point.payload))]
    rows = console.rows([*keys, "1"])
    assert {row.key for row in rows} == {*keys, "1"}
    assert all(console.thumbnails.get(row, 224).data for row in rows)


def test_a_migration_of_it_builds_and_verifies_the_same_pictures_and_follows_its_folder(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday, namespace="a")
    command(console, OPERATOR, "introduce_alias", alias="albums", collection="photos")
    built = migrate(console, "albums")
    assert (built.state, built.counts.done) == (RunState.SUCCEEDED, FEW)
    result = verified(console, built.target)
    assert result["verdict"] == "green", result["checks"]
    assert (result["replaces"], result["losses"]) == ("photos", 0)
    shutil.copyfile(holiday / "1.jpg", holiday / "later.jpg")
    caught_up = finish(console, command(console, OPERATOR, "catch_up", collection=built.target))
    assert (caught_up.state, console.store.count(built.target)) == (RunState.SUCCEEDED, FEW + 1)


def test_a_target_that_was_prepared_empty_gets_the_pictures_that_were_ingested_and_no_others(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday)
    command(console, OPERATOR, "introduce_alias", alias="albums", collection="photos")
    command(console, OPERATOR, "create_collection", collection="prepared", model="demo-siglip")
    request = Request("albums", "demo-siglip", target="prepared", batch_size=8)
    built = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    assert (built.state, built.counts.done) == (RunState.SUCCEEDED, FEW)
    assert verified(console, "prepared")["verdict"] == "green"


def test_an_empty_collection_that_was_made_for_it_holds_what_is_ingested_and_not_the_whole_catalog(
    console: Console, holiday: Path
) -> None:
    command(console, OPERATOR, "create_collection", collection="photos", model=MODEL)
    ingest(console, holiday, model="")
    result = verified(console, "photos")
    assert result["verdict"] == "green", result["checks"]
    assert console.catalog_of("photos").count() == FEW


def test_the_gaps_that_coverage_tells_can_be_filled_by_a_build_too(console: Console, holiday: Path) -> None:
    ingest(console, holiday)
    shutil.copyfile(holiday / "1.jpg", holiday / "later.jpg")
    command(console, OPERATOR, "introduce_alias", alias="albums", collection="photos")
    request = Request("albums", MODEL, target="photos")
    filled = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    assert (filled.counts.done, filled.counts.selected) == (1, FEW + 1)
    assert verified(console)["verdict"] == "green"


def test_a_collection_of_the_same_name_made_later_has_nothing_of_the_former_one(
    console: Console, holiday: Path
) -> None:
    ingest(console, holiday, namespace="former")
    console.store.drop("photos")
    ingest(console, holiday / "beach", namespace="later")
    assert [intake.namespace for intake in console.intakes.of("photos")] == ["later"]
    assert verified(console)["verdict"] == "green"


def test_a_collection_built_from_a_part_of_the_catalog_is_not_added_to(console: Console, holiday: Path) -> None:
    part = type(Request("", "").part)({"user_id": ("user-1",)})
    request = Request("images", "demo-siglip", part=part)
    built = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    with pytest.raises(ConsoleError, match="part of the catalog"):
        ingest(console, holiday, into=built.target, model="")


def test_a_workspace_that_was_moved_still_knows_what_was_ingested(workspace: Path, holiday: Path) -> None:
    with opened(workspace) as console:
        (holiday / "delivery.csv").write_text("1.jpg,cat\n")
        ingest(console, holiday / "delivery.csv", namespace="shop")
        ingest(console, holiday, namespace="summer")
    moved = Path(shutil.move(workspace, workspace.with_name("moved")))
    with opened(moved) as console:
        result = verified(console)
        assert result["verdict"] == "green", result["checks"]
        assert covered(console)["totals"]["embedded"] == FEW + 1
        assert ingest(console, moved / "images" / "holiday", namespace="summer").counts.done == 0


# Stopped and gone on with


def test_killed_before_and_after_a_record_it_goes_on_without_a_duplicate(
    workspace: Path, holiday: Path, forks: Forks
) -> None:
    with opened(workspace) as console:
        run = command(console, OPERATOR, "ingest", wish=Wish(holiday, "photos", model=MODEL, batch_size=2))
    for moment, step in (("before", "2"), ("after", "1")):
        died = forks.start("tests.lifecycle.programs:die_working", str(workspace), run.id, moment, step, "1000")
        assert died.wait() == -9
    with opened(workspace) as console:
        assert console.ledger.get(run.id).state is RunState.INTERRUPTED
        ended = finish(console, command(console, OPERATOR, "resume", run=run.id))
        counts = ended.counts
        assert ended.state is RunState.SUCCEEDED
        assert counts.done + counts.all_skipped == counts.selected == FEW
        assert set(counts.skipped) <= {"already embedded"}
        assert console.store.count("photos") == FEW
        assert verified(console)["verdict"] == "green"


def test_paused_it_stops_at_a_checkpoint_and_resumes_behind_it(console: Console, holiday: Path) -> None:
    run = command(console, OPERATOR, "ingest", wish=Wish(holiday, "photos", model=MODEL, batch_size=2))
    looks = iter(range(100))
    stopped = finish(console, run, should_stop=lambda: next(looks) >= 2)
    assert stopped.state is RunState.INTERRUPTED
    assert 0 < stopped.counts.done < FEW
    command(console, OPERATOR, "resume", run=run.id)
    ended = finish(console, run)
    assert ended.state is RunState.SUCCEEDED
    written_ahead = ended.counts.skipped.get("already embedded", 0)
    assert ended.counts.done + written_ahead == ended.counts.selected == FEW
    vectors = [point.vector for point in console.store.scroll("photos", vectors=True) if point.vector is not None]
    assert np.isfinite(np.stack(vectors)).all()
    assert len(vectors) == FEW


# Backed up


def test_a_backup_that_is_restored_under_another_name_has_the_same_pictures_to_hold(
    console: Console, holiday: Path
) -> None:
    (holiday / "delivery.csv").write_text("1.jpg,cat\n")
    ingest(console, holiday)
    ingest(console, holiday / "delivery.csv")
    made = finish(console, command(console, OPERATOR, "back_up", collection="photos"))
    assert made.result is not None
    console.store.drop("photos")
    console.intakes.forget("photos")
    shutil.rmtree(console.members.places.copies)
    finish(console, command(console, OPERATOR, "restore", backup=made.result["backup"], into="albums"))
    result = verified(console, "albums")
    assert result["verdict"] == "green", result["checks"]
    report = covered(console, "albums")
    assert (report["totals"]["embedded"], report["totals"]["missing"], report["orphaned"]) == (FEW, 0, 0)
