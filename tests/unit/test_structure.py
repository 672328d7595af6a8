"""The house rules that no linter knows."""

import ast
import statistics
from pathlib import Path

import pytest

from console_core.ui import navigation

ROOT = Path(__file__).resolve().parents[2]
CORE = sorted((ROOT / "console_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
PUBLIC_UI = ("console_core", "streamlit")


def _length(file: Path) -> int:
    return len(file.read_text().splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_only_reads_commands_and_renders(page: Path) -> None:
    assert _length(page) <= 60
    for node in ast.walk(ast.parse(page.read_text())):
        modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            assert module.split(".")[0] not in ("threading", "qdrant_client", "torch", "sqlalchemy", "plotly"), module


def test_files_are_small() -> None:
    lengths = {file: _length(file) for file in CORE}
    assert {str(file): length for file, length in lengths.items() if length > 300} == {}
    assert statistics.median(lengths.values()) <= 120


def test_every_page_is_in_the_menu_and_every_entry_of_the_menu_is_a_page() -> None:
    assert {page.stem for page in PAGES} == {entry.name for entry in navigation.PAGES}


def test_no_label_of_the_screen_has_a_space_before_its_ellipsis() -> None:
    screen = [*PAGES, *(file for file in CORE if file.is_relative_to(ROOT / "console_core" / "ui"))]
    texts = [
        (file.name, node.value)
        for file in screen
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [(name, text) for name, text in texts if text.endswith((" …", "..."))] == []


def test_the_script_does_not_lie_beside_the_pages() -> None:
    """Streamlit would serve the files of such a folder without running the script that guards them."""
    assert not (ROOT / "console_core" / "ui" / "pages").exists()
    assert "shell.py" in (ROOT / "app.py").read_text()
