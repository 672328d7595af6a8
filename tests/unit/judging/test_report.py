"""The report: one file that needs nothing else, whose numbers are those of the outcome."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from console_core.database import Database
from console_core.errors import Refused
from console_core.judging import wording
from console_core.judging.asked_columns import AskedEncoder
from console_core.judging.exports import report_files
from console_core.judging.outcome import outcome_of
from console_core.judging.protocol import Protocol
from console_core.judging.report import html_of
from console_core.judging.report_numbers import FORMATS, at
from tests.unit.judging.judged import DEPTH, HOSTILE, Judged, column_of, judged, twinned

_EMPTY = {"meta", "img", "br", "image", "use", "link"}


class Parsed(HTMLParser):
    """What a browser would find in a report."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.numbers: list[tuple[str, str, str]] = []
        self.loose: list[str] = []
        """Text outside of what says where it comes from, and outside of what people wrote."""
        self._open: list[dict[str, str | None]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _EMPTY:
            self._open.append({"": tag, **dict(attrs)})
        if "data-of" in dict(attrs):
            self.numbers.append((dict(attrs)["data-of"] or "", dict(attrs)["data-as"] or "", ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[""] == tag

    def handle_data(self, data: str) -> None:
        if self._open and "data-of" in self._open[-1]:
            path, how, text = self.numbers[-1]
            self.numbers[-1] = path, how, text + data
        elif not any(one[""] in ("style", "title", "bdi", "figure") for one in self._open):
            self.loose.append(data)


def _chance(*words: str) -> int:
    return crc32("".join(words).encode())


@pytest.fixture
def made(database: Database, tmp_path: Path) -> Judged:
    """Two judges, of whom one passed over some pictures; B is worse."""
    found = judged(database, tmp_path, protocol=Protocol(k=DEPTH, margin=0.05, floor=0.5, gap=0.5, seed=7))
    mine = found.lab.desk(found.evaluation).columns[0]
    found.grade(lambda q, k: 2 if k in mine[q][:DEPTH] else _chance(k) % 2, "olga")
    found.grade(lambda q, k: None if _chance(q, k) % 13 == 0 else 2 if k in mine[q][:DEPTH] else _chance(k) % 2, "pete")
    return found.reveal()


def test_every_number_of_the_report_is_that_of_the_outcome_and_says_where_it_stands_in_it(made: Judged) -> None:
    outcome = outcome_of(made.lab, made.evaluation)
    document = outcome.to_json()
    found = Parsed(html_of(outcome, made.lab.snapshots, made.thumbnails))
    assert len(found.numbers) > 300
    for path, how, text in found.numbers:
        assert text == FORMATS[how](at(document, path)), path
    said = {path: text for path, _, text in found.numbers}
    (one,) = outcome.comparisons
    assert one.verdict.decision is not None
    assert said["comparisons.0.verdict.decision.estimate.mean"] == f"{one.verdict.decision.estimate.mean:+.3f}"
    assert said["comparisons.0.text"] == one.verdict.text
    assert said["comparisons.0.verdict.b.judged.at_k"] == f"{one.verdict.b.judged.at_k:.1%}"
    assert said["pictures.share"] == f"{outcome.pictures.share:.1%}" == "0.0%"
    assert said["protocol.margin"] == "0.05"
    assert said["gains"] == "0 → 0, 1 → 1, 2 → 3, 3 → 7"
    assert [text for text in found.loose if re.search(r"\d", re.sub(r"@5|alpha; 1 is|0: all|\(1\)", "", text))] == []


def test_a_report_says_whose_a_loss_is_and_how_each_encoder_stood_with_the_outcomes_own_numbers(
    database: Database, tmp_path: Path
) -> None:
    asked = datetime(2026, 11, 3, 14, tzinfo=UTC)
    red = AskedEncoder("red", asked, "r-7", asked - timedelta(days=2, hours=3), ("padding", "channels"))
    green = AskedEncoder("green", asked, "r-8", asked - timedelta(hours=1, minutes=59))
    made = judged(database, tmp_path, protocol=Protocol(k=DEPTH, margin=0.05), asked_of=twinned(green, red))
    a, _, _, d = made.lab.desk(made.evaluation).columns
    made.grade(lambda q, k: 3 if k in (*a[q][:DEPTH], *d[q][:DEPTH]) else 0)
    blind = outcome_of(made.lab, made.evaluation)
    document = json.dumps(blind.to_json())
    assert [word for word in ("exact", "padding", "r-7", "images__", "siglip") if word in document] == []
    assert blind.caution == (
        "Not every encoder was known to be right when the questions were asked. A verdict may condemn a model for how "
        "it was fed, and not for what it is."
    )
    outcome = outcome_of(made.lab, made.reveal().evaluation)
    found = Parsed(html_of(outcome, made.lab.snapshots, made.thumbnails))
    for path, how, text in found.numbers:
        assert text == FORMATS[how](at(outcome.to_json(), path)), path
    said = {path: text for path, _, text in found.numbers}
    assert [said[f"columns.{place}.fed"] for place in range(4)] == [
        "encoder check green, 1 hour before",
        "encoder check red (Wrong padding of texts, Swapped colour channels), 2 days before",
    ] * 2
    assert said["caution"] == (
        "Not every encoder was known to be right (images__demo-siglip (B): encoder check red (Wrong padding of texts, "
        "Swapped colour channels), 2 days before). The verdict may condemn a model for how it was fed, and not for "
        "what it is."
    )
    (one,) = outcome.comparisons
    assert one.attributed is not None
    assert one.attributed.found is not None
    assert one.attributed.causes == ("index",)
    assert said["comparisons.0.attributed.text"] == one.attributed.text
    assert said["comparisons.0.attributed.found.searching.mean"] == f"{one.attributed.found.searching.mean:+.3f}"
    assert "is the index that loses for certain" in one.attributed.text
    assert said["columns.3.way"] == "exact"
    assert "D is B's twin" in " ".join(found.loose)
    assert [text for text in found.loose if re.search(r"\d", re.sub(r"@5|alpha; 1 is|0: all|\(1\)", "", text))] == []


def test_where_every_encoder_was_right_nothing_warns(database: Database, tmp_path: Path) -> None:
    asked = datetime(2026, 11, 3, 14, tzinfo=UTC)
    green = AskedEncoder("green", asked, "r-8", asked)
    made = judged(database, tmp_path, asked_of=[column_of(0, encoder=green), column_of(1, encoder=green)])
    outcome = outcome_of(made.lab, made.reveal().evaluation)
    assert outcome.caution == ""
    assert 'class="caution"' not in html_of(outcome, made.lab.snapshots, made.thumbnails)


def test_the_verdict_comes_first_and_queries_come_by_their_loss_with_all_their_pictures_and_grades(
    made: Judged,
) -> None:
    outcome = outcome_of(made.lab, made.evaluation)
    text = html_of(outcome, made.lab.snapshots, made.thumbnails)
    body = text.split("<body>")[1]
    assert body.startswith('<h1 class="inferior">images__demo-siglip (B) is worse than images__demo-clip (A)</h1>')
    found = Parsed(text)
    losses = [float(said) for path, _, said in found.numbers if re.fullmatch(r"queries\.\d+\.differences\.0", path)]
    assert len(losses) == 23
    assert losses == sorted(losses)
    assert losses[0] < 0
    grades = [said for path, _, said in found.numbers if path.endswith(".grade")]
    assert len(grades) == 23 * 2 * DEPTH
    assert {"0", "1", "2"} == set(grades)
    assert sum(tag == "use" for tag, _ in found.tags) + text.count('class="grey"') == len(grades)
    assert text.count('class="grey"') > 0
    for must in ("exploratory", "By tag", "Fingerprint", "ir_measures", "intact", "Looks at the verdict"):
        assert must in text


def test_without_a_verdict_the_report_says_how_many_pictures_nobody_graded_and_shows_no_grade_that_does_not_count(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path)
    mine = made.lab.desk(made.evaluation).columns[0]
    made.grade(lambda query, key: 2 if key in mine[query][:DEPTH] else None)
    outcome = outcome_of(made.lab, made.reveal().evaluation)
    found = Parsed(html_of(outcome, made.lab.snapshots, made.thumbnails))
    said = {path: text for path, _, text in found.numbers}
    assert said["pictures.share"] == f"{outcome.pictures.share:.1%}" != "0.0%"
    assert {text for path, text in said.items() if path.endswith(".grade")} == {wording.UNKNOWN}


def test_the_report_refers_to_nothing_outside_of_itself_and_runs_nothing(made: Judged) -> None:
    found = Parsed(html_of(outcome_of(made.lab, made.evaluation), made.lab.snapshots, made.thumbnails))
    known = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    for tag, attributes in found.tags:
        assert tag not in {"script", "img", "link", "iframe", "object", "embed", "form", "base", "a", "video", "audio"}
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action", "xlink:href")
        ]
        target = attributes.get("href") or "#"
        assert target.startswith("data:image/webp;base64,") or target[1:] in known | {""}
    style = html_of(outcome_of(made.lab, made.evaluation), made.lab.snapshots, made.thumbnails)
    (css,) = re.findall(r"<style>(.*?)</style>", style, re.DOTALL)
    assert "url(" not in css
    assert "@import" not in css
    assert "prefers-color-scheme:dark" in css


def test_hostile_text_of_queries_tags_and_keys_is_shown_and_does_nothing(made: Judged) -> None:
    text = html_of(outcome_of(made.lab, made.evaluation), made.lab.snapshots, made.thumbnails)
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("</style>") == 1
    found = Parsed(text)
    assert [attributes["title"] for _, attributes in found.tags if attributes.get("title") == HOSTILE] != []


def test_a_withheld_verdict_and_an_undecided_one_say_what_to_do(database: Database, tmp_path: Path) -> None:
    found = judged(database, tmp_path, protocol=Protocol(k=DEPTH, margin=0.01))
    withheld = html_of(outcome_of(found.lab, found.reveal().evaluation), found.lab.snapshots, found.thumbnails)
    assert "No verdict on images__demo-siglip (B)" in withheld
    assert "Judge all that were drawn" in withheld
    assert wording.advice("withheld", revealed=True) in withheld
    assert "fell one way" not in withheld


def test_a_question_that_a_column_did_not_answer_is_left_out_and_named(database: Database, tmp_path: Path) -> None:
    found = judged(database, tmp_path, columns=3, failing=True)
    found.grade(lambda query, key: 1)
    told = found.reveal()
    text = html_of(outcome_of(told.lab, told.evaluation), told.lab.snapshots, told.thumbnails)
    assert "C did not answer" in text
    left_out = {path: said for path, _, said in Parsed(text).numbers if path.endswith("left_out")}
    assert left_out == {"comparisons.0.left_out": "0", "comparisons.1.left_out": "1: question 0"}


def test_an_undecided_verdict_says_how_many_more_queries_it_lacks(database: Database, tmp_path: Path) -> None:
    found = judged(database, tmp_path, protocol=Protocol(k=DEPTH, margin=0.02))
    found.grade(lambda query, key: _chance(query, key) % 4)
    told = found.reveal()
    text = html_of(outcome_of(told.lab, told.evaluation), told.lab.snapshots, told.thumbnails)
    assert "It is not decided whether images__demo-siglip (B) is worse" in text
    assert "more questions" in text
    assert wording.advice("inconclusive", revealed=True) in text


def test_nothing_is_reported_before_the_models_are_told(database: Database, tmp_path: Path) -> None:
    found = judged(database, tmp_path)
    with pytest.raises(Refused, match="still judged blindly"):
        report_files(found.lab, found.evaluation, found.thumbnails)
    with pytest.raises(Refused):
        html_of(outcome_of(found.lab, found.evaluation), found.lab.snapshots, found.thumbnails)


def test_fifty_queries_of_two_columns_and_ten_pictures_each_take_less_than_ten_megabytes(
    database: Database, tmp_path: Path
) -> None:
    found = judged(database, tmp_path, size=51, depth=10, keys=[f"{number}.jpg" for number in range(100)])
    told = found.reveal()
    text = html_of(outcome_of(told.lab, told.evaluation), told.lab.snapshots, told.thumbnails)
    assert text.count("<figure") == 1000
    per_picture = max(map(len, re.findall(r"base64,([^\"]+)", text)))
    other = len(re.sub(r"base64,[^\"]+", "", text))
    assert other < 600_000
    assert per_picture < 8_000


def test_a_report_stays_small_by_leaving_out_pictures_and_then_queries_and_says_so(
    made: Judged, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = outcome_of(made.lab, made.evaluation)
    whole = html_of(outcome, made.lab.snapshots, made.thumbnails)
    monkeypatch.setattr("console_core.judging.report_queries.MOST_BYTES", 20_000)
    monkeypatch.setattr("console_core.judging.report_queries.MOST_TILES", 100)
    text = html_of(outcome, made.lab.snapshots, made.thumbnails)
    pictures = [len(one) * 3 // 4 for one in re.findall(r"base64,([^\"]+)", text)]
    assert 10_000 < sum(pictures) <= 20_000 < sum(len(one) * 3 // 4 for one in re.findall(r"base64,([^\"]+)", whole))
    assert text.count("<section") == 10
    assert "Not shown: 13 questions with smaller losses; queries.csv has them all." in text
    assert text.count('class="grey"') > 0


def test_votes_are_reported_with_their_counts_and_an_order_of_three(database: Database, tmp_path: Path) -> None:
    found = judged(database, tmp_path, way="votes", columns=3, size=13, protocol=Protocol(k=DEPTH))
    for place, query in enumerate(found.lab.desk(found.evaluation).sample.queue):
        for x, y in ((0, 1), (1, 2), (0, 2)):
            found.lab.judgements.vote(found.evaluation, query, x, y, y if place % 4 else x, by="olga")
    told = found.reveal()
    outcome = outcome_of(told.lab, told.evaluation)
    text = html_of(outcome, told.lab.snapshots, told.thumbnails)
    document = outcome.to_json()
    numbers = Parsed(text).numbers
    assert all(said == FORMATS[how](at(document, path)) for path, how, said in numbers)
    said: dict[str, Any] = {path: value for path, _, value in numbers}
    assert [said[f"ballots.pairs.0.preference.{side}"] for side in ("a", "b", "ties")] == ["3", "9", "0"]
    assert "In one order" in text
    of_votes = {"protocol.k", "protocol.confidence", "protocol.queries", "protocol.prefers", "protocol.seed"}
    assert {path for path in said if path.startswith("protocol.")} == of_votes
    assert "lists of 5" in re.sub("<[^>]+>", "", text)
    assert "nDCG" not in text
