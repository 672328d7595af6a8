"""What could make a collection that is kept in step lose or keep what it must not: each trap, and that it is none."""

import os
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from console_core.catalog.types import Slice
from console_core.commands import command
from console_core.console import Console
from console_core.errors import Refused
from console_core.following.catch_up import CatchUp
from console_core.following.comparing import Left
from console_core.following.follower import Follower
from console_core.following.records import Lag
from console_core.migration.batch import Filled
from console_core.migration.filling import Filling
from console_core.migration.findings import Request
from console_core.rollout.records import Move
from console_core.runs.manners import Hours, Manners
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import point_id
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, Point
from tests.conftest import OPERATOR, finish, migrate
from tests.lifecycle.changing import Application
from tests.lifecycle.test_following import FORMER, TARGET, caught_up, differences, nothing


@pytest.fixture
def application(workspace: Path) -> Application:
    return Application(workspace)


def verified(console: Console, model: str = "demo-siglip") -> Run:
    build = migrate(console, model=model)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    return build


def all_done(console: Console) -> None:
    while runs := console.ledger.runs(states=(RunState.QUEUED,)):
        for run in reversed(runs):
            finish(console, run)


def follower(console: Console) -> Follower:
    return Follower(console.keeping, lambda: None, interval=0, rest=0)


def test_a_catalog_that_shrinks_while_a_run_deletes_does_not_empty_the_collection(
    console: Console, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(console)
    console.keeping.keep_in_step()
    application.delete(1)
    left, walks = CatchUp._left, [0]

    def reimported_in_between(self: CatchUp) -> Iterator[list[Left]]:
        walks[0] += 1
        if walks[0] == 2:
            application.delete(len(application.keys()) - 1)
        return left(self)

    monkeypatch.setattr(CatchUp, "_left", reimported_in_between)
    run = command(console, OPERATOR, "catch_up", collection=TARGET)
    ended = finish(console, run)
    assert ended.state is RunState.FAILED
    assert "too many to delete" in ended.reason
    assert console.store.count(TARGET) == 48


def test_many_small_deletions_in_a_row_need_a_word_like_one_large_one(
    console: Console, application: Application
) -> None:
    migrate(console)
    console.keeping.keep_in_step()
    outcomes = []
    for _ in range(5):
        application.delete(9)
        outcomes.append(caught_up(console, TARGET).state)
    assert outcomes[:2] == [RunState.SUCCEEDED] * 2
    assert outcomes[2:] == [RunState.FAILED] * 3
    assert console.store.count(TARGET) == 48 - 18


def test_points_of_an_application_whose_keys_are_spelled_otherwise_are_not_taken_for_deleted(
    console: Console, application: Application
) -> None:
    """The catalog has GUIDs in capitals, Qdrant writes ids in small letters, and nothing says more."""
    keys = {number: str(uuid.UUID(int=number)).upper().replace("0000", "00AB", 1) for number in range(1, 20)}
    points = list(console.store.scroll(FORMER, vectors=True))[:19]
    console.store.create("own", CollectionSpec(128, stamp=console.store.describe(FORMER).stamp))
    console.store.upsert("own", [Point(point_id(keys[int(p.id)].lower()), p.vector, {"own": True}) for p in points])
    follow = console.follows.begin("own", model="demo-clip", fingerprint=points[0].payload["_console"]["fingerprint"])
    compare = console.comparison(follow)
    assert compare.left(list(console.store.scroll("own"))) == []


def test_a_live_point_whose_payload_an_application_overwrote_is_not_deleted(
    console: Console, application: Application
) -> None:
    migrate(console)
    console.keeping.keep_in_step()
    [point] = console.store.retrieve(TARGET, [7], vectors=True)
    console.store.upsert(TARGET, [Point(7, point.vector, {"liked": True})])
    (application.workspace / "images" / "0007.jpg").write_bytes(b"")
    command(console, OPERATOR, "catch_up", collection=TARGET)
    all_done(console)
    assert [found.id for found in console.store.retrieve(TARGET, [7])] == [7]


def test_touching_the_files_changes_nothing_in_a_former_collection_without_provenance(
    console: Console, application: Application
) -> None:
    former = list(console.store.scroll(FORMER, vectors=True))
    console.store.create("own", CollectionSpec(128, stamp=console.store.describe(FORMER).stamp))
    console.store.upsert("own", [Point(p.id, p.vector, {"own": True}) for p in former])
    console.store.set_alias("images", "own", expected=FORMER)
    build = verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    command(console, OPERATOR, "catch_up", collection="own")
    all_done(console)
    before = signature_of(console.store, "own")
    for file in (application.workspace / "images").iterdir():
        file.chmod(0o640)
        os.utime(file)
    command(console, OPERATOR, "catch_up", collection="own")
    all_done(console)
    assert before.same_as(signature_of(console.store, "own"))


def test_the_collection_that_goes_live_during_a_look_stays_in_step(
    console: Console, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = verified(console)
    console.keeping.keep_in_step()
    looking = follower(console)
    moved: list[object] = []
    look_in_time = Follower._look_in_time

    def moved_meanwhile(self: Follower, identifier: str) -> None:
        if not moved:
            moved.append(command(console, OPERATOR, "cut_over", alias="images", to=build.target))
        look_in_time(self, identifier)

    monkeypatch.setattr(Follower, "_look_in_time", moved_meanwhile)
    for _ in range(2):
        looking.look()
        all_done(console)
    application.insert(3)
    looking.look()
    all_done(console)
    assert {follow.collection for follow in console.follows.active()} == {TARGET, FORMER}
    assert nothing(differences(console, TARGET, "demo-siglip"))


def test_a_picture_that_is_deleted_right_after_a_cut_over_is_not_brought_back_by_a_rollback(
    console: Console, application: Application
) -> None:
    build = verified(console)
    looking = follower(console)
    console.keeping.keep_in_step()
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    [deleted] = application.delete(1)
    target = console.keeping.followed(TARGET)
    run = console.keeping.catch_up(target, Lag(deleted=1), "the console")
    finish(console, run)  # the new collection first, before anybody has looked at the former one
    looking.look()
    all_done(console)
    command(console, OPERATOR, "roll_back", alias="images")
    all_done(console)
    assert console.store.aliases() == {"images": FORMER}
    assert console.store.retrieve("images", [deleted]) == []


def test_what_was_accepted_is_forgotten_once_it_changes(console: Console, application: Application) -> None:
    former = list(console.store.scroll(FORMER, vectors=True))
    console.store.create("own", CollectionSpec(128, stamp=console.store.describe(FORMER).stamp))
    console.store.upsert("own", [Point(p.id, p.vector, {"caption": p.payload["caption"]}) for p in former])
    console.store.set_alias("images", "own", expected=FORMER)
    build = verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    command(console, OPERATOR, "catch_up", collection="own")
    all_done(console)
    application.caption(5, "another word")
    caught_up(console, "own")
    application.caption(5, "square 5")
    caught_up(console, "own")
    [point] = console.store.retrieve("own", [5])
    assert point.payload["caption"] == "square 5"


def test_a_slice_that_goes_live_does_not_fill_the_former_collection(console: Console) -> None:
    started = command(
        console,
        OPERATOR,
        "start_migration",
        request=Request("images", "demo-siglip", Slice({"user_id": ("user-1",)}), batch_size=8),
    )
    build = finish(console, started.run)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    before = signature_of(console.store, FORMER)
    command(console, OPERATOR, "cut_over", alias="images", to=build.target, accept_losses=True)
    command(console, OPERATOR, "catch_up", collection=FORMER)
    all_done(console)
    assert before.same_as(signature_of(console.store, FORMER))


def test_a_second_cut_over_takes_up_again_what_had_ended(console: Console, application: Application) -> None:
    build = verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    command(console, OPERATOR, "roll_back", alias="images")
    all_done(console)
    for follow in console.follows.active():
        console.follows.end(follow.id, "The window closed.")
    application.insert(2)
    moved = command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    all_done(console)
    assert isinstance(moved, Run), "it was behind, and catches up first"
    assert console.store.aliases() == {"images": TARGET}
    assert nothing(differences(console, TARGET, "demo-siglip"))
    assert {follow.collection for follow in console.follows.active()} == {TARGET, FORMER}


def test_a_name_that_is_used_again_after_a_retirement_is_kept_in_step(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    console.keeping.keep_in_step()
    console.keeping.let_go(build.target, "It was retired.")
    console.store.drop(build.target)
    again = migrate(console)
    assert again.target == build.target
    application.insert(2)
    assert caught_up(console, again.target).counts.done == 2


def test_a_queued_rollback_does_not_move_an_alias_that_somebody_moved_elsewhere(
    console: Console, application: Application
) -> None:
    build = verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    application.insert(2)
    run = command(console, OPERATOR, "roll_back", alias="images")
    assert isinstance(run, Run)
    console.store.create("elsewhere", CollectionSpec(8))
    console.store.set_alias("images", "elsewhere", expected=TARGET)
    ended = finish(console, run)
    assert ended.state is RunState.FAILED
    assert "serves elsewhere by now" in ended.reason
    assert console.store.aliases() == {"images": "elsewhere"}


def test_a_rollback_that_must_catch_up_does_not_wait_for_the_night(console: Console, application: Application) -> None:
    build = verified(console)
    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    application.insert(2)
    minute = (datetime.now() + timedelta(hours=6)).time().replace(second=0, microsecond=0)
    never = Manners(hours=Hours(minute, (datetime.now() + timedelta(hours=7)).time().replace(second=0, microsecond=0)))
    command(console, OPERATOR, "set_manners", manners=never)
    run = command(console, OPERATOR, "roll_back", alias="images")
    assert isinstance(run, Run)
    assert console.ledger.manners.of(run.id).hours is None
    assert finish(console, run).state is RunState.SUCCEEDED
    assert console.store.aliases() == {"images": FORMER}


def test_a_second_click_says_that_it_is_live_already(console: Console) -> None:
    build = verified(console)
    assert isinstance(command(console, OPERATOR, "cut_over", alias="images", to=build.target), Move)
    with pytest.raises(Refused, match="serves images__demo-siglip already"):
        command(console, OPERATOR, "cut_over", alias="images", to=build.target)


def test_a_move_that_was_refused_does_not_hold_up_the_follower(console: Console, application: Application) -> None:
    build = verified(console)
    application.insert(1)
    run = command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert isinstance(run, Run)
    [point] = console.store.retrieve(TARGET, [9], vectors=True)
    console.store.upsert(TARGET, [Point(9, point.vector, {**point.payload, "caption": "meddled with"})])
    assert finish(console, run).state is RunState.FAILED
    looking = follower(console)
    application.insert(1)
    for _ in range(2):
        looking.look()
        all_done(console)
    assert console.store.count(TARGET) == 50


def test_a_picture_that_is_replaced_while_it_waits_to_be_written_is_noticed(
    console: Console, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes were read before, so the point is of the former picture, however late it was written."""
    fill = Filling.fill
    replaced: list[int] = []

    def late(self: Filling, *arguments: object) -> Filled:
        if not replaced:
            application.paint(3)
            replaced.append(3)
            later = datetime.now().timestamp() - 1
            os.utime(application.workspace / "images" / "0003.jpg", (later, later))
        return fill(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Filling, "fill", late)
    migrate(console)
    monkeypatch.setattr(Filling, "fill", fill)
    console.keeping.keep_in_step()
    command(console, OPERATOR, "catch_up", collection=TARGET)
    all_done(console)
    assert nothing(differences(console, TARGET, "demo-siglip"))


def test_a_file_that_was_read_half_written_is_tried_again_once_it_is_whole(
    console: Console, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(console)
    [key] = application.insert(1)
    file = application.workspace / "images" / f"{key:04}.jpg"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    fill = Filling.fill

    def finished_meanwhile(self: Filling, *arguments: object) -> Filled:
        file.write_bytes(whole)
        return fill(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Filling, "fill", finished_meanwhile)
    assert dict(caught_up(console, TARGET).counts.failed) == {"unreadable": 1}
    monkeypatch.setattr(Filling, "fill", fill)
    assert caught_up(console, TARGET).counts.done == 1


def test_what_somebody_changed_in_the_collection_is_wrong_also_while_it_is_kept_in_step(console: Console) -> None:
    build = migrate(console)
    console.keeping.keep_in_step()
    [point] = console.store.retrieve(build.target, [9], vectors=True)
    console.store.upsert(build.target, [Point(9, point.vector, {**point.payload, "caption": "meddled with"})])
    run = finish(console, command(console, OPERATOR, "verify", collection=build.target))
    assert run.result is not None
    assert (run.result["verdict"], run.result["differences"]["stale"]) == ("red", 1)


def test_a_retry_keeps_what_an_application_wrote_and_embeds_the_mended_picture(
    console: Console, application: Application
) -> None:
    build = migrate(console)
    [point] = console.store.retrieve(build.target, [4], vectors=True)
    console.store.upsert(build.target, [Point(4, point.vector, {**point.payload, "liked": True})])
    file = application.workspace / "images" / "0004.jpg"
    file.write_bytes(b"")
    console.keeping.keep_in_step()
    application.caption(4, "another word")
    assert dict(caught_up(console, build.target).counts.failed) == {"empty": 1}
    application.paint(4)
    finish(console, command(console, OPERATOR, "retry", collection=build.target))
    [point] = console.store.retrieve(build.target, [4])
    assert (point.payload["liked"], point.payload["caption"]) == (True, "another word")
    assert nothing(differences(console, build.target, "demo-siglip"))
