"""docs/judging.md from start to end: questions, answers, grades from a file, a verdict and its report."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from console_core.console import Console
from console_core.judging.estimate import needed
from tests.conftest import fill
from tests.how_to import DOCS, blocks, commands, done, run

GUIDE = "judging.md"
MORE = "".join(
    f"a {tone} {colour} square,colour\n" for tone in ("light", "dark", "pale") for colour in ("red", "green", "blue")
)


@pytest.fixture
def workspace_with_two(console: Console) -> Path:
    """`images` is made by demo-clip; the other collection by demo-siglip."""
    fill(console, "images__siglip", "demo-siglip")
    console.close()
    return console.settings.workspace


def test_the_guide_leads_from_questions_to_a_verdict_and_its_report(
    workspace_with_two: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = workspace_with_two
    (questions,) = blocks(GUIDE, "csv")
    Path("questions.csv").write_text(questions + MORE)
    save, ask, ask_twins, results, evaluate, sheet, grades, verdict, reveal, report = commands(GUIDE)
    done(workspace, *save)
    snapshot = json.loads(done(workspace, *ask, "--json").stdout)["snapshot"]
    asked_twice = json.loads(done(workspace, *ask_twins, "--json").stdout)["snapshot"]
    assert "images · images__siglip · images~exact · images__siglip~exact" in done(workspace, "results").stdout
    assert json.loads(done(workspace, "results", asked_twice, "--json").stdout)["columns"][3]["way"] == "exact"

    changed = done(workspace, *[snapshot if word == "s-1a2b3c4d" else word for word in results]).stdout
    assert "RBO@10 p 0.9" in changed
    assert "looks at 10 places on average" in changed

    def begin(*columns: str) -> str:
        words = [snapshot if word == "s-1a2b3c4d" else word for word in evaluate]
        if columns:
            words[words.index("1,2")] = ",".join(columns)
        return str(json.loads(done(workspace, *words, "--json").stdout)["evaluation"])

    def named(words: list[str], evaluation: str) -> list[str]:
        return [evaluation if word == "e-5e6f7a8b" else word for word in words]

    evaluation = begin()
    withheld = run(workspace, *named(verdict, evaluation))
    assert withheld.exit_code == 2
    assert "Judge all that were drawn" in withheld.output
    assert run(workspace, *named(report, evaluation)).exit_code == 1
    assert "has no verdict yet" in run(workspace, *named(reveal, evaluation)).output

    done(workspace, *named(sheet, evaluation))
    found = json.loads(done(workspace, "results", snapshot, "--json").stdout)["answers"]
    good = {(one["query"], one["key"]) for one in found if one["column"] == "images__siglip" and one["rank"] <= 10}
    fill_in(Path("sheet.csv"), good)
    assert "0 of" in done(workspace, *named(grades, evaluation)).stdout
    seen = run(workspace, *named(verdict, evaluation), "--json")
    assert (seen.exit_code, "siglip" in seen.stdout) == (0, False)
    blind: dict[str, Any] = json.loads(seen.stdout)
    assert blind["comparisons"][0]["verdict"]["outcome"] == "non-inferior"
    assert [one["outcome"] for one in blind["looks"]] == ["withheld", "non-inferior"]
    assert blind["early_looks"] == 0
    assert "demo-siglip" in done(workspace, *named(reveal, evaluation)).stdout
    done(workspace, *named(report, evaluation))
    text = Path("verdict/report.html").read_text()
    assert "images__siglip (B) is no worse than images" in text
    assert text.count("data:image/webp") > 20
    done(workspace, *named(report, evaluation)[:-1], "verdict.zip")
    assert Path("verdict.zip").stat().st_size > 10_000
    told = json.loads(Path("verdict/outcome.json").read_text())
    assert told["told"]["sentences"] == told["sentences"] == [one["text"] for one in blind["comparisons"]]
    kept_back = ("queries", "columns", "caution", "revealed_at", "revealed_by", "told")
    assert {**told, **{name: blind[name] for name in kept_back}} == blind

    backwards = begin("2", "1")
    before = f"The same answers were judged before, in {evaluation}, with nDCG@10 and a margin of 0.05"
    assert "looked at twice; its models were told on" in done(workspace, *named(grades, backwards)).stdout
    seen = run(workspace, *named(verdict, backwards))
    assert (seen.exit_code, before in seen.stdout, "images__siglip" in seen.stdout) == (1, True, False)
    taken = len(list(csv.DictReader(io.StringIO(Path("verdict/judgements.csv").read_bytes().decode(), newline=""))))
    assert f"{taken} of {taken} imported grades are the same as grades that were given there" in seen.stdout
    exported = ["grades", backwards, "--from", "verdict/judgements.csv"]
    refused = run(workspace, *exported)
    assert (refused.exit_code, f"{taken} of {taken} grades were given before" in refused.output) == (1, True)
    assert before in done(workspace, *exported, "--before-lock").stdout
    told = json.loads(run(workspace, *named(verdict, backwards), "--json").stdout)
    assert told["warnings"][1] == f"{taken} of {taken} imported grades were given before this protocol was locked."
    assert told["imported"]["files"] == ["judgements.csv"]
    listed = json.loads(done(workspace, "evaluations", "--json").stdout)
    assert [bool(one["revealed_at"]) for one in listed] == [False, True]
    assert "revealed" in run(workspace, *named(grades, evaluation)).output

    locked = json.loads(done(workspace, "evaluate", snapshot, "--votes", "--json").stdout)
    voted, (warned, _) = locked["evaluation"], locked["warnings"]
    by_votes = "votes between lists of 10, confidence 95.0%, all questions that are not answered alike"
    assert (locked["locked"], locked["measure"], locked["margin"]) == (by_votes, "lists of 10", None)
    assert f"votes  {by_votes}  0 judged" in done(workspace, "evaluations").stdout
    assert warned.startswith(before)
    seen = run(workspace, "verdict", voted)
    assert (seen.exit_code, "without a vote between A and B" in seen.output) == (2, True)
    assert f"Locked: {by_votes}" in seen.output
    for words, said in (
        (["evaluate", snapshot, "--columns", "1,9"], "no such column"),
        (["evaluate", snapshot, "--columns", "first"], "names no columns"),
        (["evaluate", snapshot, "--metric", "MAP"], "MAP is no metric"),
        (["evaluate", snapshot, "--k", "11"], "but 10 were kept"),
        (["verdict", "e-none"], "`embedding-console evaluations` lists them"),
        (["grades", voted, "--from", "sheet.csv"], "it takes no grades"),
        (["report", backwards, "--into", "early"], "still judged blindly"),
    ):
        refused = run(workspace, *words)
        assert (refused.exit_code, said in refused.output) == (1, True), refused.output
    assert not Path("early").exists()


def fill_in(sheet: Path, good: set[tuple[str, str]]) -> None:
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with sheet.open("w", newline="") as file:
        written = csv.DictWriter(file, list(rows[0]))
        written.writeheader()
        written.writerows(row | {"grade": "3" if (row["query"], row["key"]) in good else "0"} for row in rows)


def test_the_table_of_how_many_queries_it_takes_is_what_the_console_reckons() -> None:
    text = (DOCS / GUIDE).read_text()
    margins = [float(one) for one in re.findall(r"margin (0\.\d\d) \|", text)]
    rows = re.findall(r"^\| (0\.\d\d) \| (\d+) \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert (len(rows), len(margins)) == (4, 3)
    for spread, *counts in rows:
        assert [int(one) for one in counts] == [needed(float(spread), margin, 0.95) for margin in margins]
