"""What is connected wrongly, missing, locked or in use is named with what to do, and nothing is lost."""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, create_engine
from typer.testing import CliRunner, Result

from console_core import database
from console_core.catalog import sql
from console_core.cli.app import app
from console_core.settings import FILE
from tests.conftest import fill, make_workspace
from tests.lifecycle.forking import Forked
from tests.lifecycle.workspaces import Serving, copied, opened

MIGRATE = ("migrate", "images", "--to", "demo-siglip", "--json")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_workspace(tmp_path_factory.mktemp("filled") / "workspace", 24)
    with opened(folder) as console:
        fill(console, "images__demo-clip", "demo-clip", alias="images")
    return folder


@pytest.fixture
def workspace(filled: Path, tmp_path: Path) -> Path:
    return copied(filled, tmp_path / "workspace")


def _run(workspace: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Result:
    known = {name: None for name in os.environ if name.startswith("CONSOLE_")}
    return CliRunner().invoke(app, ["--workspace", str(workspace), *arguments], env={**known, **(environment or {})})


def _assert_refused(result: Result, *said: str) -> None:
    """Exit code 1, a message with what to do, nothing on standard output, and no stack trace."""
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    lines = result.stderr.strip().splitlines()
    assert len(lines) >= 2, "a message and a remedy"
    for part in said:
        assert part in result.stderr


def _assert_as_before_and_migratable(workspace: Path, before: Serving) -> None:
    with opened(workspace) as console:
        assert Serving.of(console) == before
        assert console.ledger.runs() == []
    migrated = _run(workspace, *MIGRATE)
    assert migrated.exit_code == 0, migrated.output
    assert json.loads(migrated.stdout)["verdict"] == "green"
    with opened(workspace) as console:
        assert Serving.of(console) == before


@pytest.fixture
def before(workspace: Path) -> Serving:
    with opened(workspace) as console:
        return Serving.of(console)


@pytest.mark.parametrize(
    ("environment", "said", "remedy"),
    [
        ({"CONSOLE_STORE_URL": "ftp://store"}, "is not a store that the console knows", "http://localhost:6333"),
        ({"CONSOLE_STORE_URL": "http://[::bad"}, "cannot be understood", "Examples:"),
        ({"CONSOLE_STORE_URL": "http://127.0.0.1:1"}, "cannot be reached: [Errno 111] Connection refused", "6333"),
        ({"CONSOLE_STORE_URL": "grpc://127.0.0.1:1"}, "cannot be reached", "6334"),
        ({"CONSOLE_STORE_URL": "local:images/0001.jpg"}, "0001.jpg cannot be used", "Check the folder"),
        ({"CONSOLE_LEDGER_URL": "nonsense"}, "URL cannot be understood", "dialect+driver"),
        ({"CONSOLE_LEDGER_URL": "sqlite:////proc/none/ledger.db"}, "/proc/none", "is writable"),
        ({"CONSOLE_CATALOG_URL": "sqlite:///nowhere.db"}, "There is no database file", "Check the location"),
        ({"CONSOLE_CATALOG_URL": "nonsense://catalog"}, "nonsense", "sqlite:///app.db"),
        ({"CONSOLE_CATALOG_URL": "postgresql://u@127.0.0.1:1/app"}, "cannot be reached", "Check that the database"),
        ({"CONSOLE_DEVICE": "cuda:99"}, "cuda:99", "CONSOLE_DEVICE"),
        ({"CONSOLE_ROLE": "king"}, 'CONSOLE_ROLE="king" is not a role', "viewer, judge, operator, admin"),
    ],
)
def test_a_wrong_connection_is_named_and_put_right_nothing_is_missing(
    workspace: Path, before: Serving, environment: Mapping[str, str], said: str, remedy: str
) -> None:
    _assert_refused(_run(workspace, *MIGRATE, environment=environment), said, remedy)
    with opened(workspace) as console:
        assert Serving.of(console) == before


def test_a_catalog_database_that_is_missing_is_named_and_its_return_is_enough(workspace: Path, before: Serving) -> None:
    (workspace / "catalog.db").rename(workspace / "elsewhere.db")
    _assert_refused(_run(workspace, *MIGRATE), f"There is no database file {workspace / 'catalog.db'}")
    assert not (workspace / "catalog.db").exists(), "an empty database is not made in its place"
    (workspace / "elsewhere.db").rename(workspace / "catalog.db")
    _assert_as_before_and_migratable(workspace, before)


@pytest.mark.parametrize(
    ("change", "undo", "said"),
    [
        ("ALTER TABLE images RENAME TO pictures", "ALTER TABLE pictures RENAME TO images", "no table or view images"),
        (
            "ALTER TABLE images RENAME COLUMN compressed_path TO small_path",
            "ALTER TABLE images RENAME COLUMN small_path TO compressed_path",
            "compressed_path",
        ),
        ("ALTER TABLE images RENAME COLUMN id TO number", "ALTER TABLE images RENAME COLUMN number TO id", "id"),
    ],
)
def test_a_table_or_column_that_is_not_there_is_named_with_those_that_are(
    workspace: Path, before: Serving, change: str, undo: str, said: str
) -> None:
    _sql(workspace, change)
    _assert_refused(_run(workspace, *MIGRATE), said, change.split()[-1])
    _sql(workspace, undo)
    _assert_as_before_and_migratable(workspace, before)


def _sql(workspace: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(workspace / "catalog.db", isolation_level=None)) as connection:
        connection.execute(statement)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait 0.2 s for a lock instead of 15 s."""

    def engine(url: URL, *, connect_args: Mapping[str, object]) -> Engine:
        return create_engine(url, connect_args={**connect_args, "timeout": 0.2})

    monkeypatch.setattr(database, "create_engine", engine)
    monkeypatch.setattr(sql, "SqlCatalog", partial(sql.SqlCatalog, timeout=0.2))


@pytest.mark.usefixtures("impatient")
def test_a_ledger_that_another_program_keeps_locked_is_named_and_free_again_all_is_there(
    workspace: Path, before: Serving, ready: Callable[..., Forked]
) -> None:
    process = ready("lock", str(workspace / "ledger.db"), "600")
    said = ("ledger.db cannot be used: database is locked", "is not locked; then try again")
    _assert_refused(_run(workspace, *MIGRATE), *said)
    _assert_refused(_run(workspace, "cutover", "images", "--to", "images__demo-clip"), *said)
    process.kill()
    _assert_as_before_and_migratable(workspace, before)


@pytest.mark.usefixtures("impatient")
def test_a_catalog_that_another_program_keeps_locked_is_named_and_free_again_all_is_there(
    workspace: Path, before: Serving
) -> None:
    with contextlib.closing(sqlite3.connect(workspace / "catalog.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        _assert_refused(_run(workspace, *MIGRATE), "is locked by another program", "Wait until it has finished")
    _assert_as_before_and_migratable(workspace, before)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[store", "must be valid TOML"),
        ("store = 3", "[store]"),
        ('[catalog]\nkind = "magic"', 'kind = "magic"'),
        ('[store]\ntimeout = "soon"', "timeout"),
        ('[catalog]\nkind = "sql"\nlocation = "sqlite:///catalog.db"', "names no table"),
        ('[models.mine]\ntitle = "Mine"', "[models.mine]"),
        ('[catalog]\npaths = "a"\nrecursive = "maybe"', "catalog"),
    ],
)
def test_a_settings_file_that_is_wrong_is_named_with_the_place(
    workspace: Path, before: Serving, text: str, said: str
) -> None:
    kept = (workspace / FILE).read_text()
    (workspace / FILE).write_text(text)
    _assert_refused(_run(workspace, *MIGRATE), said)
    (workspace / FILE).write_text(kept)
    with opened(workspace) as console:
        assert Serving.of(console) == before


def test_a_model_that_cannot_be_loaded_blocks_only_itself_and_loads_once_its_files_are_there(
    workspace: Path, before: Serving
) -> None:
    import console_core.demo

    folder = workspace / "mine"
    shutil.copytree(Path(console_core.demo.__file__).parent / "models" / "demo-siglip", folder)
    weights = folder / "open_clip_model.safetensors"
    weights.rename(workspace / "kept")
    with (workspace / FILE).open("a") as file:
        file.write('\n[models.mine]\narchitecture = "local-dir:mine"\n')
    migrate = ("migrate", "images", "--to", "mine", "--json")
    _assert_refused(_run(workspace, *migrate), str(folder))
    weights.write_bytes((workspace / "kept").read_bytes()[:100_000])
    _assert_refused(_run(workspace, *migrate), "copy it again")
    shutil.rmtree(folder)
    _assert_refused(_run(workspace, *migrate), "mine")
    assert _run(workspace, "collections").exit_code == 0, "the rest works as ever"

    shutil.copytree(Path(console_core.demo.__file__).parent / "models" / "demo-siglip", folder)
    migrated = _run(workspace, *migrate)
    assert migrated.exit_code == 0, migrated.output
    with opened(workspace) as console:
        assert Serving.of(console) == before


def test_a_pair_that_open_clip_does_not_have_is_refused_by_name_with_the_tags_that_exist(
    workspace: Path, before: Serving
) -> None:
    result = _run(workspace, "plan", "images", "--to", "ViT-L-14/laion2b_s34b_b79k", "--json")
    assert result.exit_code == 1
    (finding,) = [one for one in json.loads(result.stdout)["findings"] if one["severity"] == "block"]
    assert finding["code"] == "model"
    assert finding["message"] == 'open_clip has no weights "laion2b_s34b_b79k" for ViT-L-14.'
    for tag in ("openai", "laion2b_s32b_b82k", "datacomp_xl_s13b_b90k"):
        assert tag in finding["remedy"]
    _assert_as_before_and_migratable(workspace, before)


def test_a_port_that_is_in_use_is_named(workspace: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        _assert_refused(_run(workspace, "serve", "--port", str(port)), f"Port {port} on 127.0.0.1", "--port")


@pytest.fixture
def read_only(workspace: Path) -> Iterator[Callable[[bool], None]]:
    """Make the workspace read-only, for root too, and writable again."""
    if os.geteuid() != 0:
        yield lambda wanted: _permit(workspace, not wanted)
        _permit(workspace, True)
        return
    if subprocess.run(["mount", "--bind", workspace, workspace], capture_output=True).returncode:
        pytest.skip("root can write everywhere, and no file system can be mounted here")

    def mounted(wanted: bool) -> None:
        subprocess.run(["mount", "-o", f"remount,bind,{'ro' if wanted else 'rw'}", workspace], check=True)

    yield mounted
    subprocess.run(["umount", workspace], check=True)


def _permit(folder: Path, write: bool) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod((0o755 if write else 0o555) if path.is_dir() else (0o644 if write else 0o444))


def test_a_dry_run_of_a_store_that_cannot_be_written_names_it_and_tells_everything_else(
    workspace: Path, read_only: Callable[[bool], None]
) -> None:
    read_only(True)
    planned = _run(workspace, "plan", *MIGRATE[1:])
    read_only(False)
    assert planned.exit_code == 1, planned.output
    told = json.loads(planned.stdout)
    (blocking,) = [finding for finding in told["findings"] if finding["severity"] == "block"]
    assert blocking["code"] == "store-read-only"
    assert str(workspace / "qdrant") in blocking["message"]
    assert "write permission" in blocking["remedy"]
    assert told["counts"]["selected"] == told["counts"]["source_points"] == 24


def test_a_workspace_that_cannot_be_written_is_named_and_nothing_is_changed(
    workspace: Path, before: Serving, read_only: Callable[[bool], None]
) -> None:
    read_only(True)
    _assert_refused(_run(workspace, *MIGRATE), str(workspace), "writable")
    _assert_refused(_run(workspace, "demo"), str(workspace))
    _assert_refused(_run(workspace / "images" / "new", "demo", "--pictures", "24"), "Read-only file system")
    read_only(False)
    _assert_as_before_and_migratable(workspace, before)
