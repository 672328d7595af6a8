"""The manners of a run, or the defaults: shown, and changed with the options."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from console_core.cli.foreground import actor_of, opened
from console_core.cli.output import Json, show
from console_core.commands import command
from console_core.errors import Refused
from console_core.runs.ledger import Ledger
from console_core.runs.manners import Hours, Manners
from console_core.runs.manners_records import DEFAULTS, MannersChange
from console_core.runs.snapshot import duration


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(manners)


def manners(
    run: Annotated[str, typer.Argument(help="The run; without it, the defaults of all runs that have none.")] = "",
    rate: Annotated[float | None, typer.Option(help="Pictures per second; 0: no limit.")] = None,
    batch: Annotated[int | None, typer.Option(help="Pictures in a batch; 0: as planned.")] = None,
    polite: Annotated[bool | None, typer.Option("--polite/--impolite", help="Yield to searches.")] = None,
    hours: Annotated[str | None, typer.Option(help="Allowed hours by the server's clock: 22:00-06:00, or any.")] = None,
    follow: Annotated[bool, typer.Option("--follow-defaults", help="Forget those that were set.")] = False,
    as_json: Json = False,
) -> None:
    """How a run behaves towards others: batch size, rate, politeness, hours. The options change it."""
    changes: dict[str, Any] = {"rate": rate, "batch_size": batch, "polite": polite}
    changes = {name: value for name, value in changes.items() if value is not None}
    asked = follow or bool(changes) or hours is not None
    with opened(owner="embedding-console manners" if asked else "") as console:
        ledger = console.ledger
        if run:
            run = ledger.get(run).id
        change = None
        if asked:
            wanted = None if follow else _wanted(ledger.manners.of(run), changes, hours)
            if follow and (changes or hours is not None):
                raise Refused("--follow-defaults forgets what the other options set.", "Leave one of them out.")
            change = command(console, actor_of(console), "set_manners", run=run, manners=wanted)
        found = _json(ledger, run)
        lines = _lines(ledger, run, change)
    show(found, as_json, lines)


def _wanted(now: Manners, changes: dict[str, Any], hours: str | None) -> Manners:
    if hours is not None:
        changes = {**changes, "hours": Hours.read(hours)}
    return replace(now, **changes)


def _json(ledger: Ledger, run: str) -> dict[str, Any]:
    found, own = ledger.manners.of(run), ledger.manners.own(run) is not None
    document = {
        "run": run or None,
        "batch_size": found.batch_size,
        "rate": found.rate,
        "polite": found.polite,
        "hours": f"{found.hours.opens:%H:%M}-{found.hours.closes:%H:%M}" if found.hours else "any",
    }
    if run == DEFAULTS:
        return document
    waited = {str(cause): round(seconds, 1) for cause, seconds in ledger.waits.of(run).items()}
    return {**document, "own": own, "reason": ledger.get(run).reason, "waited": waited}


def _lines(ledger: Ledger, run: str, change: MannersChange | None) -> list[str]:
    lines = [f"Changed: {change}"] if change else []
    lines += [f"{name:10}  {text}" for name, text in ledger.manners.of(run).words().items()]
    if run == DEFAULTS:
        return lines
    lines.append("its own" if ledger.manners.own(run) else "follows the defaults")
    lines += [f"waited {duration(seconds)}: {cause}" for cause, seconds in ledger.waits.of(run).items()]
    reason = ledger.get(run).reason
    return [*lines, reason] if reason else lines
