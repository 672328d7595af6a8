"""The benchmark of the console runs from start to stop on a small workspace. How fast anything is, is not asserted."""

import asyncio
from pathlib import Path

import pytest

from benchmarks.console import pages, report, starting, ticks
from benchmarks.console.measured import Measured
from benchmarks.console.server import serving
from benchmarks.console.workspace import Prepared, prepare, run_in_progress
from console_core import settings
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from console_core.ui.navigation import PAGES


def test_pages_and_ticks_are_measured_on_a_real_server_and_the_run_it_shows_is_ended(workspace: Path) -> None:
    prepared = Prepared(workspace, 48, 0.0, (), (), "", "")
    with serving(workspace) as server:
        opened = asyncio.run(pages.measure(server, prepared, times=1))
        with run_in_progress(workspace, 48) as run:
            ticking = asyncio.run(ticks.measure(server, run.id, seconds=1.5, crowds=(2,)))
        assert server.stop() < 30
    assert {line.name for line in opened} >= {page.name for page in PAGES}
    assert all(line.wall and line.cpu and line.bytes for line in opened)
    parts = [line for line in ticking if line.judged == "cpu"]
    assert len(parts) >= 4  # overview, board, one run with its chart
    assert all(line.wall and line.bytes for line in parts)
    assert all(line.name in report.table([*opened, *ticking]) for line in [*opened, *ticking])
    database = Database(settings.read(workspace).ledger_url)
    assert Ledger(database).get(run.id).state is RunState.CANCELLED
    database.close()


def test_a_folder_that_is_somebodys_workspace_is_left_alone(workspace: Path) -> None:
    before = sorted(workspace.rglob("*"))
    with pytest.raises(SystemExit, match="not a benchmark's workspace"):
        prepare(workspace, 48)
    assert sorted(workspace.rglob("*")) == before


def test_only_the_marked_part_of_a_document_is_written_anew(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    begin, end = "<!-- measured by benchmarks.console -->", "<!-- end of what benchmarks.console measured -->"
    document.write_text(f"Before.\n{begin}\nold\n{end}\nAfter.\n")
    line = Measured(starting.GROUP, "until ready", wall=2.5, budget=5.0)
    report.write(document, report.markdown([line], "Two cores."))
    text = document.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "| until ready | 2.50 s |" in text
    assert "50% |" in text
    assert "old" not in text


def test_a_document_without_the_marks_is_left_as_it_is(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("Mine.")
    with pytest.raises(SystemExit, match="lacks the lines"):
        report.write(document, "table")
    assert document.read_text() == "Mine."
