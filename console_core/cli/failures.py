"""Failed pictures of a collection: listed or exported, tried again, put into quarantine and released."""

import sys
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from console_core.catalog.names import told
from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.runs.failures_csv import csv_lines
from console_core.runs.types import RunState

LISTED = 200
"""Failures that are listed for people; JSON and CSV have them all."""
Kind = Annotated[str, typer.Option("--kind", help="Only this class of failure, such as missing.")]
Keys = Annotated[list[str] | None, typer.Option("--key", help="Only this picture; may be given several times.")]


def failures(
    collection: str,
    kind: Kind = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="All of them as CSV on standard output.")] = False,
    as_json: Json = False,
) -> None:
    """The pictures that were tried and are not in a collection, with the class of failure and what is wrong."""
    with opened() as console:
        name = console.store.describe(collection).name
        found = console.failed.all(name, kind=kind)
        if as_csv:
            sys.stdout.writelines(csv_lines(found))
            return
        if as_json:
            show([asdict(one) for one in found], as_json, [])
            return
        counts = console.failed.counts(name)
        shown = console.failed.page(name, kind=kind, limit=LISTED)
    number = counts.get(kind, 0) if kind else sum(counts.values())
    held = Counter(bool(one.quarantined_by) for one in shown)[True]
    lines = [
        f"{told(one.key):>8}  {one.kind:13}  {one.tries} {'try' if one.tries == 1 else 'tries'}  {one.message}"
        + (f"  (quarantined by {one.quarantined_by})" if one.quarantined_by else "")
        for one in shown
    ]
    lines += [f"… and {number - len(shown):,} more: use --csv or --json."] if number > len(shown) else []
    classes = ", ".join(f"{count:,} {of}" for of, count in counts.items())
    lines.append(f"{number:,} failed in {name}" + (f" ({classes})" if not kind and classes else ""))
    lines += [f"{held:,} of those listed are in quarantine."] if held else []
    show(None, False, lines)


def retry(collection: str, kind: Kind = "", key: Keys = None, as_json: Json = False) -> None:
    """Try failed pictures again, in the foreground: all, a class, or named ones. Those in quarantine must be named."""
    _refuse_both(kind, key)
    with opened(owner="embedding-console retry") as console:
        run = command(console, actor_of(console), "retry", collection=collection, kind=kind, keys=key or ())
        finished = in_foreground(console, run, f"Retrying in {run.target}")
    result = run_json(finished)
    lines = [f"{result['run']} {result['state']}: {result['reason']}", finished.remedy]
    show(result, as_json, [line for line in lines if line])
    if finished.state is not RunState.SUCCEEDED:
        raise typer.Exit(1)


def quarantine(collection: str, kind: Kind = "", key: Keys = None, as_json: Json = False) -> None:
    """Put failed pictures into quarantine: no build tries them again, and a verification does not miss them."""
    _mark("quarantine", "into", collection, kind, key, as_json)


def release(collection: str, kind: Kind = "", key: Keys = None, as_json: Json = False) -> None:
    """Take failed pictures out of quarantine: all, a class, or named ones."""
    _mark("release", "out of", collection, kind, key, as_json)


def register(app: typer.Typer) -> None:
    """Make them commands of the command line."""
    for act in (failures, retry, quarantine, release):
        app.command()(act)


def _mark(name: str, way: str, collection: str, kind: str, keys: list[str] | None, as_json: bool) -> None:
    _refuse_both(kind, keys)
    with opened(owner=f"embedding-console {name}") as console:
        number = command(console, actor_of(console), name, collection=collection, kind=kind, keys=keys or ())
    show({"collection": collection, "changed": number}, as_json, [f"{number:,} went {way} quarantine."])


def _refuse_both(kind: str, keys: list[str] | None) -> None:
    if kind and keys:
        raise typer.BadParameter("Name a class with --kind, or pictures with --key, not both.")
