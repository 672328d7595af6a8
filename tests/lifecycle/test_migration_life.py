"""The life of a migration: plan, build, verify, cut over, roll back, on real pictures, models and a real store."""

import sqlite3
import time

import pytest

from console_core.catalog.types import Slice
from console_core.commands import command
from console_core.console import Console
from console_core.database import now
from console_core.errors import Refused
from console_core.migration.findings import Request
from console_core.migration.records import Stage, standing
from console_core.runs.types import Run, RunState
from console_core.vectorstore.provenance import provenance
from tests.conftest import OPERATOR, PICTURES, finish, migrate


def _stage(console: Console) -> Stage:
    return standing(console.migrations.all()[0], console.ledger, console.store.aliases()).stage


def test_a_migration_lives_from_plan_to_cut_over_and_back_and_loses_nothing(console: Console) -> None:
    before = {
        point.id: point.vector.tolist()
        for point in console.store.scroll("images", vectors=True)
        if point.vector is not None
    }

    build = migrate(console)
    assert build.state is RunState.SUCCEEDED, build.reason
    assert (build.counts.selected, build.counts.done, build.counts.pending) == (PICTURES, PICTURES, 0)
    assert console.store.aliases() == {"images": "images__demo-clip"}
    assert _stage(console) is Stage.BUILT

    verify = finish(console, command(console, OPERATOR, "verify", collection=build.target))
    assert verify.result is not None
    assert verify.result["verdict"] == "green", verify.result["checks"]
    assert _stage(console) is Stage.READY

    command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert console.store.aliases() == {"images": "images__demo-siglip"}
    assert console.store.describe("images").dimension == 192
    assert _stage(console) is Stage.LIVE

    command(console, OPERATOR, "roll_back", alias="images")
    assert console.store.aliases() == {"images": "images__demo-clip"}
    after = {
        point.id: point.vector.tolist()
        for point in console.store.scroll("images", vectors=True)
        if point.vector is not None
    }
    assert after == before
    assert console.store.count("images__demo-siglip") == PICTURES


def test_every_point_says_where_it_comes_from_and_keeps_the_application_payload(console: Console) -> None:
    build = migrate(console)
    (point,) = console.store.retrieve(build.target, [7])
    made = provenance(point.payload)
    assert made is not None
    assert (made.key, made.run, made.fingerprint) == ("7", build.id, build.spec["fingerprint"])
    assert point.payload["caption"] == "square 7"
    assert len(made.content) == 32


def test_a_collection_that_was_not_verified_does_not_go_live(console: Console) -> None:
    build = migrate(console)
    with pytest.raises(Refused, match="has not been verified"):
        command(console, OPERATOR, "cut_over", alias="images", to=build.target)
    assert console.store.aliases() == {"images": "images__demo-clip"}


def test_a_write_after_the_verdict_closes_the_gate(console: Console) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    (point,) = console.store.retrieve(build.target, [1], vectors=True)
    console.store.upsert(build.target, [type(point)(999, point.vector, {})])
    with pytest.raises(Refused, match="when it was verified"):
        command(console, OPERATOR, "cut_over", alias="images", to=build.target)


def test_a_point_of_another_model_makes_the_verdict_red(console: Console) -> None:
    build = migrate(console)
    (point,) = console.store.retrieve(build.target, [3], vectors=True)
    assert point.vector is not None
    console.store.upsert(build.target, [type(point)(3, point.vector[::-1].copy(), {})])
    verify = finish(console, command(console, OPERATOR, "verify", collection=build.target))
    assert verify.result is not None
    red = {check["name"] for check in verify.result["checks"] if not check["ok"]}
    assert red == {"fingerprints"}
    assert {kind: number for kind, number in verify.result["differences"].items() if number} == {"foreign": 1}
    assert _stage(console) is Stage.REFUTED


def test_pausing_and_resuming_embeds_nothing_twice(console: Console) -> None:
    started = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=8))
    claimed = console.ledger.claim(started.run.lane, "this test")
    assert claimed is not None
    steps = console.operation(claimed).steps("", claimed.counts)
    for _ in range(2):
        console.ledger.record(claimed.id, next(steps))
    steps.close()  # type: ignore[attr-defined]
    command(console, OPERATOR, "pause", run=claimed.id)
    console.ledger.finish(claimed.id, RunState.PAUSED, reason="asked")
    assert console.ledger.get(claimed.id).counts.done == 16

    time.sleep(1.1)
    resumed_at = now().isoformat(timespec="seconds")
    resumed = finish(console, command(console, OPERATOR, "resume", run=claimed.id))
    assert resumed.state is RunState.SUCCEEDED
    in_the_second_attempt = [
        made
        for point in console.store.scroll(resumed.target)
        if (made := provenance(point.payload)) is not None and made.embedded_at >= resumed_at
    ]
    assert len(in_the_second_attempt) == PICTURES - 16
    assert resumed.counts.done == console.store.count(resumed.target) == PICTURES


def test_filling_the_served_collection_embeds_only_what_it_lacks_and_is_live_when_verified(console: Console) -> None:
    with sqlite3.connect(console.settings.workspace / "catalog.db") as catalog:
        catalog.execute("INSERT INTO images VALUES (900, 'user-1', NULL, '0001.jpg', 'a late picture')")
        catalog.execute("UPDATE images SET caption = 'changed' WHERE id = 5")
    catalog.close()
    before = {point.id: point.payload for point in console.store.scroll("images")}
    request = Request("images", "demo-clip", target="images__demo-clip")
    build = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    assert (build.state, build.counts.done) == (RunState.SUCCEEDED, 2)
    assert build.counts.skipped == {"already embedded": PICTURES - 1}
    assert _stage(console) is Stage.BUILT
    finish(console, command(console, OPERATOR, "verify", collection="images__demo-clip"))
    assert _stage(console) is Stage.LIVE
    after = {point.id: point.payload for point in console.store.scroll("images")}
    assert {key for key in after if after[key] != before.get(key)} == {5, 900}


def _verified(console: Console, request: Request) -> Run:
    build = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    return finish(console, command(console, OPERATOR, "verify", collection=build.target))


def test_a_collection_that_would_lose_pictures_which_are_found_today_does_not_go_live_unless_a_person_accepts(
    console: Console,
) -> None:
    for number in range(30, 41):  # a disk that was not mounted when the run came to it
        (console.settings.image_roots[0] / f"{number:04}.jpg").unlink()
    verify = _verified(console, Request("images", "demo-siglip"))
    assert verify.result is not None
    assert {check["name"] for check in verify.result["checks"] if not check["ok"]} == {"losses"}
    assert verify.result["losses"] == 11
    with pytest.raises(Refused, match="11 pictures that images__demo-clip finds"):
        command(console, OPERATOR, "cut_over", alias="images", to=verify.target)
    assert console.store.aliases() == {"images": "images__demo-clip"}
    command(console, OPERATOR, "cut_over", alias="images", to=verify.target, accept_losses=True)
    assert console.store.aliases() == {"images": verify.target}


def test_a_slice_does_not_go_live_in_place_of_everything(console: Console) -> None:
    verify = _verified(console, Request("images", "demo-siglip", part=Slice({"user_id": ("user-1",)})))
    assert verify.result is not None
    assert verify.result["losses"] == PICTURES * 2 // 3
    with pytest.raises(Refused, match="would not be found any more"):
        command(console, OPERATOR, "cut_over", alias="images", to=verify.target)


def test_a_migration_that_was_rolled_back_or_overtaken_says_so(console: Console) -> None:
    first = _verified(console, Request("images", "demo-siglip")).target
    command(console, OPERATOR, "cut_over", alias="images", to=first)
    command(console, OPERATOR, "roll_back", alias="images")
    assert [one.stage for one in console.standings(console.migrations.all())] == [Stage.ROLLED_BACK]
    second = _verified(console, Request("images", "demo-siglip", target="another")).target
    command(console, OPERATOR, "cut_over", alias="images", to=second)
    stages = {one.migration.plan.target: one.stage for one in console.standings(console.migrations.all())}
    assert stages == {first: Stage.SUPERSEDED, second: Stage.LIVE}
