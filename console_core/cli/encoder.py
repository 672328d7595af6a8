"""The command that checks a collection's encoder before anything is compared with it."""

from collections.abc import Iterator
from typing import Annotated

import typer

from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.querylab.encoder_report import EncoderReport, Level


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(encoder_check)


def encoder_check(
    collection: str,
    captions: Annotated[
        str | None, typer.Option("--captions", help="The payload field that describes the pictures.")
    ] = None,
    no_captions: Annotated[bool, typer.Option("--no-captions", help="Do not hold texts against pictures.")] = False,
    as_json: Json = False,
) -> None:
    """Embed at least 50 stored pictures again, hold captions against them, and compare the model with its files."""
    with opened(owner="embedding-console encoder-check") as console:
        field = "" if no_captions else captions
        run = command(console, actor_of(console), "check_encoder", collection=collection, captions=field)
        finished = in_foreground(console, run, f"Checking the encoder of {run.target}")
    if finished.result is None:
        show(run_json(finished), as_json, [f"{finished.id} {finished.state.value}: {finished.reason}"])
        raise typer.Exit(1)
    document = {"run": finished.id, "state": finished.state.value, **finished.result}
    report = EncoderReport.from_json(finished.result)
    show(document, as_json, list(encoder_lines(report)))
    if not report.is_green:
        raise typer.Exit(1)


def encoder_lines(report: EncoderReport) -> Iterator[str]:
    """A report for people: its figures, its findings with their remedies, and the verdict last."""
    found = report.compared
    yield (
        f"vectors: {found.agreeing:,} of {found.pictures:,} pictures embedded again agree, cosine {found.lowest:.5f} "
        f"at the lowest, {found.median:.5f} in the median, {found.threshold:g} expected"
    )
    lengths = report.lengths
    yield f"lengths: {lengths.lowest:.4g} to {lengths.highest:.4g}, of {lengths.points:,} points"
    if (told := report.captions) is not None:
        among = ", ".join(f"{one.share:.0%} among the first {one.k} (chance {one.chance:.0%})" for one in told.recall)
        yield (
            f"captions: {told.texts:,} texts of {told.field} find their own picture at rank {told.median_rank:g} in "
            f"the median (chance {told.chance_rank:g}), {among}; p = {told.p:.4f}"
        )
    for setting in report.settings:
        yield f"{'ok ' if setting.fits else 'RED'}  {setting.part}: {setting.found}"
    for finding in report.findings:
        sign = "RED" if finding.level is Level.RED else finding.level.value
        yield f"{sign}  {finding.code}: {finding.message} {finding.remedy}".rstrip()
    yield "green" if report.is_green else "red"
