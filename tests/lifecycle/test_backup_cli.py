"""Backups from the command line: what was asked for is done, or the exit code says that it was not."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import fill
from tests.lifecycle.forking import Forks
from tests.lifecycle.workspaces import Serving, opened

OLD = "images__demo-clip"


class Shell:
    def __init__(self, forks: Forks, workspace: Path) -> None:
        self._forks, self._workspace = forks, workspace

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        program = self._forks.start("tests.lifecycle.programs:cli", "--workspace", str(self._workspace), *arguments)
        assert program.wait() == code, program.stdout.read_text() + program.stderr.read_text()
        said = program.stdout.read_text()
        return json.loads(said) if "--json" in arguments and said else said + program.stderr.read_text()


@pytest.fixture
def shell(workspace: Path, forks: Forks) -> Shell:
    with opened(workspace) as console:
        fill(console, OLD, "demo-clip", alias="images")
    return Shell(forks, workspace)


def test_a_collection_is_backed_up_proven_and_restored_beside_what_is_served(shell: Shell, workspace: Path) -> None:
    with opened(workspace) as console:
        before = Serving.of(console)
    assert "No backups yet" in shell("backups")
    made = shell("backup", "images", "--prove", "--json")
    assert (made["state"], made["points"], made["proven"], made["target"]) == ("succeeded", 48, True, OLD)
    (listed,) = shell("backups", "--json")
    assert (listed["backup"], listed["state"], listed["points"]) == (made["backup"], "proven", 48)
    restored = shell("restore", made["backup"], "--into", "images-back", "--json")
    assert (restored["state"], restored["differences"], restored["points"]) == ("succeeded", 0, 48)
    assert "taken" in shell("restore", made["backup"], "--into", "images", code=1)
    assert "cannot be the name" in shell("restore", made["backup"], "--into", "a b", code=1)
    with opened(workspace) as console:
        assert Serving.of(console) == before
        assert console.store.count("images-back") == 48
        assert {info.name for info in console.store.collections()} == {OLD, "images-back"}


def test_a_damaged_backup_is_neither_proven_nor_restored(shell: Shell, workspace: Path) -> None:
    backup = shell("backup", OLD, "--json")["backup"]
    part = workspace / "backups" / backup / "part-00000.parquet"
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.write_bytes(bytes(data))
    failed = shell("prove", backup, "--json", code=1)
    assert failed["state"] == "failed"
    assert "changed bytes" in failed["reason"]
    part.write_bytes(bytes(data[:100]))
    assert "truncated part" in shell("restore", backup, "--into", "images-back", code=1)
    assert "truncated part" in shell("backups")
    with opened(workspace) as console:
        assert [info.name for info in console.store.collections()] == [OLD]


def test_backups_are_deleted_and_pruned(shell: Shell, workspace: Path) -> None:
    first, second = (shell("backup", OLD, "--prove", "--json")["backup"] for _ in range(2))
    assert "how many backups to keep" in shell("prune-backups", code=1)
    assert [one["backup"] for one in shell("prune-backups", "--keep", "1", "--json")] == [first]
    assert shell("prune-backups", "--keep", "1", "--json") == []
    shell("delete-backup", second, "--yes")
    assert shell("backups", "--json") == []
    assert "There is no backup" in shell("delete-backup", second, "--yes", code=1)
