"""The commands about runs: the newest ones, and one of them with what limits it."""

from typing import Annotated, Any

import typer

from console_core.cli.foreground import opened
from console_core.cli.output import Json, run_json, show
from console_core.engine.limit import limit, percent
from console_core.engine.pace import Pace
from console_core.migration.reembed import DECODERS
from console_core.runs.owner import is_owned
from console_core.runs.types import WORKING, Run, RunState
from console_core.runs.wording import decoded


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(runs)


def runs(
    run: Annotated[
        str, typer.Argument(help="Show this run only, with how its pictures were decoded and what limits it.")
    ] = "",
    as_json: Json = False,
) -> None:
    """The newest runs, or one of them."""
    with opened() as console:
        newest = [console.ledger.get(run)] if run else console.ledger.runs()
        recorded = console.ledger.pace(run) if run else None
        abandoned = any(run.state in WORKING for run in newest) and not is_owned(console.database)
    found = [run_json(run, abandoned=abandoned) for run in newest]
    lines = [_line(one) for one in found]
    lines += [
        f"Nobody works on {one['run']} any more: go on with `embedding-console resume {one['run']}`."
        for one in found
        if one["left_open"]
    ]
    if not run:
        show(found, as_json, lines or ["No runs yet."])
        return
    (one,) = found
    pace = Pace.from_json(recorded.pace) if recorded is not None else None
    works = newest[0].state in WORKING and not abandoned
    limited = limit(pace, ended=not works) if pace is not None else None
    if DECODERS in one:
        lines.append(f"{one['mode']} mode" + (f", decoded {decoded(one[DECODERS])}" if one[DECODERS] else ""))
    if pace is not None:
        lines += [str(limited), *_stages(pace, works=works), *_machine(newest[0], pace)]
    show({**one, "limit": limited, "pace": pace.as_json() if pace is not None else None}, as_json, lines)


def _line(run: dict[str, Any]) -> str:
    state = "left open" if run["left_open"] else run["state"]
    waits = run["state"] in (RunState.QUEUED, RunState.RUNNING) and not run["left_open"] and run["reason"]
    books = f"{run['run']}  {state:11}  {run['kind']:8}  {run['done']:,}/{run['selected']:,}  {run['target']}"
    return books + (f"  {run['reason']}" if waits else "")


def _stages(pace: Pace, *, works: bool) -> list[str]:
    stretch = pace.recent if works else pace.overall
    return [
        f"  {stage:6}  {load.rate:10,.1f} pictures/s  {percent(load.busy):>4} busy"
        for stage, load in stretch.loads.items()
    ]


def _machine(run: Run, pace: Pace) -> list[str]:
    more, stated = max(pace.memory - pace.memory_before, 0), run.spec.get("memory") or pace.bound
    return [
        f"on {pace.where}, {pace.device}, {pace.mode} mode, batches of {pace.batch}",
        f"memory: {pace.memory / 1e6:,.0f} MB taken, {more / 1e6:,.0f} MB more than before the run; "
        f"stated: at most {stated / 1e6:,.0f} MB more",
        *(
            f"{card.name}: {'' if card.busy is None else f'{percent(card.busy)} busy, '}"
            f"{card.taken / 1e9:,.1f} of {card.memory / 1e9:,.1f} GB taken"
            for card in pace.cards
        ),
        *pace.notes,
    ]
