"""What the command line prints: lines for people or one JSON document, a progress bar, and errors with a remedy."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from console_core.errors import ConsoleError
from console_core.following.records import Follow
from console_core.migration.findings import Finding, Severity
from console_core.migration.generate import EMBEDDED
from console_core.migration.plan import mode_in
from console_core.migration.reembed import DECODERS
from console_core.runs.types import WORKING, Run
from console_core.runs.wording import decoded
from console_core.vectorstore.types import CollectionInfo

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@contextmanager
def told() -> Iterator[None]:
    """A ConsoleError becomes its message and remedy on standard error, and exit code 1; so does a surprise."""
    try:
        yield
    except ConsoleError as error:
        typer.secho(error.message, fg="red", err=True)
        if error.remedy:
            typer.echo(error.remedy, err=True)
        raise typer.Exit(1) from error
    except (typer.Exit, typer.Abort, BrokenPipeError):
        raise
    except Exception as error:
        what = " ".join(str(error).split()) or "without a message"
        typer.secho(f"Something unexpected happened: {type(error).__name__}: {what}", fg="red", err=True)
        typer.echo("This is a mistake in the console. Please report this, with the command that you ran.", err=True)
        raise typer.Exit(1) from error


def show(document: Any, as_json: bool, lines: Sequence[str]) -> None:
    if as_json:
        print(json.dumps(document, ensure_ascii=False, default=str))
    else:
        print("\n".join(lines))


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error, moved by fractions."""
    with typer.progressbar(length=1000, label=label, file=sys.stderr) as bar:

        def advance(step: str, fraction: float) -> None:
            bar.label = step
            bar.update(max(0, round(1000 * min(fraction, 1.0)) - bar.pos))

        yield advance


def collection_json(info: CollectionInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "dimension": info.dimension,
        "distance": info.distance,
        "points": info.points,
        "model": info.stamp.model if info.stamp else None,
        "fingerprint": info.stamp.fingerprint if info.stamp else None,
        "mode": info.stamp.preprocess or None if info.stamp else None,
        "aliases": list(info.aliases),
    }


def run_json(run: Run, *, abandoned: bool = False) -> dict[str, Any]:
    """A run and its counts. `done` is what it did, whatever its kind does; `embedded` counts pictures that a build, an
    ingestion, a retry or a generation embedded, else 0.

    `left_open`: it counts as being worked on, but its process has died (`abandoned`: nobody owns the ledger).
    """
    counts = run.counts
    return {
        "run": run.id,
        "kind": run.kind,
        "state": run.state.value,
        "left_open": abandoned and run.state in WORKING,
        "reason": run.reason,
        "target": run.target,
        "selected": counts.selected,
        "done": counts.done,
        "embedded": _embedded(run),
        "skipped": counts.all_skipped,
        "failed": counts.all_failed,
        "pending": counts.pending,
        **(_decoding(run) if run.kind in ("reembed", "ingest") else {}),
    }


def _embedded(run: Run) -> int:
    if run.kind == "generate":
        return int((run.result or {}).get(EMBEDDED, 0))
    return run.counts.done if run.kind in ("reembed", "ingest", "retry") else 0


def _decoding(run: Run) -> dict[str, Any]:
    """Of a build: how its pictures are decoded, and how many of those that it embedded by whom."""
    return {"mode": mode_in(run.spec).value, DECODERS: (run.result or {}).get(DECODERS, {})}


def follow_json(follow: Follow) -> dict[str, Any]:
    """A followed collection as the command line tells it; `behind` counts pictures at the last look."""
    lag = follow.lag
    return {
        "collection": follow.collection,
        "model": follow.model,
        "alias": follow.alias,
        "since": follow.since.isoformat(),
        "until": follow.until.isoformat() if follow.until else None,
        "checked_at": follow.checked_at.isoformat() if follow.checked_at else None,
        "behind": lag.total if lag else None,
        "added": lag.added if lag else None,
        "edited": lag.edited if lag else None,
        "deleted": lag.deleted if lag else None,
        "note": follow.note,
    }


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """One line for each finding, the gravest first."""
    order = list(Severity)
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    return [f"{one.severity.upper():5}  {one.code:20}  {one.message} {one.remedy}".rstrip() for one in ranked]


def finish(result: dict[str, Any], good: bool, as_json: bool) -> None:
    """Print what became of a run; exit code 1 where that is not `good`."""
    show(result, as_json, _lines(result))
    if not good:
        raise typer.Exit(1)


def finish_all(results: Sequence[dict[str, Any]], as_json: bool) -> None:
    """Print what became of builds; exit code 1 where one of them is not verified."""
    show(list(results), as_json, [line for result in results for line in _lines(result)])
    if any(result.get("verdict") != "green" for result in results):
        raise typer.Exit(1)


def _lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['run']} {result['state']}: {result['done']:,} of {result['selected']:,} into {result['target']}"]
    if result["reason"]:
        lines.append(result["reason"])
    if result.get(DECODERS):
        lines.append(f"{result['mode']} mode, decoded {decoded(result[DECODERS])}")
    if "verdict" in result:
        lines.append(f"verification: {result['verdict']}")
    return lines
