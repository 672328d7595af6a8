"""A process of our own finds our modules and Python's, whatever was put on the path of the one that starts it."""

import sys
from pathlib import Path

import pytest

import console_core.ui
from console_core.own_process import started


def test_a_script_folder_on_the_path_does_not_hide_pythons_own_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(console_core.ui.__file__).parent
    assert (folder / "collections").is_dir(), "the trap is still there"
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert started("console_core.settings.places").wait() == 0


def test_modules_are_found_that_only_the_path_of_this_process_leads_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "far_away.py").write_text("import console_core.errors")
    assert started("far_away").wait() != 0
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    assert started("far_away").wait() == 0
