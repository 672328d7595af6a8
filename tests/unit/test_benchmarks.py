"""Every benchmark can be asked what it does, and `make performance` writes the whole of docs/performance.md."""

import importlib
import re
from pathlib import Path

import pytest

from benchmarks import catalogs
from benchmarks.console import by_points, report

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "performance.md"
BENCHMARKS = (
    *("agreement", "backup", "catalogs", "console", "following", "memory"),
    *("queries", "remote_images", "stores", "thresholds", "throughput", "two_people", "verdicts"),
)
RECIPE = (ROOT / "Makefile").read_text().split("\nperformance:")[1].split("\n\n")[0]


def module(name: str) -> str:
    package = ROOT / "benchmarks" / name
    return f"benchmarks.{name}.__main__" if package.is_dir() else f"benchmarks.{name}"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_says_what_it_measures_and_how_it_is_asked(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [f"benchmarks.{name}", "--help"])
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module(name)).main()
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "usage:" in said
    assert "--json" in said


def test_every_part_of_the_document_is_measured_by_the_one_command() -> None:
    named = set(re.findall(r"^<!-- measured by (.+) -->$", DOCUMENT.read_text(), re.MULTILINE))
    commands = re.findall(r"-m (benchmarks\.\w+)( --points)?[^\n]* --write", RECIPE)
    assert named == {
        by_points.SECTION if (name, points) == ("benchmarks.console", " --points") else name
        for name, points in commands
    }


def test_every_part_of_the_document_can_be_written_and_nothing_else_changes(tmp_path: Path) -> None:
    before, copy = DOCUMENT.read_text(), tmp_path / "performance.md"
    copy.write_text(before)
    parts = re.findall(r"^<!-- measured by (.+) -->$", before, re.MULTILINE)
    for name in parts:
        report.write_section(copy, name, "As measured.")
    assert copy.read_text().count("\n\nAs measured.\n\n") == len(parts)
    assert without_figures(copy.read_text()) == without_figures(before)


def without_figures(text: str) -> str:
    return re.sub(r"<!-- measured by (.+?) -->.*?<!-- end of what \1 measured -->", r"\1", text, flags=re.DOTALL)


def test_every_part_that_the_document_lists_stands_in_it() -> None:
    text = DOCUMENT.read_text()
    headings = {
        re.sub(r"[^a-z -]", "", line.lower()).replace(" ", "-") for line in re.findall(r"^## (.+)$", text, re.M)
    }
    assert set(re.findall(r"\]\(#([a-z-]+)\)", text)) == headings


@pytest.mark.parametrize("name", [*catalogs.TABLES, *catalogs.OF_FILES])
def test_every_kind_of_catalog_is_listed_to_its_end_and_told_in_a_table(name: str, tmp_path: Path) -> None:
    for each in ("many", "few", "cache"):
        (tmp_path / each).mkdir()
    make = (catalogs.TABLES | catalogs.OF_FILES)[name]
    many, few = make(tmp_path / "many", 30), make(tmp_path / "few", catalogs.FEW)
    found = catalogs.measure(name, many, few, tmp_path / "cache", 2)
    assert (found.rows, found.opening is not None) == (30, name in catalogs.INDEXED)
    assert f"| {name} | 30 |" in catalogs.section([found], "a machine")
