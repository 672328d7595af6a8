"""Whole lives on PostgreSQL with pgvector as the store: migrated, killed, searched by an application all the while."""

import random
import time
from collections import Counter
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from console_core.commands import command
from console_core.migration.findings import Request
from console_core.runs.types import RESUMABLE, RunState
from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec
from tests.conftest import OPERATOR, PICTURES, finish
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import Contents, Serving, in_postgresql, opened
from tests.postgres import Postgres

OLD, NEW = "images__demo-clip", "images__demo-siglip"
BATCH, KILLS, SEED = 400, 6, 20261


@pytest.fixture
def workspace(tmp_path: Path, url: str) -> Path:
    """A workspace whose store is PostgreSQL; the alias `images` serves a collection made by demo-clip."""
    return in_postgresql(tmp_path / "workspace", url)


def _found_by_an_application(postgres: Postgres, url: str) -> tuple[int, int]:
    """Pictures that an application finds behind `images` with SQL, and the length of their vectors."""
    view = sql.Identifier(url.rpartition("schema=")[2], "images")
    with psycopg.connect(host=str(postgres.folder), user="postgres", dbname="postgres") as connection:
        query = sql.SQL("SELECT count(*), max(public.vector_dims(vector)) FROM {}").format(view)
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_migration_lives_from_plan_to_cut_over_and_back_in_postgresql(
    postgres: Postgres, url: str, workspace: Path
) -> None:
    with opened(workspace) as console:
        before = Serving.of(console)
        started = command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=8))
        build = finish(console, started.run)
        assert build.state is RunState.SUCCEEDED, build.reason
        assert (build.counts.selected, build.counts.done, build.counts.pending) == (PICTURES, PICTURES, 0)
        assert Serving.of(console) == before
        verify = finish(console, command(console, OPERATOR, "verify", collection=NEW))
        assert verify.result is not None
        assert verify.result["verdict"] == "green", verify.result["checks"]
        backup = finish(console, command(console, OPERATOR, "back_up", collection=OLD))
        assert backup.state is RunState.SUCCEEDED, backup.reason
        proof = finish(console, command(console, OPERATOR, "prove", backup=console.backups.all()[0].id))
        assert (proof.state, proof.result and proof.result["differences"]) == (RunState.SUCCEEDED, 0), proof.reason
        assert _found_by_an_application(postgres, url) == (PICTURES, 128)
        command(console, OPERATOR, "cut_over", alias="images", to=NEW)
        assert _found_by_an_application(postgres, url) == (PICTURES, 192)
        command(console, OPERATOR, "roll_back", alias="images")
        assert Serving.of(console) == before
        assert _found_by_an_application(postgres, url) == (PICTURES, 128)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_build_into_postgresql_that_was_killed_goes_on_where_it_was(
    forks: Forks, workspace: Path, moment: str
) -> None:
    with opened(workspace) as console:
        request = Request("images", "demo-siglip", batch_size=8)
        run = command(console, OPERATOR, "start_migration", request=request).run
    for _ in range(2):
        process = forks.start("tests.lifecycle.programs:die_working", str(workspace), run.id, moment, "3", str(2**20))
        assert process.wait() == -9, process.stderr.read_text()
    with opened(workspace) as console:
        if console.ledger.get(run.id).state in RESUMABLE:
            run = command(console, OPERATOR, "resume", run=run.id)
        done = finish(console, run)
        assert (done.state, done.counts.done, done.counts.pending) == (RunState.SUCCEEDED, PICTURES, 0), done.reason
        assert len(Contents.of(console, NEW).points) == console.store.count(NEW) == PICTURES
        assert console.store.aliases() == {"images": OLD}


def test_a_writer_that_is_killed_leaves_no_half_batch_and_the_index_as_it_was_to_whoever_restores_it(
    forks: Forks, postgres: Postgres, url: str, tmp_path: Path
) -> None:
    index = {"m": 12, "ef_construct": 80}
    store = open_store(StoreSettings(url))
    store.create("images", CollectionSpec(256, index=index))
    log, dice = tmp_path / "log", random.Random(SEED)
    log.touch()
    for _ in range(KILLS):
        acknowledged = log.read_text().count("\n")
        writer = forks.start("tests.lifecycle.programs:load", url, "images", str(BATCH), str(log))
        until = time.monotonic() + 60
        while log.read_text().count("\n") == acknowledged:
            assert time.monotonic() < until, writer.stderr.read_text()
            time.sleep(0.01)
        time.sleep(dice.uniform(0, 0.2))
        assert writer.kill() == -9
        _until_alone(postgres)
        written = Counter(point.payload["batch"] for point in store.scroll("images", page_size=5000))
        assert set(written.values()) == {BATCH}
        assert set(written) >= {int(line) for line in log.read_text().split()}
        assert store.describe("images").index_deferred
    store.restore_index("images")
    info = store.describe("images")
    assert (info.index_deferred, info.index, info.status) == (False, index, "green")
    store.close()


def _until_alone(postgres: Postgres) -> None:
    """Wait until the server has noticed that a process is gone, and ended what it did for it."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'embedding-console' AND state <> 'idle'"
    until = time.monotonic() + 30
    with postgres.connect() as connection:
        while connection.execute(query.encode()).fetchone() != (0,):
            assert time.monotonic() < until
            time.sleep(0.02)
