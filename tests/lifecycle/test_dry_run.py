"""A dry run leaves every file and every collection as it was, byte for byte, whatever state it finds them in."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from qdrant_client import QdrantClient, models

from console_core import settings
from console_core.commands import command
from console_core.console import Console, open_console
from console_core.database import Database
from console_core.errors import StoreReadOnly
from console_core.migration.findings import Request
from console_core.runs.ledger import Ledger
from console_core.vectorstore.readonly import ReadOnlyStore
from console_core.vectorstore.types import CollectionSpec, ModelStamp
from tests.conftest import OPERATOR, PICTURES, fill, make_workspace
from tests.lifecycle.forking import Forked, Forks
from tests.lifecycle.workspaces import copied, opened

State = tuple[str, int]
Plan = Callable[..., dict[str, Any]]


def states(folder: Path, *, but: str = "") -> dict[str, State]:
    """Every file's content and time of change, and every folder's; `but` is left out where it changes by nature."""
    found: dict[str, State] = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        if path.is_file() and not (but and path.name.endswith(but)):
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns
        elif path.is_dir():
            found[str(path)] = "folder", path.stat().st_mtime_ns
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("filled") / "workspace")
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return folder


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    return copied(filled, tmp_path / "workspace")


@pytest.fixture
def plan(forks: Forks, tmp_path: Path) -> Plan:
    """`embedding-console plan` as a process of its own, with a temporary folder that must be empty afterwards."""

    def run(workspace: Path, alias: str = "images", *, code: int = 0) -> dict[str, Any]:
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        process: Forked = forks.start(
            "tests.lifecycle.programs:cli",
            *("--workspace", str(workspace), "plan", alias, "--to", "demo-siglip", "--json"),
            environment={"TMPDIR": str(scratch)},
        )
        assert process.wait() == code, process.stderr.read_text()
        assert list(scratch.iterdir()) == []
        return dict(json.loads(process.stdout.read_text()))

    return run


def test_a_dry_run_of_a_workspace_that_was_closed_changes_no_byte_and_no_time(workspace: Path, plan: Plan) -> None:
    before = states(workspace)
    found = plan(workspace)
    assert (found["blocked"], found["counts"]["selected"]) == (False, PICTURES)
    assert states(workspace) == before
    assert plan(workspace, "photos", code=1)["blocked"]
    assert states(workspace) == before
    print(f"{len(before)} files and folders, 2 dry runs: none changed")  # noqa: T201


def test_a_dry_run_after_a_crash_leaves_even_the_logs_that_the_next_start_folds_in(
    workspace: Path, plan: Plan, forks: Forks
) -> None:
    with opened(workspace) as console:
        command(console, OPERATOR, "start_migration", request=Request("images", "demo-siglip", batch_size=1))
    log = workspace.parent / "written.log"
    server = forks.start("tests.lifecycle.programs:server", str(workspace), str(log))
    until = time.monotonic() + 60
    while not log.exists() or log.read_bytes().count(b"\n") < 6:
        assert time.monotonic() < until, server.stderr.read_text()
        time.sleep(0.01)
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    before = states(workspace)
    logs = {Path(name).parent.name for name in before if name.endswith("-wal") and Path(name).stat().st_size}
    assert logs >= {"workspace", "images__demo-siglip"}, "the crash left logs of the ledger and of the store"
    found = plan(workspace)
    assert [finding["code"] for finding in found["findings"] if finding["severity"] == "warn"] == ["already-built"]
    assert states(workspace) == before
    with opened(workspace) as console:
        assert console.store.count("images__demo-siglip") >= 5, "nothing that was acknowledged is lost"


def test_a_dry_run_of_a_workspace_that_was_never_opened_makes_nothing(tmp_path: Path, plan: Plan) -> None:
    folder = make_workspace(tmp_path / "new")
    before = states(folder)
    found = plan(folder, code=1)
    assert [finding["code"] for finding in found["findings"] if finding["severity"] == "block"] == ["source-missing"]
    assert states(folder) == before
    assert not (folder / "ledger.db").exists()
    assert not (folder / "qdrant").exists()


def test_a_dry_run_leaves_a_store_as_an_application_made_it(workspace: Path, plan: Plan) -> None:
    """Opening it for work would switch its files to another journal, and take out rows that an old client left."""
    shutil.rmtree(workspace / "qdrant")
    client = QdrantClient(path=str(workspace / "qdrant"))
    client.create_collection("theirs", models.VectorParams(size=4, distance=models.Distance.COSINE))
    client.upsert(
        "theirs", [models.PointStruct(id=number, vector=[1.0, 2.0, 3.0, float(number)]) for number in range(1, 9)]
    )
    alias = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="theirs", alias_name="images"))
    client.update_collection_aliases([alias])
    client.close()
    (file,) = (workspace / "qdrant").rglob("storage.sqlite")
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO points SELECT id || ' ', point FROM points LIMIT 1")  # an outdated copy
        connection.commit()
    before = states(workspace)
    found = plan(workspace)
    assert found["counts"]["source_points"] == 8
    assert states(workspace) == before


def test_a_dry_run_leaves_no_log_files_beside_an_applications_database(workspace: Path, plan: Plan) -> None:
    with closing(sqlite3.connect(workspace / "catalog.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    files = {name: state for name, state in states(workspace).items() if name != str(workspace)}
    assert plan(workspace)["counts"]["selected"] == PICTURES
    assert {name: state for name, state in states(workspace).items() if name != str(workspace)} == files


def test_a_dry_run_sees_what_the_logs_of_a_crashed_application_have_and_leaves_them(
    workspace: Path, plan: Plan, forks: Forks
) -> None:
    catalog = workspace / "catalog.db"
    writer = sqlite3.connect(catalog)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("INSERT INTO images VALUES (49, 'user-1', NULL, '0001.jpg', 'new')")
    writer.commit()
    crashed = copied(workspace, workspace.parent / "crashed")  # with the log, as a crash leaves it
    writer.close()
    before = {name: state for name, state in states(crashed, but="-shm").items() if name != str(crashed)}
    assert any(name.endswith("catalog.db-wal") for name in before)
    assert plan(crashed)["counts"]["selected"] == PICTURES + 1
    assert {name: state for name, state in states(crashed, but="-shm").items() if name != str(crashed)} == before


def test_a_dry_run_brings_no_ledger_of_an_older_version_up_to_date(workspace: Path, plan: Plan) -> None:
    with closing(sqlite3.connect(workspace / "ledger.db", isolation_level=None)) as connection:
        for table in ("alias_moves", "coverage_gaps", "owner"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DELETE FROM schema_steps")
    before = states(workspace)
    assert not plan(workspace)["blocked"]
    assert states(workspace) == before


def test_a_dry_run_in_a_store_that_another_process_has_open_says_so(
    workspace: Path, forks: Forks, ready: Callable[..., Forked]
) -> None:
    ready("owner", str(workspace), "the console")
    process = forks.start(
        "tests.lifecycle.programs:cli", "--workspace", str(workspace), "plan", "images", "--to", "demo-siglip"
    )
    assert process.wait() == 1
    assert "is open already" in process.stderr.read_text()


def _dry(workspace: Path) -> Console:
    return open_console(settings.read(workspace, {}), dry=True)


def test_every_write_of_a_dry_runs_store_is_refused_and_its_ledger_is_a_copy(workspace: Path) -> None:
    before = states(workspace)
    console = _dry(workspace)
    store = console.store
    assert isinstance(store, ReadOnlyStore)
    points = list(store.scroll("images", vectors=True))
    writes: tuple[Callable[[], object], ...] = (
        lambda: store.create("new", CollectionSpec(4)),
        lambda: store.stamp("images", ModelStamp("x", "y")),
        lambda: store.drop("images__demo-clip"),
        lambda: store.upsert("images", points),
        lambda: store.upsert("images", points, as_is=True),
        lambda: store.delete("images", [1]),
        lambda: store.set_alias("images", "images__demo-clip", expected="images__demo-clip"),
    )
    for write in writes:
        with pytest.raises(StoreReadOnly):
            write()
    console.ledger.note("olga", "look", "images")
    assert console.store.info().location == str(workspace / "qdrant"), "people are told of the store itself"
    console.close()
    assert states(workspace) == before
    database = Database(f"sqlite:///{workspace / 'ledger.db'}")
    assert [entry for entry in Ledger(database).journal() if entry.action == "look"] == []
    database.close()
