"""The benchmark of the console runs from start to stop on a small workspace. How fast anything is, is not asserted."""

import asyncio
import json
from pathlib import Path

import pytest

from benchmarks.console import by_points, pages, report, starting, ticks
from benchmarks.console.measured import Measured
from benchmarks.console.scaled import STRIDE, prepare_many
from benchmarks.console.server import serving
from benchmarks.console.workspace import NOTE, Prepared, prepare, run_in_progress
from console_core import settings
from console_core.commands import command
from console_core.console import Console
from console_core.database import Database
from console_core.runs.ledger import Ledger
from console_core.runs.types import RunState
from console_core.ui.navigation import PAGES
from console_core.vectorstore.edge import CAPACITY
from tests.conftest import OPERATOR, finish, migrate
from tests.lifecycle.workspaces import opened


def test_pages_and_ticks_are_measured_on_a_real_server_and_the_run_it_shows_is_ended(workspace: Path) -> None:
    prepared = Prepared(workspace, 48, 0.0, (), (), "", "")
    with serving(workspace) as server:
        shown = asyncio.run(pages.measure(server, prepared, times=1))
        with run_in_progress(workspace, 48) as run:
            ticking = asyncio.run(ticks.measure(server, run.id, seconds=1.5, crowds=(2,)))
        assert server.stop() < 30
    assert {line.name for line in shown} >= {page.name for page in PAGES}
    assert all(line.wall and line.cpu and line.bytes for line in shown)
    parts = [line for line in ticking if line.judged == "cpu"]
    assert len(parts) >= 4  # overview, board, one run with its chart
    assert all(line.wall and line.bytes for line in parts)
    assert all(line.name in report.table([*shown, *ticking]) for line in [*shown, *ticking])
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


def test_a_workspace_with_many_points_is_made_of_a_small_one_and_measured(
    workspace: Path, console: Console, tmp_path: Path
) -> None:
    build = migrate(console)
    finish(console, command(console, OPERATOR, "verify", collection=build.target))
    served = {point.id for point in console.store.scroll("images")}
    console.store.delete("images", [7])
    console.close()
    (workspace / NOTE).write_text(json.dumps({"pictures": 48, "seconds": 1.0}))
    prepared = prepare_many(tmp_path / "many", 2000, workspace)
    assert prepared.columns[0] == "images"
    with opened(prepared.folder) as many:
        assert many.store.info().capacity == CAPACITY
        assert many.catalog.count() == 2000
        copies = {identifier for identifier in range(1, 2000 // 48 * STRIDE + 48) if identifier % STRIDE in served}
        found = {point.id for point in many.store.scroll("images")}
        assert found <= copies
        assert 7 + STRIDE not in found
        newest = many.ledger.runs(kinds=["reembed"])[0]
        assert newest.state is RunState.SUCCEEDED
        assert newest.counts.done == newest.counts.selected == 2000
        coverage = many.coverage.latest(build.target)
        assert coverage is not None
        assert coverage.report.totals == {"embedded": 2000, "stale": 0, "failed": 0, "missing": 0}
    assert prepare_many(prepared.folder, 2000, workspace) == prepared
    sized = by_points.measure_one(prepared, 1, 1.0, crowds=(1,), starts=0)
    assert {line.name for line in sized.lines} >= {*prepared.made, *(page.name for page in PAGES), "one migration"}
    assert all(sized.memory.values())
    told = by_points.markdown([sized, sized])
    assert all(f"| {name} |" in told for name in ("overview", "one migration", "write the points"))
    assert "**1" not in told  # nothing grows from a size to the same


def test_what_costs_twice_as_much_with_more_points_is_marked() -> None:
    few = [Measured("Page change", "overview", 0.02, 0.020), Measured("Page change", "runs", 0.002, 0.002)]
    many = [Measured("Page change", "overview", 0.06, 0.050), Measured("Page change", "runs", 0.008, 0.008)]
    told = by_points.markdown([by_points.Sized(10, tuple(few), {}, 0.0), by_points.Sized(1000, tuple(many), {}, 0.0)])
    assert "| overview | 20.0 ms | 60.0 ms | 20.0 ms | 50.0 ms | **2.5×** |" in told
    assert "| runs | 2.0 ms | 8.0 ms | 2.0 ms | 8.0 ms | 4.0× |" in told  # much more, of next to nothing


def test_a_size_smaller_than_the_demo_is_refused(tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(json.dumps({"pictures": 48, "seconds": 1.0}))
    with pytest.raises(SystemExit, match="20 points cannot be made"):
        prepare_many(tmp_path / "many", 20, tmp_path)
    assert not (tmp_path / "many").exists()
