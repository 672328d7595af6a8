"""The commands of judging without a screen: query sets, asking them, and what was answered."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any

import typer

from console_core.cli.agreement import show_agreement
from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.errors import Refused
from console_core.judging.asking import MOST_DEPTH, USUAL_DEPTH
from console_core.judging.boards import board_of
from console_core.judging.cutoffs import cutoff
from console_core.judging.query_files import Format, format_of, read_questions, repeated
from console_core.judging.query_lists import from_captions
from console_core.judging.query_sets import QuerySet, QuerySets
from console_core.judging.snapshots import Snapshot, as_trec
from console_core.querylab.shifts import PERSISTENCE
from console_core.runs.types import RunState
from console_core.runs.wording import count

Version = Annotated[int | None, typer.Option("--version", help="Of the query set; by default the newest.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("query-set")(query_set)
    app.command("query-sets")(query_sets)
    for function in (ask, results, threshold):
        app.command()(function)


def query_set(
    name: str,
    file: Annotated[Path | None, typer.Option("--from", help="A file of questions.")] = None,
    as_format: Annotated[
        Format | None, typer.Option("--as", help="What the file is: by default what its name ends in says, else lines.")
    ] = None,
    captions: Annotated[int, typer.Option("--captions", help="So many captions of the catalog, from all of it.")] = 0,
    version: Version = None,
    as_json: Json = False,
) -> None:
    """Keep questions as the next version of a query set; without any, show those that it has."""
    if file is not None and captions:
        raise typer.BadParameter("Give a file with --from, or a number of --captions.")
    if file is None and not captions:
        with opened() as console:
            found = console.lab.query_sets.get(name, version)
            _show_set(console.lab.query_sets, found, as_json)
        return
    with opened(owner="embedding-console query-set") as console:
        if file is not None:
            kind = as_format or format_of(file.name)
            of_file = read_questions(read(file), kind)
            asked, origin, said = of_file.questions, f"{file.name}, {kind}", of_file.text
        else:
            asked, origin = from_captions(console.catalog.rows(), most=captions), "captions of the catalog"
            said = repeated(asked)
        made = command(console, actor_of(console), "save_query_set", query_set=name, queries=asked, origin=origin)
        _show_set(console.lab.query_sets, made, as_json, said)


def query_sets(as_json: Json = False) -> None:
    """The query sets, each in its newest version."""
    with opened() as console:
        found = console.lab.query_sets.all()
    lines = [f"{one.label}  {count(one.size, 'question')}  {one.origin}  {one.made_by}" for one in found]
    show([_json(one) for one in found], as_json, lines or ["There is no query set yet."])


def ask(
    query_set: str,
    columns: Annotated[
        list[str],
        typer.Argument(help="Collections or aliases, the reference first; images~exact is one searched exactly."),
    ],
    depth: Annotated[int, typer.Option("--depth", min=1, max=MOST_DEPTH, help="Answers to each question.")] = (
        USUAL_DEPTH
    ),
    version: Version = None,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Even where the newest encoder check of a column is red.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask a query set of one to four collections, in the foreground, and keep the answers for ever."""
    with opened(owner="embedding-console ask") as console:
        wanted: dict[str, Any] = {"query_set": query_set, "columns": columns, "depth": depth, "version": version}
        run = command(console, actor_of(console), "ask_query_set", **wanted, unchecked=unchecked)
        for line in _encoder_lines(console.lab.snapshots.get(run.spec["snapshot"])):
            typer.echo(line, err=True)
        run = in_foreground(console, run, run.title)
    snapshot = (run.result or {}).get("snapshot", "")
    lines = [f"{run.id} {run.state}: {count(run.counts.done, 'question')} answered", f"`results {snapshot}` shows them"]
    if run.state is not RunState.SUCCEEDED:
        lines = [lines[0], run.reason, run.remedy]
    show({**run_json(run), "snapshot": snapshot}, as_json, lines)
    if run.state is not RunState.SUCCEEDED:
        raise typer.Exit(1)


def results(
    snapshot: Annotated[str, typer.Argument(help="Of `ask`; without one they are listed.")] = "",
    as_trec_of: Annotated[int, typer.Option("--trec", help="The run file of this column, the first is 1.")] = 0,
    as_csv: Annotated[bool, typer.Option("--csv", help="All answers as CSV.")] = False,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="How much the answers change, question by question, the most first.")
    ] = False,
    column: Annotated[int, typer.Option("--column", help="Which column's answers, beside those of the first one.")] = 2,
    k: Annotated[int | None, typer.Option("--k", help="How many of the first answers; by default 10.")] = None,
    p: Annotated[float, typer.Option("--p", help="Of RBO: the lower, the more the first places count.")] = PERSISTENCE,
    as_json: Json = False,
) -> None:
    """What was answered to query sets: all snapshots, or one of them."""
    if agreement and not snapshot:
        raise typer.BadParameter("Name a snapshot with --agreement.")
    with opened() as console:
        kept = console.lab.snapshots
        if not snapshot:
            found = kept.all(limit=200)
            lines = [f"{one.id}  {one.label}  {one.made_at:%Y-%m-%d %H:%M}" for one in found]
            show([_told(one) for one in found], as_json, lines or ["Nothing was asked yet."])
            return
        one = kept.get(snapshot)
        if agreement:
            show_agreement(one, column - 1, board_of(console.lab, one, other=column - 1, k=k, p=p), as_json)
            return
        answers = kept.answers(one.id)
        asked = {each.id: each.label for each in console.lab.asked(one)}
    if as_trec_of:
        if as_trec_of > len(one.columns):
            raise typer.BadParameter(f"There are {len(one.columns)} columns.")
        print("\n".join(as_trec(one, as_trec_of - 1, answers)))
        return
    rows = [
        [
            *(asked.get(each.query, ""), each.query, one.columns[each.column].name),
            *(rank, hit.key, hit.id, hit.score, hit.percentile),
        ]
        for each in answers
        for rank, hit in enumerate(each.ranked, start=1)
    ]
    names = ["question", "query", "column", "rank", "key", "id", "score", "percentile"]
    if as_csv:
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerows([names, *rows])
        print(written.getvalue(), end="")
        return
    document = {**_told(one), "answers": [dict(zip(names, row, strict=True)) for row in rows]}
    document["errors"] = [{"query": each.query, "error": each.error} for each in answers if each.error]
    show(document, as_json, [f"{row[0]}  {row[2]}  {row[3]}  {row[4]}  {row[6]:.4f}" for row in rows])


def threshold(
    snapshot: Annotated[str, typer.Argument(help="Of `ask`.")],
    cut_off: Annotated[float, typer.Argument(help="The score from which on an answer counts in the old column.")],
    old: Annotated[int, typer.Option("--old", min=1, help="The old column; the first is 1.")] = 1,
    new: Annotated[int, typer.Option("--new", min=1, help="The new column.")] = 2,
    evaluation: Annotated[str, typer.Option("--evaluation", help="Keep the precision by its grades.")] = "",
    as_python: Annotated[bool, typer.Option("--python", help="As a few lines for the application.")] = False,
    as_json: Json = False,
) -> None:
    """What an application's threshold is in another model: as precise, or as many answers; with an interval."""
    with opened() as console:
        lab = console.lab
        judged = lab.judgements.get(evaluation) if evaluation else None
        found = cutoff(lab, lab.snapshots.get(snapshot), cut_off, old=old - 1, new=new - 1, evaluation=judged)
        if as_python:
            print(found.python(), end="")
        elif as_json:
            print(found.json())
        else:
            print(found.text)
    if found.found.new is None:
        raise typer.Exit(1)


def _show_set(sets: QuerySets, one: QuerySet, as_json: bool, said: str = "") -> None:
    asked = sets.queries(one)
    lines = [f"{one.label}: {count(one.size, 'question')}, {one.origin}", *([said] if said else [])]
    lines += [f"  {each.label}" + (f"  [{', '.join(each.tags)}]" if each.tags else "") for each in asked]
    questions = [{"id": each.id, "text": each.text, "like": each.like, "tags": each.tags} for each in asked]
    show({**_json(one), "questions": questions}, as_json, lines)


def _json(one: QuerySet) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "questions": one.size,
        "origin": one.origin,
        "digest": one.digest,
        "made_by": one.made_by,
        "made_at": one.made_at.isoformat(),
    }


def _told(one: Snapshot) -> dict[str, Any]:
    return {
        "snapshot": one.id,
        "query_set": one.set_name,
        "version": one.set_version,
        "depth": one.depth,
        "digest": one.digest,
        "made_by": one.made_by,
        "made_at": one.made_at.isoformat(),
        "columns": [
            {
                **{name: getattr(each, name) for name in ("asked", "collection", "model", "fingerprint")},
                "way": each.way.value,
                "encoder": each.encoder.as_json() | {"text": each.encoder.text} if each.encoder else None,
            }
            for each in one.columns
        ],
    }


def _encoder_lines(one: Snapshot) -> list[str]:
    """A warning for each collection whose encoder is not known to be right."""
    return [
        f"{each.collection}: {each.encoder.text}. `encoder-check {each.collection}` tells a model that is fed wrongly."
        for each in {column.collection: column for column in one.columns}.values()
        if each.encoder is not None and each.encoder.state != "green"
    ]


def read(file: Path) -> bytes:
    """What is in a file.

    Raises:
        Refused: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.", "Name a file that is there.") from error
