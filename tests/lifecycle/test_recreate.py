"""A collection is recreated under its own name, or nothing has changed and the reason is said."""

import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from console_core import settings
from console_core.commands import Actor, command
from console_core.console import Console, open_console
from console_core.errors import CollectionNotFound, NotAllowed, Refused, StoreUnavailable
from console_core.following.follower import Follower
from console_core.rollout.cutover import way_back
from console_core.rollout.records import Move
from console_core.runs.types import Lane, Run, RunState, Verb
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.qdrant_embedded import QdrantEmbedded
from console_core.vectorstore.signature import Signature, signature_of
from console_core.vectorstore.types import Point
from tests.conftest import OPERATOR, fill, finish, make_workspace
from tests.lifecycle.changing import Application
from tests.lifecycle.forking import Forks
from tests.lifecycle.killing import Killing
from tests.lifecycle.replaced import NEW, beside, compared, failing, proven
from tests.lifecycle.workspaces import copied, opened

FORMER = "images__former"
Break = Callable[[Console], str]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`images` is searched by its own name; the new collection is verified, and the backup proven."""
    workspace = make_workspace(tmp_path_factory.mktemp("prepared") / "workspace", 24)
    with opened(workspace) as console:
        fill(console, "images", "demo-clip")
        beside(console)
        proven(console, "images")
    return workspace


@pytest.fixture
def replaceable(prepared: Path, tmp_path: Path) -> Path:
    return copied(prepared, tmp_path / "replaceable")


def recreate(console: Console, collection: str = "images", target: str = NEW, typed: str = "images") -> Run:
    run = command(console, OPERATOR, "recreate", collection=collection, target=target, typed=typed)
    assert isinstance(run, Run)
    return run


def held(console: Console) -> dict[str, Signature]:
    return {info.name: signature_of(console.store, info.name) for info in console.store.collections()}


def edit(console: Console, collection: str, key: int = 7) -> None:
    """What an application does: the number of points stays as it was."""
    [point] = console.store.retrieve(collection, [key], vectors=True)
    console.store.upsert(collection, [Point(key, point.vector, {**point.payload, "caption": "edited"})])


def an_alias(console: Console) -> str:
    console.store.set_alias("pictures", "images", expected=None)
    return "images is searched through the alias pictures"


def a_run_that_reads(console: Console) -> str:
    run = command(console, OPERATOR, "back_up", collection="images")
    return f"Run {run.id} .* uses images"


def a_run_that_compares(console: Console) -> str:
    spec = {"version": 1, "replaces": "images"}
    run = console.ledger.submit(
        kind="verify", lane=Lane.STORE, title="Verify", target="other", spec=spec, actor="olga", writes=False
    )
    return f"Run {run.id} .* uses images"


def never_verified(console: Console) -> str:
    fill(console, "other", "demo-siglip")
    return "other has not been verified"


def red(console: Console) -> str:
    [point] = console.store.retrieve(NEW, [5], vectors=True)
    assert point.vector is not None
    console.store.upsert(NEW, [Point(5, np.roll(point.vector, 7), point.payload)])
    console.store.delete(NEW, [6])
    compared(console, NEW, "images")
    return "is red"


def one_point_more(console: Console) -> str:
    [point] = console.store.retrieve(NEW, [5], vectors=True)
    console.store.upsert(NEW, [Point(999, point.vector, {})])
    return f"{NEW} has 25 points, but 24 when it was verified"


def not_compared(console: Console) -> str:
    compared(console, NEW, "")
    return f"{NEW} was not compared with images"


def no_backup(console: Console) -> str:
    command(console, OPERATOR, "delete_backup", backup=console.backups.all()[0].id)
    return "images has no backup that a restore has proven"


def no_proof(console: Console) -> str:
    no_backup(console)
    finish(console, command(console, OPERATOR, "back_up", collection="images"))
    return "images has no backup that a restore has proven"


@pytest.mark.parametrize(
    "spoil",
    [
        an_alias,
        a_run_that_reads,
        a_run_that_compares,
        never_verified,
        red,
        one_point_more,
        not_compared,
        no_backup,
        no_proof,
    ],
)
def test_each_precondition_alone_refuses_a_recreation_with_its_reason(replaceable: Path, spoil: Break) -> None:
    with opened(replaceable) as console:
        reason, before = spoil(console), held(console)
        runs = len(console.ledger.runs())
        with pytest.raises(Refused, match=f"images cannot be recreated in place: .*{reason}"):
            recreate(console, target="other" if spoil is never_verified else NEW)
        assert held(console) == before
        assert len(console.ledger.runs()) == runs


def test_an_alias_is_not_recreated_and_the_name_must_be_typed_by_an_admin(replaceable: Path) -> None:
    with opened(replaceable) as console:
        with pytest.raises(Refused, match="must be confirmed"):
            recreate(console, typed="image")
        with pytest.raises(NotAllowed):
            command(console, Actor("ben", "operator"), "recreate", collection="images", target=NEW, typed="images")
        with pytest.raises(CollectionNotFound):
            recreate(console, collection="nothing", typed="nothing")
        console.store.set_alias("pictures", "images", expected=None)
        with pytest.raises(Refused, match="pictures is an alias already: cut it over"):
            recreate(console, collection="pictures", typed="pictures")


@pytest.mark.parametrize("collection", ["images", NEW])
@pytest.mark.parametrize("moment", ["before it begins", "right before the switch"])
def test_a_write_that_leaves_the_number_of_points_as_it_was_is_noticed_before_anything_goes(
    replaceable: Path, collection: str, moment: str
) -> None:
    with opened(replaceable) as console:
        run = recreate(console)
        if moment == "right before the switch":
            run = _until_the_switch(console, run)
        edit(console, collection)
        before = held(console)
        ended = finish(console, run)
        assert ended.state is RunState.FAILED
        assert "was written to after it was " in ended.reason
        assert {name: held(console)[name] for name in before} == before
        assert console.store.aliases() == {}


def _until_the_switch(console: Console, run: Run) -> Run:
    """Stop a run at the last moment at which nothing has gone, and resume it."""
    stopped = finish(console, run, lambda: '"switch"' in console.ledger.get(run.id).checkpoint)
    assert stopped.state is RunState.INTERRUPTED
    assert {info.name for info in console.store.collections()} == {"images", NEW, FORMER}
    return console.ledger.ask(run.id, Verb.RESUME, "olga")


def test_a_run_that_begins_to_use_the_collection_meanwhile_is_waited_for(replaceable: Path) -> None:
    with opened(replaceable) as console:
        run = _until_the_switch(console, recreate(console))
        using = command(console, OPERATOR, "back_up", collection="images")
        ended = finish(console, run)
        assert (ended.state, using.id in ended.reason) == (RunState.FAILED, True)
        assert console.store.describe("images").name == "images"


def test_a_backup_that_lost_its_proof_meanwhile_keeps_the_collection(replaceable: Path) -> None:
    with opened(replaceable) as console:
        run = _until_the_switch(console, recreate(console))
        backup = console.backups.get(run.spec["backup"])
        (backup.folder / "proof.json").unlink()
        assert finish(console, run).state is RunState.FAILED
        assert console.store.describe("images").name == "images"
        shutil.rmtree(backup.folder)


def test_the_same_name_leads_to_the_new_collection_and_back_without_a_difference(
    replaceable: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Application(replaceable).insert(1)[0]
    with opened(replaceable) as console:
        before = console.store.describe("images")
        kept, payloads = signature_of(console.store, "images"), _payloads(console)
        console.follows.begin("images", model="demo-clip", fingerprint=before.stamp.fingerprint if before.stamp else "")
        failing(console, "images", str(bad))
        ended = finish(console, recreate(console))
        assert ended.state is RunState.SUCCEEDED, ended.reason
        assert console.store.aliases() == {"images": NEW}
        after = console.store.describe("images")
        assert (after.name, after.points) == (NEW, before.points)
        assert after.dimension != before.dimension or after.stamp != before.stamp
        assert _payloads(console) == payloads
        assert signature_of(console.store, FORMER).same_as(kept)
        assert console.store.describe(FORMER).stamp == before.stamp
        assert ended.result is not None
        gap = ended.result["gap"]
        assert 0 < gap < 60
        assert {name: console.failed.counts(name) for name in ("images", FORMER)} == {
            "images": {},
            FORMER: {"missing": 1},
        }
        follow = console.follows.of("images")
        assert follow is not None
        assert "is an alias now" in follow.note
        brought = way_back(console.moves, "images", NEW)
        assert brought is not None
        assert brought.before == FORMER
        moved = command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
        assert isinstance(moved, Move)
        assert console.store.aliases() == {"images": FORMER}
        assert signature_of(console.store, "images").same_as(kept), "a rollback must leave no difference"
        with capsys.disabled():
            print(f"\nthe name led nowhere for {1000 * gap:.1f} ms; a rollback left 0 differences")  # noqa: T201


def _payloads(console: Console) -> dict[object, dict[str, object]]:
    return {point.id: application_payload(point.payload) for point in console.store.scroll("images")}


@pytest.mark.parametrize("stage", ["check", "make", "fill", "compare", "switch"])
def test_a_recreation_that_is_cancelled_while_it_stands_takes_back_what_it_had_kept(
    replaceable: Path, stage: str
) -> None:
    with opened(replaceable) as console:
        before, run = held(console), recreate(console)
        stopped = finish(console, run, lambda: stage in console.ledger.get(run.id).checkpoint)
        assert stopped.state is RunState.INTERRUPTED
        assert (FORMER in held(console)) == (stage in ("fill", "compare", "switch"))
        command(console, OPERATOR, "cancel", run=run.id)
        assert held(console) == before


def test_a_recreation_that_is_cancelled_at_work_takes_back_what_it_had_kept(replaceable: Path) -> None:
    with opened(replaceable) as console:
        before, run = held(console), recreate(console)

        def cancelled() -> bool:
            if "fill" in console.ledger.get(run.id).checkpoint:
                command(console, OPERATOR, "cancel", run=run.id)
            return False

        assert finish(console, run, cancelled).state is RunState.CANCELLED
        assert held(console) == before


def test_a_process_that_is_killed_in_the_gap_leaves_it_to_the_next_start_and_the_run_goes_on_by_itself(
    replaceable: Path, tmp_path: Path, forks: Forks
) -> None:
    with opened(replaceable) as console:
        run = recreate(console)
    killing = Killing("recreate", replaceable, {"run": run.id})
    borders = killing.borders(forks, tmp_path / "undisturbed")
    killing.life(forks, replaceable, borders.index("store: set_alias images") + 1)
    with closing(QdrantEmbedded(replaceable / "qdrant")) as store:
        assert store.aliases() == {}
        assert [info.name for info in store.collections()] == [NEW, FORMER], "the process must have died in the gap"
    with opened(replaceable) as console:
        assert console.store.aliases() == {"images": NEW}
        assert console.ledger.get(run.id).state is RunState.QUEUED
    with closing(open_console(settings.read(replaceable, {}), owner_name="next", with_worker=True)) as console:
        until = time.monotonic() + 60
        while (ended := console.ledger.get(run.id)).state is not RunState.SUCCEEDED:
            assert time.monotonic() < until, ended.reason
            time.sleep(0.05)
        assert ended.counts.pending == 0
        assert console.store.aliases() == {"images": NEW}


def test_a_gap_that_a_store_left_open_is_closed_while_the_console_runs(
    replaceable: Path,
) -> None:
    def away(*arguments: object, **named: object) -> None:
        raise StoreUnavailable("The store is away.", "Start it.")

    with opened(replaceable) as console:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(console.store, "set_alias", away)
            run = finish(console, recreate(console))
        assert (run.state, console.store.aliases()) == (RunState.FAILED, {})
        Follower(console.keeping, lambda: None, interval=0, rest=0).look()
        assert console.store.aliases() == {"images": NEW}
        command(console, OPERATOR, "resume", run=run.id)
        assert finish(console, run).state is RunState.SUCCEEDED
