"""What an evaluation leaves as files can be read again without loss, and grades from outside are taken whole or not."""

import csv
import io
import json
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from console_core.database import Database
from console_core.errors import Refused
from console_core.judging.exports import judgements_csv, qrels, report_files, sheet_of, zipped
from console_core.judging.grade_lists import from_qrels, from_table, guarded, unguarded
from console_core.judging.judgements import Given, combined
from console_core.judging.looks import early
from console_core.judging.outcome import outcome_of
from tests.unit.judging.judged import DEPTH, HOSTILE, KEYS, Judged, judged


@pytest.fixture
def made(database: Database, tmp_path: Path) -> Judged:
    found = judged(database, tmp_path)
    found.grade(lambda query, key: (len(key) + len(query)) % 4, "olga")
    found.grade(lambda query, key: len(key) % 4, "-pete, =1")
    return found


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_grades_survive_a_csv_file_with_awkward_keys_judges_and_questions(made: Judged) -> None:
    desk, given = made.lab.desk(made.evaluation), made.lab.judgements.of(made.evaluation.id)
    assert {one.key for one in given} == set(KEYS)
    text = judgements_csv(given, desk.queries)
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    again = from_table(text, desk, judge="nobody")
    assert again == [
        Given(one.query, one.key, one.judge, one.grade, one.at) for one in sorted(given, key=lambda one: one.number)
    ]


def test_grades_survive_trec_qrels_and_rankings_survive_run_files(made: Judged) -> None:
    desk, given = made.lab.desk(made.evaluation), made.lab.judgements.of(made.evaluation.id)
    text = qrels(given)
    assert {len(line.split()) for line in text.splitlines()} == {4}
    found: dict[str, dict[str, int]] = {}
    for one in from_qrels(text, desk, judge="olga"):
        found.setdefault(one.query, {})[one.key] = one.grade
    assert found == combined(given)
    files = report_files(made.lab, made.reveal().evaluation, made.thumbnails)
    assert files["qrels.txt"].decode() == text
    for letter, column in zip("AB", desk.columns, strict=True):
        ranked: dict[str, list[str]] = {}
        for line in files[f"run-{letter}.txt"].decode().splitlines():
            query, _, key, rank, _, tag = line.split()
            ranked.setdefault(query, []).append(unquote(key))
            assert len(ranked[query]) == int(rank)
            assert tag.startswith("images__demo-")
        assert ranked == {query: list(keys) for query, keys in column.items()}


def test_the_table_of_queries_has_the_outcomes_own_numbers_to_the_last_digit(made: Judged) -> None:
    told = made.reveal()
    files = report_files(told.lab, told.evaluation, told.thumbnails)
    outcome = outcome_of(told.lab, told.evaluation)
    rows = table(files["queries.csv"].decode())
    assert [row["query"] for row in rows] == [row.query.id for row in outcome.queries]
    for row, wanted in zip(rows, outcome.queries, strict=True):
        a, b = wanted.cells
        assert a.scores is not None
        assert b.scores is not None
        assert [float(row[f"A_{name}"]) for name in ("ndcg", "judged")] == [a.scores.ndcg, a.scores.judged]
        assert [float(row[f"B_{name}"]) for name in ("p", "rr", "recall")] == [b.scores.p, b.scores.rr, b.scores.recall]
        assert float(row["B_less_A"]) == wanted.differences[0]
        assert row["tags"] == "|".join(wanted.query.tags)
    assert HOSTILE in {row["question"] for row in rows}
    assert json.loads(files["outcome.json"]) == outcome.to_json()


def test_the_archive_holds_every_file_and_is_the_same_for_the_same_evaluation(made: Judged) -> None:
    told = made.reveal()
    files = report_files(told.lab, told.evaluation, told.thumbnails)
    assert sorted(files) == [
        *("judgements.csv", "outcome.json", "qrels.txt", "queries.csv", "report.html", "run-A.txt", "run-B.txt"),
    ]
    data = zipped(files)
    assert data == zipped(report_files(told.lab, told.evaluation, told.thumbnails))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


@pytest.mark.parametrize("cell", ["=1", "'", "''=1", "'=1", "plain", "", "-5", "'quoted", "\tx"])
def test_a_cell_that_cannot_act_as_a_formula_is_read_again_as_it_was(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_question_is_named_by_its_words_too_and_a_judge_is_whoever_brings_the_file(made: Judged) -> None:
    desk = made.lab.desk(made.evaluation)
    query = desk.sample.queue[0]
    key = desk.pools[query][0]
    text = io.StringIO()
    csv.writer(text).writerows([["Query", "key", "grade"], [f"  {desk.queries[query].text} ", key, "2"]])
    assert from_table(text.getvalue(), desk, judge="rita") == [Given(query, key, "rita", 2)]


def test_a_sheet_has_what_a_judge_has_not_graded_and_is_taken_as_far_as_it_is_filled_in(made: Judged) -> None:
    desk, records = made.lab.desk(made.evaluation), made.lab.judgements
    assert sheet_of(desk, records.of(made.evaluation.id, "olga"))[1] == 0
    text, rows = sheet_of(desk, [])
    read = table(text)
    assert [(row["query"], unguarded(row["key"])) for row in read] == [
        (q, k) for q, pool in desk.pools.items() for k in pool
    ]
    assert rows == len(read)
    lines = io.StringIO(newline="")
    written = csv.DictWriter(lines, list(read[0]))
    written.writeheader()
    written.writerows(row | {"grade": "3" if place < 7 else ""} for place, row in enumerate(read))
    taken = from_table(lines.getvalue(), desk, judge="rita")
    assert [(one.key, one.grade) for one in taken] == [(unguarded(row["key"]), 3) for row in read[:7]]


def test_what_does_not_fit_is_refused_with_its_line_and_nothing_is_taken(made: Judged) -> None:
    desk = made.lab.desk(made.evaluation)
    query, pool = next((query, pool) for query, pool in desk.pools.items() if "\n" not in "".join(pool))
    key, other = pool[:2]
    rows = [
        ["query", "key", "grade", "judge"],
        *([query, key, "2", "rita"], ["nothing", key, "2", "rita"], [query, "no such key", "1", "rita"]),
        *([query, other, "4", "rita"], [query, other, "two", "rita"], [query, key, "1", "rita"]),
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    with pytest.raises(Refused) as refused:
        from_table(text.getvalue(), desk, judge="olga")
    said = refused.value.message
    for line in ("line 3: no query 'nothing'", "line 4: 'no such key' is not judged", "line 5: '4' is no grade"):
        assert line in said
    assert "line 6: 'two' is no grade" in said
    assert "line 7: rita graded" in said
    assert "in line 2 already" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("query,grade\nx,1\n", "no column key"),
        ("key,grade\nx,1\n", "no column query"),
        ("query,key,grade\n", "no grades"),
        ("", "no column key and grade"),
        ('query,key,grade\n"x,y,1\n', "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_refused(made: Judged, text: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        from_table(text, made.lab.desk(made.evaluation), judge="olga")


def test_qrels_of_another_form_are_refused_with_their_line(made: Judged) -> None:
    with pytest.raises(Refused, match="Line 2 has 3 words"):
        from_qrels("\nq 0 key\n", made.lab.desk(made.evaluation), judge="olga")


def test_after_the_models_are_told_no_grades_are_taken(made: Judged) -> None:
    desk = made.lab.desk(made.evaluation)
    query = desk.sample.queue[0]
    made.reveal()
    before = made.lab.judgements.counted(made.evaluation.id)
    with pytest.raises(Refused, match="revealed"):
        made.lab.judgements.judge_all(made.evaluation, [Given(query, desk.pools[query][0], "olga", 1)])
    with pytest.raises(Refused, match="scale"):
        made.lab.judgements.judge_all(made.evaluation, [Given(query, desk.pools[query][0], "olga", 4)])
    assert made.lab.judgements.counted(made.evaluation.id) == before


def test_looks_that_said_something_are_counted_by_the_states_of_the_judging_that_they_saw(
    database: Database, tmp_path: Path
) -> None:
    made = judged(database, tmp_path, depth=DEPTH)
    looks, name = made.lab.looks, made.evaluation.id
    told = (
        (0, "withheld"),
        (0, "withheld, inferior"),
        (10, "inconclusive"),
        (20, "A:B not told apart"),
        (20, "inferior"),
    )
    for words, said in (*told, (25, "withheld, withheld"), (25, "A:B withheld")):
        looks.add(name, words=words, outcome=said, by="pete")
    seen = looks.of(name)
    assert [one.words for one in seen] == [0, 0, 10, 20, 20, 25, 25]
    assert (early(seen, 20), early(seen, 21), early(seen, 26)) == (2, 3, 3)
    outcome = outcome_of(made.lab, made.evaluation)
    assert (len(outcome.looks), outcome.early_looks) == (7, 0)
