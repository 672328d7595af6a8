"""The index in PostgreSQL through whole lives: what keeps it, and what leaves it out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console_core.commands import command
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.findings import Request
from console_core.migration.left_over_index import restore_left_over
from console_core.runs.types import Run, RunState
from tests.conftest import OPERATOR, PICTURES, fill, finish, migrate
from tests.lifecycle.workspaces import in_postgresql, opened

NEW = "images__demo-siglip"


@pytest.fixture
def workspace(tmp_path: Path, url: str) -> Path:
    return in_postgresql(tmp_path / "workspace", url)


@pytest.fixture
def console(workspace: Path) -> Iterator[Console]:
    with opened(workspace) as console:
        yield console


def _started(console: Console, target: str = "") -> Run:
    model = "demo-clip" if target not in ("", NEW) else "demo-siglip"
    asked = Request("images", model, target=target, batch_size=8)
    run = command(console, OPERATOR, "start_migration", request=asked).run
    assert isinstance(run, Run)
    return run


def _half_built(console: Console, target: str = "") -> Run:
    """A build that stopped after two batches."""
    run = _started(console, target)
    return finish(console, run, lambda: console.ledger.get(run.id).counts.done >= 16)


def _watched(console: Console, run: Run) -> tuple[Run, set[tuple[bool, str]]]:
    """A run that is done to its end, and whether the index of its target was deferred at any moment, and its status."""
    seen = set()

    def look() -> bool:
        info = console.store.describe(run.target)
        seen.add((info.index_deferred, info.status))
        return False

    return finish(console, run, look), seen


def test_the_index_is_deferred_while_a_collection_is_built_and_in_force_when_it_is_there(workspace: Path) -> None:
    with opened(workspace) as console:
        run = _half_built(console)
        assert console.store.describe(NEW).index_deferred
    with opened(workspace) as console:
        assert console.store.describe(NEW).index_deferred, "the build may go on"
        done = finish(console, command(console, OPERATOR, "resume", run=run.id))
        assert done.state is RunState.SUCCEEDED, done.reason
        assert not console.store.describe(NEW).index_deferred


def test_a_collection_that_lacks_a_few_pictures_keeps_its_index_while_they_are_embedded(console: Console) -> None:
    migrate(console)
    console.store.delete(NEW, range(1, 6))
    run, seen = _watched(console, _started(console, NEW))
    assert (run.state, run.counts.done, run.spec["fills"]) == (RunState.SUCCEEDED, 5, True), run.reason
    assert seen == {(False, "green")}


def test_a_collection_that_lacks_most_pictures_is_indexed_once_they_are_there(console: Console) -> None:
    migrate(console)
    console.store.delete(NEW, range(1, 41))
    run = _started(console, NEW)
    stopped = finish(console, run, lambda: console.ledger.get(run.id).counts.done >= 16)
    assert stopped.state is RunState.INTERRUPTED
    assert console.store.describe(NEW).index_deferred
    done = finish(console, command(console, OPERATOR, "resume", run=run.id))
    assert done.state is RunState.SUCCEEDED, done.reason
    info = console.store.describe(NEW)
    assert (info.index_deferred, info.status, info.points) == (False, "green", PICTURES)


def test_a_collection_that_is_searched_by_its_own_name_keeps_its_index_whatever_it_lacks(console: Console) -> None:
    fill(console, "photos", "demo-clip")
    console.store.delete("photos", range(1, 41))
    asked = Request("photos", "demo-clip", target="photos", in_place=True, batch_size=8)
    run, seen = _watched(console, command(console, OPERATOR, "start_migration", request=asked).run)
    assert (run.state, run.counts.done) == (RunState.SUCCEEDED, 40), run.reason
    assert seen == {(False, "green")}


def test_the_index_of_a_build_that_was_cancelled_is_restored_by_whoever_opens_the_workspace_next(
    workspace: Path,
) -> None:
    with opened(workspace) as console:
        command(console, OPERATOR, "cancel", run=_half_built(console).id)
        assert console.store.describe(NEW).index_deferred
    with opened(workspace) as console:
        assert not console.store.describe(NEW).index_deferred
        assert restore_left_over(console.store, console.ledger) == []


def test_an_alias_is_not_moved_to_a_collection_whose_index_is_deferred(workspace: Path) -> None:
    with opened(workspace) as console:
        run = _half_built(console)
        finish(console, command(console, OPERATOR, "resume", run=run.id))
        finish(console, command(console, OPERATOR, "verify", collection=NEW))
        console.store.defer_index(NEW)
        with pytest.raises(Refused, match="not indexed"):
            command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        console.store.restore_index(NEW)
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        assert console.store.aliases() == {"images": NEW}
