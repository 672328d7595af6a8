"""The command that fills what is missing: in the collection, and in the column of the application's table."""

from typing import Annotated, Any

import typer

from console_core.catalog.types import CatalogInfo
from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.commands.generating import Where, forecast_generation
from console_core.console import Console
from console_core.errors import Refused
from console_core.migration.filling import QUARANTINED
from console_core.migration.generate import COLUMN, TOUCHED
from console_core.migration.generating import Forecast
from console_core.runs.types import Run, RunState

USER = "user_id"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(generate)


def generate(
    into: Annotated[str, typer.Option(help="The collection; without it the one that the only alias serves.")] = "",
    model: Annotated[str, typer.Option(help="Of a collection that is not there yet: the model that makes it.")] = "",
    user: Annotated[str, typer.Option(help="Only this user's pictures.")] = "",
    where: Annotated[
        list[str] | None, typer.Option(help="Only pictures with this value, as FACET=VALUE; can be repeated.")
    ] = None,
    batch: Annotated[int, typer.Option(min=0, max=10_000, help="Pictures at a time; 0: as usual.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be done, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Embed what is missing, write the vectors to the table's embedding column, and bring the two in step."""
    with opened(owner="" if dry_run else "embedding-console generate", dry=dry_run) as console:
        chosen, by = _chosen(console.catalog.info(), user, where or [])
        asked: dict[str, Any] = {"into": into, "model": model, "where": chosen, "batch_size": batch}
        if dry_run:
            found = forecast_generation(console, **asked)
        else:
            queued = command(console, actor_of(console), "generate", **asked)
            run = in_foreground(console, queued, f"Generating into {queued.target}")
            finish_generation(console, run, as_json, by)
    if dry_run:
        show({**found.as_json(), "where": chosen}, as_json, [*by, *_forecast_lines(found)])


def finish_generation(console: Console, run: Run, as_json: bool, said: list[str] | None = None) -> None:
    """Print what became of a run; exit code 1 where not everything is in step."""
    written = (run.result or {}).get(COLUMN, {})
    failures = console.ledger.failure_counts(run.id)
    document = run_json(run) | {
        "column": written,
        "column_rows": sum(written.values()),
        "failures": failures,
    }
    lines = [*(said or []), f"{run.id} {run.state}: {run.reason}"]
    lines.append(f"embedded into {run.target}: {document['embedded']:,}; rows of the column written: {_told(written)}")
    if touched := (run.result or {}).get(TOUCHED):
        lines.append(
            f"a trigger of the table moved {touched:,} times of change with that: {run.target} takes these rows for "
            "unchanged, and other collections take them for edited"
        )
    if failures:
        lines.append(f"failed: {_classes(failures)}; `embedding-console failures {run.target}` lists them")
    show(document, as_json, lines)
    if run.state is not RunState.SUCCEEDED or run.counts.failed or QUARANTINED in run.counts.skipped:
        raise typer.Exit(1)


def _forecast_lines(found: Forecast) -> list[str]:
    lines = [
        f"{found.selected:,} pictures are looked at, with {found.model}, for {found.collection}",
        f"to be embedded and written to the store: {found.embed:,}",
        f"rows of the column to be written: {_told(found.column)}",
    ]
    if found.undecided:
        lines.append(f"rows that can be compared only once their picture is embedded: {found.undecided:,}")
    if found.quarantined:
        lines.append(f"in quarantine, and passed over: {found.quarantined:,}")
    return [*lines, "Nothing was written."]


def _told(reasons: "dict[str, int] | Any") -> str:
    total = sum(reasons.values())
    return f"{total:,}" + (f" ({_classes(reasons)})" if total else "")


def _classes(numbers: "dict[str, int] | Any") -> str:
    ranked = sorted(numbers.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {name}" for name, number in ranked)


def _chosen(info: CatalogInfo, user: str, where: list[str]) -> tuple[Where, list[str]]:
    """Values by facet, and what is to be said of how --user was understood."""
    values: dict[str, list[str]] = {}
    for text in where:
        facet, sign, value = text.partition("=")
        if not sign or facet not in info.facets:
            known = ", ".join(info.facets) or "none; name some in [catalog] facets"
            raise Refused(f"--where {text} names no facet of the catalog.", f"Write FACET=VALUE; facets are: {known}.")
        values.setdefault(facet, []).append(value)
    said: list[str] = []
    if user:
        if not info.facets:
            raise Refused(
                "The catalog has no facet to find a user by.", 'Name the column in [catalog]: facets = ["user_id"].'
            )
        facet = USER if USER in info.facets else info.facets[0]
        if facet in values:
            raise Refused(f"--user and --where both choose by {facet}.", "Leave one of them out.")
        values[facet] = [user]
        if facet != USER or len(info.facets) > 1:
            said.append(f'--user {user} means the pictures whose {facet} is "{user}".')
    return values, said
