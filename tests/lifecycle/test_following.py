# ruff: noqa: T201
"""Pictures come, change and go while a collection is built, while it waits, and after it was cut over."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from console_core.catalog.loading import content_digest, load
from console_core.commands import command
from console_core.console import Console
from console_core.database import now
from console_core.errors import Refused
from console_core.following.catch_up import BATCH
from console_core.following.follower import Follower
from console_core.following.records import Lag
from console_core.rollout.expected import expected_signature
from console_core.rollout.records import Move
from console_core.runs.manners import Manners
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import provenance
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR, finish, migrate
from tests.lifecycle.changing import Application

TARGET = "images__demo-siglip"
FORMER = "images__demo-clip"


def differences(console: Console, collection: str, model: str) -> dict[str, set[int]]:
    """What a collection lacks, has too much, and has of other pictures than the catalog; every vector made anew."""
    embedder = console.models.get(model)
    rows = {int(row.key): row for row in console.catalog.rows()}
    points = {int(point.id): point for point in console.store.scroll(collection, vectors=True)}
    wrong = set()
    for key in rows.keys() & points.keys():
        made = embedder.embed_images([embedder.preprocessing.exact(load(rows[key], console.images).image)])[0]
        vector, payload = points[key].vector, points[key].payload
        assert vector is not None
        if float(made @ vector) < 0.999 or any(payload.get(name) != value for name, value in rows[key].payload.items()):
            wrong.add(key)
    return {"missing": rows.keys() - points.keys(), "extra": points.keys() - rows.keys(), "wrong": wrong}


def nothing(found: Mapping[str, set[int]]) -> bool:
    return not any(found.values())


def caught_up(console: Console, collection: str, **arguments: bool) -> Run:
    run = command(console, OPERATOR, "catch_up", collection=collection, **arguments)
    assert isinstance(run, Run)
    return finish(console, run)


@pytest.fixture
def application(workspace: Path) -> Application:
    return Application(workspace)


def test_what_comes_changes_and_goes_during_a_build_is_caught_up(console: Console, application: Application) -> None:
    build = migrate(console)
    application.insert(6)
    application.edit(4)
    application.delete(5)
    run = caught_up(console, build.target)
    assert run.state is RunState.SUCCEEDED, run.reason
    assert run.counts.pending == 0
    assert nothing(differences(console, build.target, "demo-siglip"))
    again = command(console, OPERATOR, "catch_up", collection=build.target)
    assert again == Lag()


def test_a_file_that_was_replaced_without_a_word_in_the_catalog_is_noticed(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    replaced = application.replace(3)
    run = caught_up(console, build.target)
    assert run.result is not None
    assert run.result["edited"] == 3
    for point in console.store.retrieve(build.target, replaced):
        made = provenance(point.payload)
        assert made is not None
        [row] = console.catalog.get([str(point.id)])
        assert made.content == content_digest(console.images.read(row.candidates[0]))
    assert nothing(differences(console, build.target, "demo-siglip"))


def test_catching_up_keeps_what_an_application_wrote_beside_the_catalog(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    [edited] = application.edit(1)
    [point] = console.store.retrieve(build.target, [edited], vectors=True)
    console.store.upsert(build.target, [Point(point.id, point.vector, {**point.payload, "liked": True})])
    caught_up(console, build.target)
    [point] = console.store.retrieve(build.target, [edited])
    assert point.payload["liked"] is True
    assert str(point.payload["caption"]).endswith(" again")


def test_a_picture_that_cannot_be_read_costs_only_itself_and_is_tried_once(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    [bad, good] = application.insert(2)
    (application.workspace / "images" / f"{bad:04}.jpg").write_bytes(b"no picture")
    run = caught_up(console, build.target)
    assert run.state is RunState.SUCCEEDED, run.reason
    assert dict(run.counts.failed) == {"unsupported": 1}
    assert [point.id for point in console.store.retrieve(build.target, [bad, good])] == [good]


def test_an_empty_catalog_does_not_empty_the_collection(console: Console, application: Application) -> None:
    build = migrate(console)
    points = console.store.count(build.target)
    application.delete(len(application.keys()) - 1)
    run = caught_up(console, build.target)
    assert run.state is RunState.FAILED
    assert "too many to delete" in run.reason
    assert console.store.count(build.target) == points
    run = caught_up(console, build.target, mass_deletion=True)
    assert run.state is RunState.SUCCEEDED, run.reason
    assert console.store.count(build.target) == 1


def test_a_rollback_within_the_window_loses_nothing_that_happened_since(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    application.insert(10)
    application.edit(5)
    application.delete(5)
    run = command(console, OPERATOR, "roll_back", alias="images")
    assert isinstance(run, Run)
    assert finish(console, run).state is RunState.SUCCEEDED, run.reason
    assert console.store.aliases() == {"images": FORMER}
    found = differences(console, "images", "demo-clip")
    print(f"after 10 inserts, 5 edits and 5 deletes since the cut-over, a rollback leaves {found}")
    assert nothing(found)


def test_the_way_back_leaves_odd_things_as_they_were_and_follows_what_changed_since(
    console: Console, application: Application
) -> None:
    """The former collection is an application's own: no provenance, a gap, an orphan, and a field of its own."""
    former = list(console.store.scroll(FORMER, vectors=True))
    console.store.create("own", CollectionSpec(128, stamp=console.store.describe(FORMER).stamp))
    bare = [Point(p.id, p.vector, {"own": True, "caption": p.payload["caption"]}) for p in former if p.id != 3]
    orphan = Point(9999, former[0].vector, {"own": True})
    console.store.upsert("own", [*bare, orphan])
    console.store.set_alias("images", "own", expected=FORMER)
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    before = signature_of(console.store, "own")
    command(console, OPERATOR, "catch_up", collection=build.target)
    for run in reversed(console.ledger.runs(kinds=("catch_up",), states=(RunState.QUEUED,))):
        assert finish(console, run).state is RunState.SUCCEEDED
    assert before.same_as(signature_of(console.store, "own")), "taking stock must change nothing"
    [edited] = application.edit(1)
    [deleted] = application.delete(1)
    [inserted] = application.insert(1)
    run = command(console, OPERATOR, "roll_back", alias="images")
    assert isinstance(run, Run)
    ended = finish(console, run)
    assert ended.state is RunState.SUCCEEDED, ended.reason
    there = {point.id: point for point in console.store.scroll("images")}
    assert {3, deleted} & there.keys() == set()
    assert {9999, inserted} <= there.keys()
    changed = {key for key, point in there.items() if "_console" in point.payload}
    assert changed == {edited, inserted} - {deleted}


def test_outside_the_window_the_number_of_affected_pictures_is_told_and_must_be_accepted(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    run = command(console, OPERATOR, "catch_up", collection=FORMER)
    assert finish(console, run).state is RunState.SUCCEEDED
    console.follows.end(console.keeping.followed(FORMER).id, "The window closed.")
    application.insert(3)
    application.delete(2)
    with pytest.raises(Refused, match=r"5 pictures \(3 added, 2 deleted\)"):
        command(console, OPERATOR, "roll_back", alias="images")
    assert console.store.aliases() == {"images": build.target}
    moved = command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
    assert isinstance(moved, Move)
    assert console.store.aliases() == {"images": FORMER}


def test_a_follow_ends_when_its_window_closes(console: Console) -> None:
    stamp = console.store.describe(FORMER).stamp
    assert stamp == ModelStamp("demo-clip", stamp.fingerprint if stamp else "")
    past = now() - timedelta(days=1)
    console.follows.begin(FORMER, model=stamp.model, fingerprint=stamp.fingerprint, until=past, since=past)
    Follower(console.keeping, lambda: None, interval=0, rest=0).look()
    follow = console.follows.of(FORMER)
    assert follow is not None
    assert follow.ended_at is not None
    assert follow.note.startswith("The window closed on ")


def test_a_picture_that_failed_is_caught_up_once_its_file_is_mended(console: Console, application: Application) -> None:
    build = migrate(console)
    [key] = application.insert(1)
    file = application.workspace / "images" / f"{key:04}.jpg"
    whole = file.read_bytes()
    file.write_bytes(b"")
    assert dict(caught_up(console, build.target).counts.failed) == {"empty": 1}
    assert command(console, OPERATOR, "catch_up", collection=build.target) == Lag()
    file.write_bytes(whole)
    run = caught_up(console, build.target)
    assert (run.counts.done, run.counts.all_failed) == (1, 0)
    assert console.failed.counts(build.target) == {}


def test_the_consoles_own_catching_up_carries_the_signature_on_and_somebody_elses_write_does_not(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    application.insert(3)
    application.edit(3)
    application.delete(2)
    caught_up(console, build.target)
    expected = expected_signature(console.ledger, console.store, build.target)
    assert expected is not None
    assert expected.same_as(signature_of(console.store, build.target))
    application.insert(1)
    caught_up(console, build.target)
    expected = expected_signature(console.ledger, console.store, build.target)
    assert expected is not None
    assert expected.same_as(signature_of(console.store, build.target))
    [point] = console.store.retrieve(build.target, [7], vectors=True)
    console.store.upsert(build.target, [Point(7, point.vector, {**point.payload, "caption": "meddled with"})])
    application.insert(1)
    caught_up(console, build.target)
    assert not expected.same_as(signature_of(console.store, build.target))


def test_a_collection_that_waits_for_its_cut_over_is_kept_in_step_by_itself(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    woken: list[bool] = []
    follower = Follower(console.keeping, lambda: woken.append(True), interval=0, rest=0)
    for _ in range(3):
        application.insert(2)
        application.delete(1)
        follower.look()
        [run] = console.ledger.runs(kinds=("catch_up",), states=(RunState.QUEUED,))
        assert finish(console, run).state is RunState.SUCCEEDED
        follower.look()
        [follow] = console.follows.active()
        assert follow.lag == Lag()
        assert follow.checked_at is not None
    assert len(woken) == 3
    moved = command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert isinstance(moved, Move)
    assert nothing(differences(console, "images", "demo-siglip"))


def test_a_cut_over_catches_up_first_where_the_collection_is_behind(console: Console, application: Application) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    console.keeping.keep_in_step()
    application.insert(4)
    application.delete(2)
    run = command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert isinstance(run, Run)
    assert console.store.aliases() == {"images": FORMER}
    assert finish(console, run).state is RunState.SUCCEEDED
    assert console.store.aliases() == {"images": build.target}
    assert nothing(differences(console, "images", "demo-siglip"))


def test_a_catch_up_has_the_batches_that_its_manners_say(console: Console, application: Application) -> None:
    build = migrate(console)
    application.insert(10)
    run = command(console, OPERATOR, "catch_up", collection=build.target)
    assert run.spec["batch_size"] == BATCH
    console.ledger.manners.put(run.id, Manners(batch_size=4))
    sizes: list[int] = []
    upsert = console.store.upsert

    def counted(name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        sizes.append(len(points))
        return upsert(name, points, as_is=as_is)

    console.store.upsert = counted  # type: ignore[method-assign]
    assert finish(console, run).counts.done == 10
    assert sizes == [4, 4, 2]


def test_a_catch_up_tells_all_that_it_did_in_however_many_attempts(console: Console, application: Application) -> None:
    build = migrate(console)
    application.insert(6)
    run = command(console, OPERATOR, "catch_up", collection=build.target)
    console.ledger.manners.put(run.id, Manners(batch_size=2))
    stopped = finish(console, run, lambda: console.ledger.get(run.id).counts.done >= 4)
    assert (stopped.state, stopped.counts.done) == (RunState.INTERRUPTED, 4)
    ended = finish(console, command(console, OPERATOR, "resume", run=run.id))
    assert ended.result is not None
    assert (ended.counts.done, ended.result["added"]) == (6, 6)
