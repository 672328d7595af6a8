"""A collection that is searched by its own name, recreated in place and its former one retired, on the command line."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console_core import settings
from console_core.cli.app import app
from console_core.console import open_console
from tests.conftest import PICTURES, fill, make_workspace

OLD, NEW, FORMER = "products", "products__demo-siglip", "products__former"


@pytest.fixture(name="workspace")
def _workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    workspace = make_workspace(tmp_path / "workspace")
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    fill(console, OLD, "demo-clip")
    console.close()
    monkeypatch.setenv("CONSOLE_ACTOR", "olga")
    return workspace


def _run(workspace: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(workspace), *arguments, "--json"])


def _json(result: Result, code: int = 0) -> Any:
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def _codes(plan: Any) -> set[str]:
    return {finding["code"] for finding in plan["findings"]}


def test_a_name_passes_to_the_new_collection_and_what_it_held_is_retired_at_last(workspace: Path) -> None:
    blocked = _json(_run(workspace, "plan", OLD, "--to", "demo-siglip"), 1)
    assert "no-alias" in _codes(blocked)
    plan = _json(_run(workspace, "plan", OLD, "--to", "demo-siglip", "--in-place"))
    assert {"in-place-gap", "in-place-backup"} <= _codes(plan)
    assert plan["target"] == NEW
    built = _json(_run(workspace, "migrate", OLD, "--to", "demo-siglip", "--in-place"))
    assert built["verdict"] == "green"

    early = _run(workspace, "recreate", OLD, "--to", NEW, "--confirm", OLD)
    assert early.exit_code == 1
    assert f"{OLD} has no backup that a restore has proven" in early.stderr
    _json(_run(workspace, "backup", OLD, "--prove"))
    untyped = _run(workspace, "recreate", OLD, "--to", NEW)
    assert untyped.exit_code == 1
    assert f"Type the name of the collection, {OLD}, to confirm." in untyped.stderr
    before = _json(_run(workspace, "search", OLD, "a blue square"))
    done = _json(_run(workspace, "recreate", OLD, "--to", NEW, "--confirm", OLD))
    assert (done["former"], done["target"]) == (FORMER, NEW)
    assert 0 < done["gap"] < 5
    print(f"the name led nowhere for {1000 * done['gap']:.1f} ms")  # noqa: T201
    after = _json(_run(workspace, "search", OLD, "a blue square"))
    assert len(before) == len(after) == 10
    held = {one["name"]: (one["points"], one["aliases"]) for one in _json(_run(workspace, "collections"))}
    assert held == {FORMER: (PICTURES, []), NEW: (PICTURES, [OLD])}

    closed = _run(workspace, "retire", FORMER, "--confirm", FORMER)
    assert closed.exit_code == 1
    assert f"{FORMER} has no backup that a restore has proven" in closed.stderr
    _json(_run(workspace, "backup", FORMER, "--prove"))
    assert _json(_run(workspace, "retire", FORMER, "--confirm", FORMER))["dropped"] == FORMER
    assert [one["name"] for one in _json(_run(workspace, "collections"))] == [NEW]


def test_a_new_collection_that_is_behind_the_catalog_does_not_take_the_name_over(workspace: Path) -> None:
    _json(_run(workspace, "migrate", OLD, "--to", "demo-siglip", "--in-place"))
    _json(_run(workspace, "backup", OLD, "--prove"))
    with closing(sqlite3.connect(workspace / "catalog.db", isolation_level=None)) as catalog:
        catalog.execute("UPDATE images SET caption = 'edited' WHERE id = 3")
    behind = _run(workspace, "recreate", OLD, "--to", NEW, "--confirm", OLD)
    assert behind.exit_code == 1
    assert f"{NEW} is behind the catalog (1 edited)" in behind.stderr
    _json(_run(workspace, "catch-up", NEW))
    assert _json(_run(workspace, "recreate", OLD, "--to", NEW, "--confirm", OLD))["target"] == NEW


def test_what_was_written_to_since_its_backup_is_neither_recreated_nor_retired(workspace: Path) -> None:
    _json(_run(workspace, "migrate", OLD, "--to", "demo-siglip", "--in-place"))
    _json(_run(workspace, "backup", OLD, "--prove"))
    console = open_console(settings.read(workspace, {}), owner_name="a test")
    console.store.delete(OLD, [5])
    console.close()
    for arguments in (("recreate", OLD, "--to", NEW, "--confirm", OLD), ("retire", OLD, "--confirm", OLD)):
        refused = _run(workspace, *arguments)
        assert refused.exit_code == 1
        assert f"{OLD} holds {PICTURES - 1} points now." in refused.stderr
