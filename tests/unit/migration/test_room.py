"""Whether a build has room in memory, within a container whose files and limit are given."""

from pathlib import Path

import pytest

from console_core.embedding import memory
from console_core.migration.preflight.resources import Need, about_room
from console_core.vectorstore.types import StoreInfo

MB = 10**6
NEED = Need(store=0, ledger=0, memory=40 * MB, least_memory=30 * MB)


def told(folder: Path, monkeypatch: pytest.MonkeyPatch, files: int) -> dict[str, str]:
    """What is found, by its code, where all but 8 MB of 400 are taken, so many of them by files that can be let go."""
    (folder / "memory.max").write_text(f"{400 * MB}\n")
    (folder / "memory.current").write_text(f"{392 * MB}\n")
    (folder / "memory.stat").write_text(f"anon 1\ninactive_file {files}\n")
    monkeypatch.setattr(memory, "_CONTAINER", folder)
    findings = about_room(StoreInfo("elsewhere", "elsewhere", "1"), NEED, 10, "postgresql://elsewhere/ledger")
    return {finding.code: finding.message for finding in findings}


def test_what_a_container_holds_of_files_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(tmp_path, monkeypatch, files=300 * MB)
    assert set(found) == {"room"}
    assert "308.0 MB available" in found["room"]


def test_what_a_container_has_taken_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = told(tmp_path, monkeypatch, files=2 * MB)
    assert set(found) == {"memory", "room"}
    assert "10.0 MB are available" in found["memory"]
