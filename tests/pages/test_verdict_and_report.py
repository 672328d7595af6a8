"""The verdict's page and its report side by side: whatever number stands on both is written there in the same way."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from streamlit.testing.v1 import AppTest

from console_core.console import Console
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.report import html_of
from tests.unit.judging.judged import DEPTH, Judged, judged

METRICS = [f"{name}@{DEPTH}" for name in ("nDCG", "P", "RR", "Recall")]


class Report:
    """What a reader of a report sees: tables as rows of texts, and facts by their names."""

    def __init__(self, html: str) -> None:
        self.rows = [
            [_text(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
        ]
        facts = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", html, re.DOTALL)
        self.facts = [(_text(name), _text(value)) for name, value in facts]
        numbers = re.findall(r'<h3>(.*?)</h3><div class="numbers"[^>]*>(.*?)</div>', html, re.DOTALL)
        self.questions = [_text(told) for _, told in numbers]
        self.text = _text(html)

    def all(self, name: str) -> list[str]:
        """Every fact of this name, in their order."""
        return [value for each, value in self.facts if each == name]

    def fact(self, name: str) -> str:
        """The first fact of this name."""
        return self.all(name)[0]


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


class Screen:
    """What a reader of the verdict's page sees: tables as their cells are written, facts by name, sentences."""

    def __init__(self, page: AppTest) -> None:
        assert not page.exception
        self.tables = [_written(table) for table in page.dataframe]
        (facts,) = (table.value for table in page.table if "Judges" in str(table.value))
        self.facts = {_unmarked(name): _unmarked(value) for name, *_, value in facts.reset_index().to_numpy()}
        self.text = _unmarked("\n".join(str(each.value) for each in (*page.markdown, *page.caption)))

    def table(self, *columns: str) -> list[dict[str, str]]:
        """The only table that has these columns."""
        (found,) = (table for table in self.tables if table and set(columns) <= set(table[0]))
        return found


def _unmarked(text: object) -> str:
    return re.sub(r"\\(.)", r"\1", str(text))


def _written(table: Any) -> list[dict[str, str]]:
    """The cells of a table, numbers in the format that their column has on the screen."""
    configured: Mapping[str, Any] = json.loads(table.proto.columns or "{}")
    formats = {name: (each.get("type_config") or {}).get("format") for name, each in configured.items()}
    rows: list[dict[str, Any]] = table.value.to_dict("records")
    return [
        {name: formats[name] % value if formats.get(name) else str(value) for name, value in row.items()}
        for row in rows
    ]


@pytest.fixture(name="made")
def _made(console: Console, tmp_path: Path) -> Judged:
    """Two judges, of whom one did not finish some questions; three columns, so that there is a correction."""
    protocol = Protocol(k=DEPTH, margin=0.05, floor=0.5, gap=0.5, seed=7)
    found = judged(console.lab.query_sets._database, tmp_path / "judged", size=30, columns=3, protocol=protocol)
    desk = found.lab.desk(found.evaluation)

    def grade(query: str, key: str, judge: str) -> int:
        better = desk.columns["odd" in desk.queries[query].tags]  # so that there are losses and gains
        usual = 2 if key in better[query][:DEPTH] else 0
        return usual + crc32(f"{judge}{query}{key}".encode()) % 2

    found.grade(lambda query, key: grade(query, key, "olga"), "olga")

    def half(query: str, key: str) -> int | None:
        return None if crc32(f"{query}{key}".encode()) % 13 == 0 else grade(query, key, "pete")

    found.grade(half, "pete")
    return found.reveal()


@pytest.fixture(name="outcome")
def _outcome(made: Judged) -> EvaluationOutcome:
    """With numbers that nobody could mistake for each other where the true ones are alike."""
    found = outcome_of(made.lab, made.evaluation)
    compared = tuple(
        replace(one, verdict=replace(one.verdict, worst=-0.4321 - place, best=0.1234 + place, barren=1234 + place))
        for place, one in enumerate(found.comparisons)
    )
    return replace(found, comparisons=compared, pictures=replace(found.pictures, all=45_678, unjudged=1_357))


@pytest.fixture(name="both")
def _both(made: Judged, outcome: EvaluationOutcome, open_page: Callable[..., AppTest]) -> tuple[Screen, Report]:
    page = open_page("judging", evaluation=made.evaluation.id, view="verdict")
    page.session_state["_verdict-kept"] = outcome
    page.run()
    return Screen(page), Report(html_of(outcome, made.lab.snapshots, made.thumbnails))


def test_every_number_that_stands_on_the_verdicts_page_and_in_its_report_is_the_same(
    both: tuple[Screen, Report], outcome: EvaluationOutcome
) -> None:
    screen, report = both
    tables = [table for table in screen.tables if METRICS[0] in table[0] and "Judged of its own" in table[0]]
    metrics = {name: [row[1:] for row in report.rows if row[0] == name] for name in METRICS}
    assert [len(tables), *map(len, metrics.values())] == [2, 2, 2, 2, 2]
    for place, (one, table) in enumerate(zip(outcome.comparisons, tables, strict=True)):
        assert one.verdict.decision is not None
        for name in METRICS:
            a, judged_a, b, judged_b, _ = metrics[name][place]
            assert [row[name] for row in table] == [a, b]
            assert [row[f"Judged@{DEPTH}"] for row in table] == [judged_a, judged_b]
        assert one.text in screen.text
        assert one.text in report.text
    _counts(screen, report, [one.letter for one in outcome.comparisons])
    _slices(screen, report, outcome)
    _facts(screen, report)
    _questions(screen, report, outcome)
    heads = next(row for row in report.rows if "Fingerprint" in row)
    columns = {row[0]: dict(zip(heads, row, strict=True)) for row in report.rows if row[0] in tuple("ABC")}
    names = ("Model", "Fingerprint", "Points")
    told = {row["Column"]: [row[name] for name in names] for row in screen.table("Fingerprint")}
    assert told == {letter: [column[name] for name in names] for letter, column in columns.items()}
    assert list(told) == list("ABC")


def _counts(screen: Screen, report: Report, letters: Sequence[str]) -> None:
    """How many questions, and how far a mean could move: a sentence for each column there, a list for each here."""
    sentence = re.compile(
        r"([\d,]+) questions: ([\d,]+) answered alike .*?, ([\d,]+) were given to judges, ([\d,]+) of them .*?"
        r"fell against (\w): (\S+); for it: (\S+)\.(?:\s|$)"
    )
    said = sentence.findall(screen.text)
    assert [found[4] for found in said] == list(letters)
    names = (
        "Questions that both answered",
        "Answered alike by both: no difference, no label needed",
        "Judged, where the two differ",
        "Of these graded, and without a relevant picture",
        "If all unjudged pictures fell one way",
    )
    here = [(*counts, f"{worst} to {best}") for *counts, _, worst, best in said]
    assert here == list(zip(*map(report.all, names), strict=True))
    assert [told[3:] for told in here] == [("1,234", "-0.432 to +0.123"), ("1,235", "-1.432 to +1.123")]


def _slices(screen: Screen, report: Report, outcome: EvaluationOutcome) -> None:
    tables = [table for table in screen.tables if "Slice" in table[0]]
    rows = [row for table in tables for row in table if row["Slice"] in ("odd", "even")]
    told = [[row[key] for key in ("Slice", "Questions", "Mean difference", "p, corrected", "Finding")] for row in rows]
    assert [[tag, n, mean, adjusted, found] for tag, n, mean, _, adjusted, found in _of(report, "odd", "even")] == told
    assert len(told) == 4
    exploratory = {row["Slice"]: row["Mean difference"] for row in tables[-1]}
    for name in ("P", "RR", "Recall"):
        last = [row[-1] for row in report.rows if row[0] == f"{name}@{DEPTH}"][-1]
        assert last == f"{exploratory[name]} exploratory"


def _of(report: Report, *names: str) -> list[list[str]]:
    return [row for row in report.rows if row and row[0] in names]


def _facts(screen: Screen, report: Report) -> None:
    here, there = screen.facts, report.fact
    assert here["Judges"] == there("Judges, and how much they said")
    assert here["Of these count"] == there("Of these count") != here["Judges"]
    assert here["Looks"] == there("Looks at the verdict")
    assert here["Where the grades come from"] == there("Where the grades come from")
    assert here["Question set"].endswith(f", {there('Questions in the set')} questions")
    share, told = there("Unjudged pictures").split(": ")
    assert here["Unjudged pictures"] == f"{told}, {share}" == "1,357 of 45,678, 3.0%"
    ((alpha, shared),) = re.findall(r"^(\S+), from (\S+) pictures", there("Agreement of judges"))
    assert here["Agreement of judges"] == f"{alpha} (Krippendorff's alpha, {shared} pictures)"
    assert 0 < float(alpha) < 1
    assert there("Gain of each grade").endswith(f": {here['Gain']}")
    margin, measure = there("Margin").split(" of ")
    confidence = there("Confidence of all comparisons together")
    assert here["Locked"].startswith(f"{measure}, margin {margin}, confidence {confidence} for all comparisons")
    assert report.all("Digest")[0].startswith(here["Locked"].split()[-1])
    assert here["Answers"].split(",")[0] == there("Kept answers").split(",")[0]


def _questions(screen: Screen, report: Report, outcome: EvaluationOutcome) -> None:
    table = screen.table("B less A", "C less A")
    shown = [row for row, of in zip(table, outcome.queries, strict=True) if of.chance is not None]
    assert len(shown) == len(report.questions) > 20
    for row, told in zip(shown, report.questions, strict=True):
        parts = dict(re.findall(r"(\w less A|\b[ABC]\b) ([+-]?\d\.\d{3})", told))
        assert parts == {
            "B less A": row["B less A"],
            "C less A": row["C less A"],
            **{letter: row[f"{letter} {METRICS[0]}"] for letter in "ABC"},
        }


def test_where_nothing_is_unjudged_neither_says_what_it_could_come_to(
    made: Judged, open_page: Callable[..., AppTest]
) -> None:
    outcome = outcome_of(made.lab, made.evaluation)
    assert outcome.pictures.unjudged == 0
    page = open_page("judging", evaluation=made.evaluation.id, view="verdict")
    assert "fell against" not in Screen(page).text
    assert "fell one way" not in html_of(outcome, made.lab.snapshots, made.thumbnails)
