"""The index in PostgreSQL through whole lives: what keeps it, what leaves it out, and who builds it when."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg import sql

from console_core.commands import command
from console_core.console import Console
from console_core.errors import Refused
from console_core.following.follower import Follower
from console_core.migration import indexing
from console_core.migration.findings import Request
from console_core.runs.types import Run, RunState
from console_core.vectorstore.pgvector_registry import COLLECTIONS
from tests.conftest import OPERATOR, PICTURES, fill, finish, migrate
from tests.lifecycle.workspaces import in_postgresql, opened
from tests.postgres import Postgres

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


def _cancelled(console: Console, target: str = "") -> str:
    run = _half_built(console, target)
    command(console, OPERATOR, "cancel", run=run.id)
    return run.target


def _follower(console: Console) -> Follower:
    return Follower(console.keeping, lambda: None, interval=0, rest=0)


def _until(so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not so():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextmanager
def _index_held_up(postgres: Postgres, url: str, collection: str) -> Iterator[None]:
    """As long as this lasts, no index of the collection can be built to its end."""
    table = sql.Identifier(url.rpartition("schema=")[2], collection)
    with postgres.connect() as connection, connection.transaction():
        connection.execute(sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE").format(table))
        yield


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


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_a_build_says_that_its_index_is_being_built_and_stops_when_it_is_asked_to(
    postgres: Postgres, url: str, console: Console, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(indexing, "LOOK", 0.1)
    run = command(console, OPERATOR, "resume", run=_half_built(console).id)
    ended: list[Run] = []
    with _index_held_up(postgres, url, NEW):
        thread = threading.Thread(target=lambda: ended.append(finish(console, run)))
        thread.start()
        _until(lambda: console.ledger.get(run.id).reason == f"The index of {NEW} is being built.")
        then = console.ledger.get(run.id)
        assert (then.counts.done, then.counts.pending) == (PICTURES, 0)
        _until(lambda: console.ledger.get(run.id).heartbeat != then.heartbeat)
        command(console, OPERATOR, verb, run=run.id)
        _until(lambda: not thread.is_alive())
        assert ended[0].state is (RunState.PAUSED if verb == "pause" else RunState.CANCELLED)
        assert console.store.describe(NEW).index_deferred
    if verb == "pause":
        done = finish(console, command(console, OPERATOR, "resume", run=run.id))
        assert (done.state, done.counts.done) == (RunState.SUCCEEDED, PICTURES), done.reason
    _until(lambda: not console.store.describe(NEW).index_deferred)
    assert console.store.describe(NEW).status == "green"


def test_the_index_of_a_build_that_was_cancelled_is_restored_by_the_follower(workspace: Path) -> None:
    with opened(workspace) as console:
        _cancelled(console)
    with opened(workspace) as console:
        assert console.store.describe(NEW).index_deferred, "nobody waits for it when a workspace is opened"
        _follower(console).look()
        _until(lambda: not console.store.describe(NEW).index_deferred)


def test_an_index_that_cannot_be_restored_keeps_neither_others_nor_what_is_followed(
    postgres: Postgres, url: str, console: Console
) -> None:
    migrate(console)
    _cancelled(console, "sound")
    _cancelled(console, "broken")
    schema = url.rpartition("schema=")[2]
    with postgres.connect() as connection:
        query = sql.SQL("SELECT number FROM {} WHERE name = 'broken'")
        row = connection.execute(query.format(sql.Identifier(schema, COLLECTIONS))).fetchone()
    assert row is not None
    postgres.execute(f"CREATE TABLE {schema}.console_{row[0]}_hnsw ()")  # the name of its index is taken
    follower = _follower(console)
    follower.look()
    _until(lambda: not console.store.describe("sound").index_deferred)
    assert console.store.describe("broken").index_deferred
    assert NEW in {follow.collection for follow in console.follows.active()}
    follower.close()


def test_a_build_of_an_index_that_takes_long_keeps_nobody_from_following(
    postgres: Postgres, url: str, console: Console
) -> None:
    migrate(console)
    _cancelled(console, "slow")
    follower = _follower(console)
    with _index_held_up(postgres, url, "slow"):
        looking = threading.Thread(target=follower.look, daemon=True)
        looking.start()
        _until(lambda: not looking.is_alive())
        assert NEW in {follow.collection for follow in console.follows.active()}
        assert console.store.describe("slow").index_deferred
    _until(lambda: not console.store.describe("slow").index_deferred)
    follower.close()


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
