"""The one act that deletes a collection: each thing that speaks against it does so alone, and nothing goes."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from console_core.backup.backups import BackupState
from console_core.commands import Actor, command
from console_core.console import Console
from console_core.errors import CollectionNotFound, NotAllowed, Refused
from console_core.migration.ingesting import Wish
from console_core.rollout.made import made_at
from console_core.rollout.retire import retirement
from console_core.runs.types import Counts, Lane, Progress, Run, RunState
from console_core.vectorstore.signature import Signature, signature_of
from console_core.vectorstore.types import Point
from tests.conftest import OPERATOR, fill, finish, make_workspace, migrate
from tests.lifecycle.replaced import NEW, failing, proven
from tests.lifecycle.workspaces import copied, opened

OLD = "images__demo-clip"
Spoil = Callable[[Console], str]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The alias was cut over from OLD to NEW a moment ago; OLD is followed, and its backup is proven."""
    workspace = make_workspace(tmp_path_factory.mktemp("prepared") / "workspace", 24)
    with opened(workspace) as console:
        fill(console, OLD, "demo-clip", alias="images")
        finish(console, command(console, OPERATOR, "verify", collection=migrate(console).target))
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        proven(console, OLD)
    return workspace


@pytest.fixture
def retirable(prepared: Path, tmp_path: Path) -> Path:
    return copied(prepared, tmp_path / "retirable")


def retire(console: Console, collection: str = OLD, typed: str = "", holding_days: float | None = None) -> Run:
    typed = typed or collection
    run = command(console, OPERATOR, "retire", collection=collection, typed=typed, holding_days=holding_days)
    assert isinstance(run, Run)
    return run


def held(console: Console) -> dict[str, Signature]:
    return {info.name: signature_of(console.store, info.name) for info in console.store.collections()}


def without_backup(console: Console) -> None:
    command(console, OPERATOR, "delete_backup", backup=console.backups.all()[0].id)


def served(console: Console) -> str:
    console.store.set_alias("images", OLD, expected=NEW)
    return f"{OLD} is searched through the alias images"


def a_run_that_reads(console: Console) -> str:
    return f"Run {command(console, OPERATOR, 'back_up', collection=OLD).id} .* uses {OLD}"


@pytest.mark.parametrize("role", ["source", "replaces", "target", "former"])
def test_a_run_that_will_read_a_collection_compare_with_it_or_lead_to_it_keeps_it(retirable: Path, role: str) -> None:
    with opened(retirable) as console:
        kind = "recreate" if role in ("target", "former") else "verify"
        run = console.ledger.submit(
            kind=kind, lane=Lane.STORE, title="", target="other", spec={role: OLD}, actor="olga", writes=False
        )
        with pytest.raises(Refused, match=f"Run {run.id} .* uses {OLD}"):
            retire(console)
        command(console, OPERATOR, "cancel", run=run.id)
        assert retire(console).state is RunState.QUEUED


def no_backup(console: Console) -> str:
    without_backup(console)
    return f"{OLD} has no backup that a restore has proven, and no alias was cut over from it at least 30 days ago"


def no_proof(console: Console) -> str:
    without_backup(console)
    finish(console, command(console, OPERATOR, "back_up", collection=OLD))
    assert console.backups.all()[0].state is BackupState.UNPROVEN
    return f"{OLD} has no backup that a restore has proven"


@pytest.mark.parametrize("spoil", [served, a_run_that_reads, no_backup, no_proof])
def test_each_precondition_alone_refuses_a_retirement_with_its_reason(retirable: Path, spoil: Spoil) -> None:
    with opened(retirable) as console:
        reason, before = spoil(console), held(console)
        runs = len(console.ledger.runs())
        with pytest.raises(Refused, match=f"{OLD} cannot be retired: .*{reason}"):
            retire(console)
        assert held(console) == before
        assert len(console.ledger.runs()) == runs


def test_a_cut_over_long_enough_ago_makes_a_backup_needless_unless_the_alias_came_back(retirable: Path) -> None:
    with opened(retirable) as console:
        without_backup(console)
        with pytest.raises(Refused, match="at least 1 days ago"):
            retire(console, holding_days=1)
        command(console, OPERATOR, "roll_back", alias="images", accept_losses=True)
        console.store.set_alias("images", NEW, expected=OLD)  # by somebody else, so that nothing leads to it
        with pytest.raises(Refused, match=f"{OLD} has no backup .* at least 0 days ago"):
            retire(console, holding_days=0)
        console.store.set_alias("images", OLD, expected=NEW)
        with pytest.raises(Refused, match=f"{NEW} has no backup .* at least 0 days ago"):
            retire(console, NEW, holding_days=0)  # it was rolled back, not cut over from
        assert held(console).keys() == {OLD, NEW}


@pytest.mark.parametrize("kind", ["reembed", "restore", "recover"])
def test_a_cut_over_from_another_collection_that_bore_the_name_before_is_not_relied_on(
    retirable: Path, kind: str
) -> None:
    with opened(retirable) as console:
        without_backup(console)
        made = console.ledger.submit(
            kind=kind, lane=Lane.STORE, title="", target=OLD, spec={}, actor="olga", writes=True
        )
        command(console, OPERATOR, "cancel", run=made.id)
        with pytest.raises(Refused, match=f"{OLD} has no backup .* at least 0 days ago"):
            retire(console, holding_days=0)


def ingested_into(console: Console) -> None:
    folder = console.settings.image_roots[0] / "later"
    folder.mkdir()
    shutil.copyfile(folder.parent / "0001.jpg", folder / "1.jpg")
    finish(console, command(console, OPERATOR, "ingest", wish=Wish(folder, OLD)))


def generated_into(console: Console) -> None:
    spec = {"makes": False, "version": 1}
    run = console.ledger.submit(
        kind="generate", lane=Lane.STORE, title="", target=OLD, spec=spec, actor="olga", writes=True
    )
    console.ledger.claim(Lane.STORE, "a test", only=run.id)
    console.ledger.record(run.id, Progress("1", Counts(1, 1), result={"embedded": 1}))
    console.ledger.finish(run.id, RunState.SUCCEEDED, reason="")


def made_by_hand(console: Console) -> None:
    console.store.drop(OLD)
    command(console, OPERATOR, "create_collection", collection=OLD, model="demo-clip")


def retired_and_made_by_an_application(console: Console) -> None:
    run = finish(console, retire(console, holding_days=0))
    assert run.state is RunState.SUCCEEDED, run.reason
    fill(console, OLD, "demo-clip")


@pytest.mark.parametrize("made", [ingested_into, generated_into, made_by_hand, retired_and_made_by_an_application])
def test_days_are_held_by_what_left_the_alias_and_by_nothing_that_was_made_or_filled_since(
    retirable: Path, made: Callable[[Console], None]
) -> None:
    with opened(retirable) as console:
        without_backup(console)
        assert retirement(
            console.store, console.ledger, console.moves, console.backups, OLD, holding=timedelta()
        ).allowed
        made(console)
        with pytest.raises(Refused, match=f"{OLD} has no backup .* at least 0 days ago"):
            retire(console, holding_days=0)


def test_that_it_is_kept_in_step_and_that_an_ingestion_found_nothing_to_do_shortens_no_holding(
    retirable: Path,
) -> None:
    with opened(retirable) as console:
        without_backup(console)
        ingested_into(console)
        left = console.moves.of("images", limit=1)[0].at
        assert (made_at(console.ledger, OLD) or left) > left
        console.intakes.forget(OLD)
    with opened(retirable) as console:
        run = console.ledger.runs(kinds=("ingest",), target=OLD)[0]
        assert made_at(console.ledger, OLD) == run.heartbeat
        finish(console, command(console, OPERATOR, "ingest", wish=Wish(console.settings.image_roots[0] / "later", OLD)))
        finish(console, command(console, OPERATOR, "catch_up", collection=OLD))
        assert made_at(console.ledger, OLD) == run.heartbeat


def test_the_name_of_the_collection_itself_must_be_typed_by_an_admin(retirable: Path) -> None:
    with opened(retirable) as console:
        with pytest.raises(Refused, match="Its 24 points will be deleted"):
            retire(console, typed="images")
        with pytest.raises(CollectionNotFound, match=f"images is an alias of {NEW}"):
            retire(console, "images")
        with pytest.raises(CollectionNotFound):
            retire(console, "nothing")
        with pytest.raises(NotAllowed):
            command(console, Actor("ben", "operator"), "retire", collection=OLD, typed=OLD)
        assert held(console).keys() == {OLD, NEW}


def edited(console: Console) -> str:
    [point] = console.store.retrieve(OLD, [7], vectors=True)
    console.store.upsert(OLD, [Point(7, point.vector, {**point.payload, "caption": "edited"})])
    return f"{OLD} was written to after it was backed up"


def damaged(console: Console) -> str:
    part = next(console.backups.all()[0].folder.glob("*.parquet"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    return "part-00000"


def led_to(console: Console) -> str:
    console.store.set_alias("pictures", OLD, expected=None)
    return f"{OLD} is searched through the alias pictures"


def used(console: Console) -> str:
    return str(command(console, OPERATOR, "back_up", collection=OLD).id)


@pytest.mark.parametrize("spoil", [edited, damaged, led_to, used])
def test_what_happens_after_it_was_asked_for_is_noticed_before_anything_goes(retirable: Path, spoil: Spoil) -> None:
    with opened(retirable) as console:
        run = retire(console)
        reason, before = spoil(console), held(console)
        ended = finish(console, run)
        assert ended.state is RunState.FAILED
        assert reason in ended.reason
        assert held(console) == before


@pytest.mark.parametrize("spoil", [edited, led_to])
def test_what_happens_after_its_backup_was_read_is_noticed_too(retirable: Path, spoil: Spoil) -> None:
    with opened(retirable) as console:
        run = retire(console)
        steps = console.operation(run).steps("", run.counts)
        while next(steps).checkpoint != "dropping":
            assert OLD in held(console)
        reason, before = spoil(console), held(console)
        with pytest.raises(Refused, match=reason):
            next(steps)
        assert held(console) == before


def test_a_retired_collection_takes_its_failures_and_its_follow_with_it(retirable: Path) -> None:
    with opened(retirable) as console:
        failing(console, OLD, "77")
        failing(console, NEW, "78")
        assert OLD in {follow.collection for follow in console.follows.active()}
        run = finish(console, retire(console))
        assert run.state is RunState.SUCCEEDED, run.reason
        assert (run.counts.done, run.result) == (24, {"dropped": OLD})
        assert held(console).keys() == {NEW}
        assert console.failed.collections() == {NEW: 1}
        follow = console.follows.of(OLD)
        assert follow is not None
        assert follow.note == f"{OLD} was retired."
        console.keeping.keep_in_step()
        assert OLD not in {follow.collection for follow in console.follows.active()}
        assert console.store.aliases() == {"images": NEW}
        with pytest.raises(CollectionNotFound):
            command(console, OPERATOR, "roll_back", alias="images")
        restored = command(console, OPERATOR, "restore", backup=console.backups.all()[0].id, into=f"{OLD}-back")
        assert finish(console, restored).state is RunState.SUCCEEDED


def test_a_collection_that_was_held_long_enough_goes_without_a_backup(retirable: Path) -> None:
    with opened(retirable) as console:
        without_backup(console)
        edited(console)
        assert finish(console, retire(console, holding_days=0)).state is RunState.SUCCEEDED
        assert held(console).keys() == {NEW}
