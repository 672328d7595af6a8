"""Query sets are kept, asked and read from the command line."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.console import Console


def run(workspace: Path, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["--workspace", str(workspace), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def filled(console: Console) -> Path:
    """The workspace of a console that was closed."""
    console.close()
    return console.settings.workspace


def test_questions_of_a_file_are_kept_asked_and_read_again(filled: Path) -> None:
    file = filled / "questions.csv"
    file.write_text('query,tags\na red square,colour\n"a square, blue",colour|odd\n')
    run(filled, "query-set", "usual", "--from", str(file))
    run(filled, "query-set", "captions", "--captions", "5")
    known = json.loads(run(filled, "query-sets", "--json"))
    assert [(one["name"], one["version"], one["questions"]) for one in known] == [("captions", 1, 5), ("usual", 1, 2)]
    assert "a square, blue  [colour, odd]" in run(filled, "query-set", "usual")
    asked = json.loads(run(filled, "ask", "usual", "images", "--depth", "3", "--json"))
    rows = list(csv.DictReader(io.StringIO(run(filled, "results", asked["snapshot"], "--csv"))))
    assert [row["question"] for row in rows] in (
        ["a red square"] * 3 + ["a square, blue"] * 3,
        ["a square, blue"] * 3 + ["a red square"] * 3,
    )
    document = json.loads(run(filled, "results", asked["snapshot"], "--json"))
    assert [str(one["key"]) for one in document["answers"]] == [row["key"] for row in rows]
    trec = run(filled, "results", asked["snapshot"], "--trec", "1").splitlines()
    assert [line.split()[2] for line in trec] == [row["key"] for row in rows]
    assert asked["snapshot"] in run(filled, "results")
    alone = CliRunner().invoke(app, ["--workspace", str(filled), "results", asked["snapshot"], "--agreement"])
    assert (alone.exit_code, "one column only" in alone.output) == (1, True)


def test_a_file_that_is_not_there_and_an_unknown_set_are_refused_with_a_remedy(filled: Path) -> None:
    for arguments in (["query-set", "usual", "--from", "nowhere.csv"], ["ask", "usual", "images"]):
        done = CliRunner().invoke(app, ["--workspace", str(filled), *arguments])
        assert done.exit_code == 1
        assert "Traceback" not in done.output
        assert "usual" in done.output or "nowhere.csv cannot be read" in done.output
