"""`embedding-console store move`: from the embedded store into the larger one, killed and run again, and used then."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.cli.app import app
from console_core.console import Console, open_console
from console_core.migration.store_move import FILE
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import make_workspace

MOVE = ["store", "move", "--to", "edge:qdrant-edge"]
POINTS, DIMENSION = 12_000, 64


@pytest.fixture(autouse=True)
def _known_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKSPACE", "STORE_URL", "CATALOG_URL", "IMAGE_ROOT", "LEDGER_URL", "DEVICE", "ROLE"):
        monkeypatch.delenv(f"CONSOLE_{name}", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = make_workspace(tmp_path / "workspace", pictures=2)
    console = opened(folder)
    stamp = ModelStamp("demo-clip", "f00d")
    console.store.create("images__demo-clip", CollectionSpec(DIMENSION, stamp=stamp, index={"m": 8}))
    rows = np.random.default_rng(1).normal(size=(POINTS, DIMENSION)).astype(np.float32)
    for start in range(0, POINTS, 1000):
        points = [Point(number, rows[number], {"n": number}) for number in range(start, start + 1000)]
        console.store.upsert("images__demo-clip", points)
    console.store.set_alias("images", "images__demo-clip", expected=None)
    console.close()
    return folder


def opened(workspace: Path) -> Console:
    return open_console(settings.read(workspace, {}), owner_name="a test")


def run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])


def test_a_move_that_is_killed_and_run_again_leaves_the_same_collections_and_a_console_that_uses_them(
    workspace: Path,
) -> None:
    console = opened(workspace)
    before = signature_of(console.store, "images")
    console.close()
    program = "from console_core.cli import main; main()"
    command = [sys.executable, "-c", program, "--workspace", str(workspace), *MOVE]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 120
        while not _begun(workspace / FILE) and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    again = run(workspace, *MOVE, "--set", "--json")
    assert again.exit_code == 0, again.stderr
    told: dict[str, Any] = json.loads(again.stdout)
    assert (told["collections"], told["points"], told["aliases"], told["set_in_file"]) == (1, POINTS, 1, True)
    console = opened(workspace)
    assert console.store.info().kind == "Qdrant Edge, embedded"
    info = console.store.describe("images")
    assert (info.name, info.points, info.stamp) == ("images__demo-clip", POINTS, ModelStamp("demo-clip", "f00d"))
    assert info.index["m"] == 8
    assert before.same_as(signature_of(console.store, "images"))
    assert [entry.action for entry in console.ledger.journal(limit=5)].count("move_store") == 1
    console.close()
    assert (workspace / "qdrant" / "meta.json").exists()


def test_it_says_what_to_set_where_it_shall_not_do_that_itself(workspace: Path) -> None:
    toml = (workspace / settings.FILE).read_text()
    moved = run(workspace, *MOVE)
    assert moved.exit_code == 0, moved.stderr
    assert 'Set url = "edge:qdrant-edge" in [store] of console.toml' in moved.stdout
    assert (workspace / settings.FILE).read_text() == toml


def test_it_waits_for_no_console_and_moves_nowhere_onto_itself(workspace: Path) -> None:
    console = opened(workspace)
    owned = run(workspace, *MOVE)
    assert owned.exit_code == 1
    assert "a test" in owned.stderr
    console.close()
    itself = run(workspace, "store", "move", "--to", "local:qdrant")
    assert itself.exit_code == 1
    assert "already" in itself.stderr
    assert not (workspace / "qdrant-edge").exists()


def _begun(file: Path) -> bool:
    try:
        return any(after is not None for after in json.loads(file.read_text())["after"].values())
    except (OSError, ValueError):
        return False
