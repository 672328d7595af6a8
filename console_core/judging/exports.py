"""An evaluation as files for other programs: CSV tables, the outcome as JSON, TREC run files and qrels."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from console_core.catalog.thumbnails import Thumbnails
from console_core.judging.desk import Desk
from console_core.judging.grade_lists import guarded
from console_core.judging.judgements import TIE, CountedVote, Evaluation, Judgement, combined
from console_core.judging.judges import counting
from console_core.judging.named_columns import letters
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.query_rows import Cell
from console_core.judging.records import LabRecords
from console_core.judging.report import html_of, refuse_unrevealed
from console_core.judging.snapshots import KEY_SIGNS, as_trec
from console_core.querylab.rankings import Query

_OPENED = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive, so that the same evaluation gives the same bytes."""
_METRICS = ("ndcg", "p", "rr", "recall")


def report_files(lab: LabRecords, evaluation: Evaluation, thumbnails: Thumbnails) -> dict[str, bytes]:
    """All files of a report by their names: report.html, outcome.json, queries.csv, judgements.csv or votes.csv, and
    where pictures were graded qrels.txt, the grades that count; and a run file for each column, run-A.txt.

    Raises:
        Refused: the models were not told yet.
        NotFound: its snapshot or its query set is not there.
    """
    refuse_unrevealed(evaluation)
    outcome = outcome_of(lab, evaluation)
    snapshot = lab.snapshots.get(evaluation.snapshot)
    answers = lab.readings.of(snapshot).answers
    desk = lab.desk(evaluation)
    asked = desk.queries
    files = {
        "report.html": html_of(outcome, lab.snapshots, thumbnails),
        "outcome.json": json.dumps(outcome.to_json(), ensure_ascii=False, indent=1, allow_nan=False),
    }
    if evaluation.way == "grades":
        given = lab.judgements.of(evaluation.id)
        files["queries.csv"] = queries_csv(outcome)
        files["judgements.csv"] = judgements_csv(given, asked)
        files["qrels.txt"] = qrels(counting(given, desk.pools))
    else:
        files["votes.csv"] = votes_csv(lab.judgements.votes(evaluation.id), evaluation, asked)
    for letter, place in zip(letters(evaluation), evaluation.columns, strict=True):
        files[f"run-{letter}.txt"] = _lines(as_trec(snapshot, place, answers))
    return {name: text.encode("utf-8", "surrogatepass") for name, text in files.items()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The files in one zip archive; the same files give the same bytes."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _OPENED), data, zipfile.ZIP_DEFLATED)
    return written.getvalue()


def queries_csv(outcome: EvaluationOutcome) -> str:
    """A row for each query that counts, the largest loss first: what it asks, its tags, each column's metrics with
    Judged@k, and the difference of each further column to A. Metrics and difference are empty where the verdict is
    withheld."""
    names = [f"{column.letter}_{name}" for column in outcome.columns for name in (*_METRICS, "judged")]
    apart = [f"{one.letter}_less_A" for one in outcome.comparisons]
    rows: list[Sequence[object]] = [("query", "question", "tags", "chance", *names, *apart)]
    for row in outcome.queries:
        values = [value for cell in row.cells for value in _values(cell)]
        numbers = ("" if value is None else value for value in (row.chance, *values, *row.differences))
        rows.append((row.query.id, row.query.label, "|".join(row.query.tags), *numbers))
    return _table(rows)


def judgements_csv(given: Sequence[Judgement], asked: Mapping[str, Query]) -> str:
    """A row for each grade that counts, as `grades --from` reads it again."""
    rows: list[Sequence[object]] = [("query", "question", "key", "grade", "judge", "at")]
    for one in sorted(given, key=lambda one: one.number):
        label = asked[one.query].label if one.query in asked else ""
        rows.append((one.query, label, one.key, one.grade, one.judge, one.at.isoformat()))
    return _table(rows)


def sheet_of(desk: Desk, mine: Sequence[Judgement]) -> tuple[str, int]:
    """A table of what a judge has not graded yet, in the order in which judges are shown it, for `grades --from`; and
    how many pictures it has. It tells nothing of which column found them."""
    graded = {(one.query, one.key) for one in mine}
    rows: list[Sequence[object]] = [
        (query, desk.queries[query].label, key, "")
        for query, pool in desk.pools.items()
        for key in pool
        if (query, key) not in graded
    ]
    return _table([("query", "question", "key", "grade"), *rows]), len(rows)


def votes_csv(votes: Sequence[CountedVote], evaluation: Evaluation, asked: Mapping[str, Query]) -> str:
    """A row for each vote that counts; columns are named by their letters, and a tie has no winner."""
    named = dict(zip(evaluation.columns, letters(evaluation), strict=True)) | {TIE: ""}
    rows: list[Sequence[object]] = [("query", "question", "x", "y", "winner", "judge", "at")]
    for one in sorted(votes, key=lambda one: one.number):
        label = asked[one.query].label if one.query in asked else ""
        places = named[one.x], named[one.y], named[one.winner]
        rows.append((one.query, label, *places, one.judge, one.at.isoformat()))
    return _table(rows)


def qrels(given: Sequence[Judgement]) -> str:
    """TREC qrels of these judges together: query, 0, picture and grade. Keys are written as in run files."""
    grades = combined(given)
    return _lines(
        f"{query} 0 {quote(key, safe=KEY_SIGNS)} {grade}"
        for query in sorted(grades)
        for key, grade in sorted(grades[query].items())
    )


def _values(cell: Cell) -> list[float | None]:
    return [*(getattr(cell.scores, name) if cell.scores else None for name in _METRICS), cell.judged]


def _table(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO(newline="")
    safe = ([guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    csv.writer(written, lineterminator="\r\n").writerows(safe)
    return written.getvalue()


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
