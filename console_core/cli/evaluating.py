"""The commands of an evaluation without a screen: begun, judged from a file, looked at, revealed and reported."""

import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from console_core.cli.foreground import actor_of, opened
from console_core.cli.judging import read
from console_core.cli.output import Json, show
from console_core.commands import command
from console_core.errors import Refused
from console_core.judging.exports import report_files, sheet_of, zipped
from console_core.judging.judgements import Evaluation
from console_core.judging.outcome import EvaluationOutcome, outcome_of
from console_core.judging.protocol import Gain, Metric, Protocol, Scale
from console_core.judging.query_lists import decoded
from console_core.judging.wording import judges as judges_in
from console_core.judging.wording import locked, looked, measured, share, uncompared
from console_core.runs.wording import count
from console_core.vectorstore.ways import Search

_EXIT = {True: 0, False: 1, None: 2}
"""Of `verdict`: no column is worse, one is, or that is not known."""
Name = Annotated[str, typer.Argument(metavar="EVALUATION", help="Of `evaluate`; `evaluations` lists them.")]


class As(StrEnum):
    """What a file of grades is."""

    CSV = "csv"
    QRELS = "qrels"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (evaluate, evaluations, grades, verdict, reveal, report):
        app.command()(function)


def evaluate(
    snapshot: Annotated[str, typer.Argument(help="Of `ask`; `results` lists them.")],
    columns: Annotated[str, typer.Option(help="Which columns, the reference first: 1,2.")] = "1,2",
    metric: Annotated[str, typer.Option(help=f"The one that decides: {', '.join(get_args(Metric))}.")] = "nDCG",
    k: Annotated[int, typer.Option("--k", help="How many answers of each column are judged.")] = 10,
    margin: Annotated[float, typer.Option(help="The largest mean loss that is accepted, in the metric's unit.")] = 0.05,
    scale: Annotated[str, typer.Option(help=f"Of grades: {', '.join(get_args(Scale))}.")] = "graded",
    gain: Annotated[str, typer.Option(help=f"What a grade is worth: {', '.join(get_args(Gain))}.")] = "exponential",
    queries: Annotated[int, typer.Option(help="How many are judged; 0 for all that the columns answer apart.")] = 0,
    seed: Annotated[
        int | None, typer.Option(help="Of what chance decides; nobody knows it beforehand if none is given.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Of each bound; of several comparisons, of all together.")] = 0.95,
    votes: Annotated[bool, typer.Option("--votes", help="Judges vote between whole lists, and grade nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Lock how columns of a snapshot are judged, and begin to judge them blindly."""
    with opened(owner="embedding-console evaluate") as console:
        told: dict[str, Any] = {"metric": metric, "scale": scale, "gain": gain}
        protocol = Protocol(
            k=k,
            margin=margin,
            queries=queries,
            seed=secrets.randbelow(2**31) if seed is None else seed,
            confidence=confidence,
            **told,
        )
        wanted = {"snapshot": snapshot, "columns": _places(columns), "protocol": protocol}
        wanted["way"] = "votes" if votes else "grades"
        made: Evaluation = command(console, actor_of(console), "begin_evaluation", **wanted)
        desk = console.lab.desk(made)
        much = desk.voted([]).of if votes else desk.graded([]).of
        kept = console.lab.snapshots.get(made.snapshot)
        before = [one.text for one in console.lab.siblings.of(kept, made.columns, before=made.made_at)]
        document = _told(made, 0) | {"queries_to_judge": len(desk.sample.queue), "to_judge": much}
        document |= {"warnings": before}
    pieces = count(much, "vote" if votes else "picture")
    lines = [f"{made.id}: {count(len(desk.sample.queue), 'question')} to judge, {pieces}."]
    lines.append(f"Locked: {document['locked']}.")
    if not much:
        lines.append(f"All columns answer every question alike, and nothing needs a judge: see `verdict {made.id}`.")
    elif not votes:
        lines.append(f"Judge them in the browser, or from a file with `grades {made.id} --from FILE`.")
    show(document, as_json, [*lines, *before])


def evaluations(as_json: Json = False) -> None:
    """The evaluations, the newest first. Models are not named: judges may look here."""
    with opened() as console:
        known = console.lab.judgements.all(limit=200)
        judged = console.lab.judgements.standing([one.id for one in known])
        found = [_told(one, judged.get(one.id, 0)) for one in known]
    lines = [
        f"{one['evaluation']}  {one['snapshot']}  {one['way']}  {one['locked']}  "
        f"{one['judged']:,} judged  {'revealed' if one['revealed_at'] else 'blind'}"
        for one in found
    ]
    show(found, as_json, lines or ["Nothing was evaluated yet."])


def grades(
    evaluation: Name,
    file: Annotated[
        Path | None, typer.Option("--from", help="CSV with query, key, grade and judge; or TREC qrels.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option("--sheet", help="Write what you have not graded yet, to fill in.")
    ] = None,
    as_format: Annotated[
        As | None, typer.Option("--as", help="What the file is: by default csv where it ends so, else qrels.")
    ] = None,
    before_lock: Annotated[
        bool, typer.Option("--before-lock", help="Even grades that were given before the protocol was locked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take grades from a file, all of them or none; or write a sheet of the pictures that want a grade, blindly."""
    if (file is None) == (sheet is None):
        raise typer.BadParameter("Give a file with --from, or one to write with --sheet.")
    if sheet is not None:
        _write_sheet(evaluation, sheet, as_json)
        return
    assert file is not None
    with opened(owner="embedding-console grades") as console:
        kind = as_format or (As.CSV if file.suffix.lower() in (".csv", ".tsv") else As.QRELS)
        wanted = {"evaluation": evaluation, "told": decoded(read(file)), "file": file.name, "before_lock": before_lock}
        wanted["qrels"] = kind is As.QRELS
        taken: int = command(console, actor_of(console), "import_grades", **wanted)
        outcome = outcome_of(console.lab, console.lab.judgements.get(evaluation))
    left = f"{outcome.pictures.unjudged:,} of {outcome.pictures.all:,} pictures have none yet"
    document = {"taken": taken, "unjudged": outcome.pictures.unjudged, "warnings": outcome.warnings}
    show(document, as_json, [f"{taken:,} grades taken; {left}.", *outcome.warnings])


def _write_sheet(evaluation: str, sheet: Path, as_json: bool) -> None:
    with opened() as console:
        of = console.lab.judgements.get(evaluation)
        desk = console.lab.desk(of)
        text, rows = sheet_of(desk, console.lab.judgements.of(of.id, actor_of(console).name))
        try:
            sheet.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise Refused(f"{sheet} cannot be written: {error.strerror}.", "Choose another place.") from error
    lines = [f"{sheet}: {rows:,} pictures to grade from 0 to {of.protocol.highest}."]
    show({"sheet": str(sheet), "pictures": rows}, as_json, lines)


def verdict(evaluation: Name, as_json: Json = False) -> None:
    """Whether a column is worse than the first one. Exit code 0: none is; 1: one is; 2: that is not known.

    Before the models are told each look is written down. Of votes: 0 where each column is preferred to the first one.
    """
    with opened() as console:
        revealed = console.lab.judgements.get(evaluation).revealed_at is not None
    with opened(owner="" if revealed else "embedding-console verdict") as console:
        outcome: EvaluationOutcome
        if revealed:
            outcome = outcome_of(console.lab, console.lab.judgements.get(evaluation))
        else:
            outcome = command(console, actor_of(console), "look_at_verdict", evaluation=evaluation)
    show(outcome.to_json(), as_json, _verdict_lines(outcome))
    if code := _EXIT[outcome.decides]:
        raise typer.Exit(code)


def reveal(
    evaluation: Name,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Even where there is no verdict yet.")] = False,
    as_json: Json = False,
) -> None:
    """End the judging for good, and tell which model is which."""
    with opened(owner="embedding-console reveal") as console:
        of = console.lab.judgements.get(evaluation)
        if of.revealed_at is None and not unfinished and outcome_of(console.lab, of).withheld:
            raise Refused(
                f"{evaluation} has no verdict yet, and nothing more is judged once the models are told.",
                f"`verdict {evaluation}` says what it lacks; --unfinished ends it as it is.",
            )
        told: Evaluation = command(console, actor_of(console), "reveal", evaluation=evaluation)
        outcome = outcome_of(console.lab, told)
    lines = [
        f"{one.letter}: {one.collection}  {one.model or 'unknown model'}"
        + ("" if one.way == Search.USUAL else f"  {one.way}")
        for one in outcome.columns
    ]
    show(outcome.to_json()["columns"], as_json, lines)


def report(
    evaluation: Name,
    into: Annotated[Path, typer.Option("--into", help="A folder, or a file that ends in .zip.")],
    as_json: Json = False,
) -> None:
    """Write the report, its tables, run files and qrels, once the models were told."""
    with opened() as console:
        files = report_files(console.lab, console.lab.judgements.get(evaluation), console.thumbnails)
        try:
            if into.suffix.lower() == ".zip":
                into.parent.mkdir(parents=True, exist_ok=True)
                into.write_bytes(zipped(files))
            else:
                into.mkdir(parents=True, exist_ok=True)
                for name, data in files.items():
                    (into / name).write_bytes(data)
        except OSError as error:
            raise Refused(f"{into} cannot be written: {error.strerror}.", "Choose another place.") from error
    show({"into": str(into), "files": list(files)}, as_json, [f"{into}: {', '.join(files)}"])


def _places(columns: str) -> list[int]:
    """Columns as people count them, from 1."""
    numbers = columns.replace(",", " ").split()
    if not all(number.isdecimal() and int(number) for number in numbers):
        raise Refused(f"{columns} names no columns.", "Name them by their numbers from 1, as 1,2.")
    return [int(number) - 1 for number in numbers]


def _verdict_lines(outcome: EvaluationOutcome) -> list[str]:
    lines = [
        f"{one.letter}: {one.label}, {one.fed}" + (f", {one.twin_of}'s twin" if one.twin_of else "")
        for one in outcome.columns
        if one.collection
    ]
    lines += [pair.text for pair in outcome.ballots.pairs] if outcome.ballots else []
    for one in outcome.comparisons:
        reasons = [each.text for each in one.verdict.reasons]
        lines += [f"No verdict on {one.letter}.", *reasons] if reasons else [one.text]
        lines += [one.attributed.text] if one.attributed else []
        lines += [said] if (said := outcome.advice(one)) else []
        for name, column in (("A", one.verdict.a), (one.letter, one.verdict.b)):
            lines.append(f"  Judged@{outcome.protocol.k} of {name}: {share(column.judged.at_k)}")
    lines += outcome.warnings
    lines += [line for line in (uncompared(outcome.twins), outcome.caution) if line]
    lines += [f"Locked: {locked(outcome.way, outcome.protocol)}"] if outcome.ballots else []
    lines.append(f"Judges: {judges_in(outcome.judges)}")
    lines += [f"Grades: {outcome.imported.text}"] if outcome.imported.grades else []
    lines.append(looked(len(outcome.looks), outcome.early_looks))
    return lines


def _told(one: Evaluation, judged: int) -> dict[str, Any]:
    return {
        "evaluation": one.id,
        "snapshot": one.snapshot,
        "way": one.way,
        "columns": len(one.columns),
        "measure": measured(one.way, one.protocol),
        "margin": one.protocol.margin if one.way == "grades" else None,
        "locked": locked(one.way, one.protocol),
        "digest": one.digest,
        "made_by": one.made_by,
        "made_at": one.made_at.isoformat(),
        "revealed_at": one.revealed_at.isoformat() if one.revealed_at else None,
        "judged": judged,
    }
