"""What a run stands on is taken away while it works: it stops with a reason, and goes on when it is back."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import console_core.demo
from console_core import settings
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.errors import CatalogInvalid, FingerprintMismatch
from console_core.migration.findings import Request
from console_core.runs.types import Run, RunState
from console_core.settings import FILE
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR, PICTURES, finish, migrate
from tests.lifecycle.workspaces import Serving

BATCH = 8
DEMO_MODELS = Path(console_core.demo.__file__).parent / "models"


@pytest.fixture
def begun(console: Console) -> Run:
    """A build that wrote and recorded three batches, then was interrupted."""
    return begin(console, Request("images", "demo-siglip", batch_size=BATCH))


def begin(console: Console, request: Request, batches: int = 3) -> Run:
    run: Run = command(console, OPERATOR, "start_migration", request=request).run
    stopped = finish(console, run, lambda: console.ledger.get(run.id).counts.done >= batches * request.batch_size)
    assert (stopped.state, stopped.counts.done) == (RunState.INTERRUPTED, batches * request.batch_size)
    return stopped


def resume(console: Console, run: Run) -> Run:
    return finish(console, command(console, OPERATOR, "resume", run=run.id))


def _assert_done(console: Console, run: Run) -> None:
    assert run.state is RunState.SUCCEEDED, run.reason
    assert run.counts.done == console.store.count(run.target) == PICTURES
    verify = finish(console, command(console, OPERATOR, "verify", collection=run.target))
    assert verify.result is not None
    assert verify.result["verdict"] == "green", verify.result["checks"]


def test_a_target_that_was_deleted_is_not_filled_by_half_and_called_complete(console: Console, begun: Run) -> None:
    before = Serving.of(console)
    console.store.drop(begun.target)
    for _ in range(2):
        resumed = resume(console, begun)
        assert resumed.state is RunState.FAILED
        assert resumed.reason == "images__demo-siglip was deleted after this run had written 24 points to it."
        assert resumed.remedy.startswith("Cancel this run and start the migration again")
        assert resumed.counts == begun.counts

    command(console, OPERATOR, "cancel", run=begun.id)
    _assert_done(console, migrate(console))
    assert Serving.of(console) == before


def test_a_target_that_is_deleted_between_two_batches_ends_the_attempt_there(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=BATCH)).run
    write, written = console.store.upsert, list[int]()

    def drop_after_two(name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        if len(written) == 2:
            console.store.drop(run.target)
        written.append(write(name, points, as_is=as_is))
        return written[-1]

    monkeypatch.setattr(console.store, "upsert", drop_after_two)
    stopped = finish(console, run)
    assert stopped.state is RunState.FAILED
    assert 'no collection or alias "images__demo-siglip"' in stopped.reason
    assert stopped.counts.done == 2 * BATCH


def test_a_target_that_lost_points_is_not_called_complete(console: Console, begun: Run) -> None:
    target = console.store.describe(begun.target)
    console.store.drop(begun.target)
    console.store.create(begun.target, CollectionSpec(target.dimension, stamp=target.stamp))
    resumed = resume(console, begun)
    assert resumed.state is RunState.FAILED
    assert "holds 0 points, but this run has written 24" in resumed.reason


def test_a_target_that_another_model_took_is_not_written_to(console: Console) -> None:
    run = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=BATCH)).run
    console.store.create(run.target, CollectionSpec(192, stamp=ModelStamp("another", "0" * 16)))
    stopped = finish(console, run)
    assert stopped.state is RunState.FAILED
    assert "is a collection already" in stopped.reason
    assert console.store.count(run.target) == 0
    console.store.drop(run.target)
    _assert_done(console, resume(console, run))


def test_a_catalog_column_that_vanished_fails_the_run_until_it_is_back(console: Console, begun: Run) -> None:
    before = Serving.of(console)
    _sql(console, "ALTER TABLE images RENAME COLUMN compressed_path TO small_path")
    stopped = resume(console, begun)
    assert stopped.state is RunState.FAILED
    assert "compressed_path" in stopped.reason
    assert "[catalog]" in stopped.remedy
    assert stopped.counts == begun.counts
    with pytest.raises(CatalogInvalid, match="compressed_path"):
        next(console.catalog.rows())
    _sql(console, "ALTER TABLE images RENAME COLUMN small_path TO compressed_path")
    _assert_done(console, resume(console, begun))
    assert Serving.of(console) == before


def test_a_catalog_table_that_vanished_fails_the_run_until_it_is_back(console: Console, begun: Run) -> None:
    _sql(console, "ALTER TABLE images RENAME TO pictures")
    stopped = resume(console, begun)
    assert stopped.state is RunState.FAILED
    assert "no such table" in stopped.reason
    _sql(console, "ALTER TABLE pictures RENAME TO images")
    _assert_done(console, resume(console, begun))


def _sql(console: Console, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(console.settings.workspace / "catalog.db")) as connection:
        connection.execute(statement)


def test_pictures_that_vanished_and_came_back_fail_each_for_itself_and_are_filled_by_a_second_migration(
    console: Console, begun: Run
) -> None:
    gone = [console.settings.image_roots[0] / f"{number:04}.jpg" for number in (38, 39, 40)]
    for file in gone:
        file.rename(file.with_suffix(".away"))
    stopped = resume(console, begun)
    assert stopped.state is RunState.SUCCEEDED
    assert dict(stopped.counts.failed) == {"missing": 3}
    assert [failure.key for failure in console.ledger.failures(begun.id)] == ["38", "39", "40"]
    for file in gone:
        file.with_suffix(".away").rename(file)
    request = Request("images", "demo-siglip", target=begun.target, batch_size=BATCH)
    filled = finish(console, command(console, OPERATOR, "start_migration", request=request).run)
    assert (filled.counts.done, dict(filled.counts.skipped)) == (3, {"already embedded": PICTURES - 3})
    assert console.store.count(begun.target) == PICTURES


@pytest.fixture
def own_model(workspace: Path, console: Console) -> Iterator[tuple[Path, Console]]:
    """The folder of a model of the user's own, and a console that knows it as "mine"."""
    console.close()
    folder = workspace / "mine"
    shutil.copytree(DEMO_MODELS / "demo-siglip", folder)
    with (workspace / FILE).open("a") as file:
        file.write('\n[models.mine]\narchitecture = "local-dir:mine"\n')
    reopened = open_console(settings.read(workspace, {}), owner_name="the test")
    yield folder, reopened
    reopened.close()


def test_a_model_whose_weights_vanished_fails_the_run_until_they_are_back(own_model: tuple[Path, Console]) -> None:
    folder, console = own_model
    begun = begin(console, Request("images", "mine", batch_size=BATCH))
    console.models.unload("mine")
    weights = folder / "open_clip_model.safetensors"
    weights.rename(folder / "kept")
    stopped = resume(console, begun)
    assert stopped.state is RunState.FAILED
    assert str(folder) in stopped.reason
    assert stopped.remedy
    (folder / "kept").rename(weights)
    _assert_done(console, resume(console, begun))


def test_a_model_whose_weights_changed_writes_nothing_and_judges_nothing(own_model: tuple[Path, Console]) -> None:
    folder, console = own_model
    begun = begin(console, Request("images", "mine", batch_size=BATCH))
    console.models.unload("mine")
    weights = folder / "open_clip_model.safetensors"
    kept = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(kept[:-4] + bytes([kept[-4] ^ 1, *kept[-3:]]))
    written = console.store.count(begun.target)
    stopped = resume(console, begun)
    assert stopped.state is RunState.FAILED
    assert "its weights or settings changed since" in stopped.reason
    assert console.store.count(begun.target) == written
    verify = finish(console, command(console, OPERATOR, "verify", collection=begun.target))
    assert verify.state is RunState.FAILED
    assert "its weights or settings changed since" in verify.reason
    with pytest.raises(FingerprintMismatch):
        next(iter(console.operation(begun).steps(begun.checkpoint, begun.counts)))

    console.models.unload("mine")
    weights.write_bytes(kept)
    _assert_done(console, resume(console, begun))
