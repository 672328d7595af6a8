"""Query sets are kept, asked and read from the command line."""

import csv
import io
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console_core.cli.app import app
from console_core.console import Console
from tests.conftest import fill


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


def test_model_and_index_are_told_apart_and_an_unchecked_encoder_is_said_from_asking_to_the_verdict(
    console: Console, tmp_path: Path
) -> None:
    fill(console, "images__siglip", "demo-siglip")
    console.close()
    workspace = console.settings.workspace
    file = tmp_path / "questions.txt"
    colours = ["red", "green", "blue", "yellow", "violet", "orange", "pink", "brown", "grey", "black", "white", "cyan"]
    colours += ["magenta", "dark", "pale", "bright"]
    file.write_text("\n".join(f"a {colour} square" for colour in colours))
    run(workspace, "query-set", "usual", "--from", str(file))
    columns = ["images", "images__siglip", "images~exact", "images__siglip~exact"]
    asked = CliRunner().invoke(app, ["--workspace", str(workspace), "ask", "usual", *columns, "--depth", "5", "--json"])
    assert "images__siglip: encoder never checked. `encoder-check images__siglip` tells" in asked.stderr
    snapshot = json.loads(asked.stdout)["snapshot"]
    told = json.loads(run(workspace, "results", snapshot, "--json"))
    assert [one["way"] for one in told["columns"]] == ["usual", "usual", "exact", "exact"]
    assert {one["encoder"]["text"] for one in told["columns"]} == {"encoder never checked"}
    assert list(dict.fromkeys(one["column"] for one in told["answers"])) == columns
    by_votes = ["evaluate", snapshot, "--columns", "1,3,2", "--k", "5", "--votes"]
    refused = CliRunner().invoke(app, ["--workspace", str(workspace), *by_votes])
    assert (refused.exit_code, "votes do not tell whose a loss is" in refused.output) == (1, True)
    evaluate = ["evaluate", snapshot, "--columns", "1,2,3,4", "--k", "5", "--json"]
    evaluation = json.loads(run(workspace, *evaluate))["evaluation"]
    sheet = tmp_path / "sheet.csv"
    run(workspace, "grades", evaluation, "--sheet", str(sheet))
    with sheet.open(newline="") as written:
        rows = list(csv.DictReader(written))
    good = {(one["query"], one["key"]) for one in told["answers"] if one["column"] == "images"}
    lines = [f"{row['query']} 0 {row['key']} {3 if (row['query'], row['key']) in good else 0}" for row in rows]
    (tmp_path / "grades.qrels").write_text("\n".join(lines))
    run(workspace, "grades", evaluation, "--from", str(tmp_path / "grades.qrels"))

    def verdict() -> str:
        return CliRunner().invoke(app, ["--workspace", str(workspace), "verdict", evaluation]).stdout

    blind = verdict()
    assert "2 columns are twins of another one." in blind
    assert "Not every encoder was known to be right when the questions were asked." in blind
    assert [word for word in ("images", "~", "index's") if word in blind] == []
    run(workspace, "reveal", evaluation)
    said = verdict()
    assert "D: images__siglip~exact (D), encoder never checked, B's twin" in said
    assert "0.000 (0.000 to 0.000) are the index's" in said
    assert "It is the model that loses for certain" in said


def test_a_file_that_is_not_there_and_an_unknown_set_are_refused_with_a_remedy(filled: Path) -> None:
    for arguments in (["query-set", "usual", "--from", "nowhere.csv"], ["ask", "usual", "images"]):
        done = CliRunner().invoke(app, ["--workspace", str(filled), *arguments])
        assert done.exit_code == 1
        assert "Traceback" not in done.output
        assert "usual" in done.output or "nowhere.csv cannot be read" in done.output
