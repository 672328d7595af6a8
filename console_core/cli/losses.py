"""The command that measures what a collection's index and quantization lose."""

from collections.abc import Iterator
from typing import Annotated

import typer

from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.querylab.losses_report import LossReport, lost, lost_between


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(losses)


def losses(
    collection: str,
    queries: Annotated[str, typer.Option("--queries", help="A query set; without one captions are asked.")] = "",
    as_json: Json = False,
) -> None:
    """Ask texts and pictures exactly and as usual, and tell what the index and rounding lose; no model has a part."""
    with opened(owner="embedding-console losses") as console:
        run = command(console, actor_of(console), "measure_losses", collection=collection, query_set=queries)
        finished = in_foreground(console, run, f"Measuring the losses of {run.target}")
    if finished.result is None:
        show(run_json(finished), as_json, [f"{finished.id} {finished.state.value}: {finished.reason}"])
        raise typer.Exit(1)
    document = {"run": finished.id, "state": finished.state.value, **finished.result}
    show(document, as_json, list(_lines(LossReport.from_json(finished.result))))


def _lines(report: LossReport) -> Iterator[str]:
    for loss in report.losses:
        yield (
            f"{loss.kind}: {loss.queries:,} queries, their {loss.k} nearest; of 100 the search loses "
            f"{lost(loss.total)} ({lost_between(loss.total)}), the index {lost(loss.index)}, "
            f"rounding {lost(loss.quantization)}; without rescoring {lost(loss.without_rescoring)}"
        )
    if report.texts_from:
        yield f"texts: {report.texts_from}"
    if report.left_out:
        yield f"left out: {report.left_out:,} queries that the collection cannot be asked"
    yield from report.sentences()
