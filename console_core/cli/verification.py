"""The commands about what a collection holds: say whose it is, verify it, list what differs, repair that."""

from typing import Annotated, Any

import typer

from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.console import Console
from console_core.errors import NotFound
from console_core.migration.difference import DifferenceKind
from console_core.migration.differences import Recorded
from console_core.runs.types import Run, RunState
from console_core.vectorstore.types import ModelStamp

_PAGE = 500


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (stamp, verify, differences, repair):
        app.command()(function)


def stamp(
    collection: str,
    model: Annotated[str, typer.Option("--model", help="The model that made it.")],
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Even where none of its pictures can be found and compared.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Record which model made a collection; a claim that a sample of its pictures contradicts is refused."""
    with opened(owner="embedding-console stamp") as console:
        asked: dict[str, Any] = {"collection": collection, "model": model, "unchecked": unchecked}
        made: ModelStamp = command(console, actor_of(console), "stamp", **asked)
    document = {"collection": collection, "model": made.model, "fingerprint": made.fingerprint}
    show(document, as_json, [f"{collection} was made by {made.model}, fingerprint {made.fingerprint}."])


def verify(
    collection: str,
    full: Annotated[bool, typer.Option("--full", help="Embed every picture again, not a random sample.")] = False,
    as_json: Json = False,
) -> None:
    """Compare a collection with the catalog, and embed a sample of its pictures, or all, again."""
    with opened(owner="embedding-console verify") as console:
        run = command(console, actor_of(console), "verify", collection=collection, full=full)
        finished = in_foreground(console, run, f"Verifying {collection}")
    document, lines = _told(finished)
    show(document, as_json, lines)
    if document["verdict"] != "green":
        raise typer.Exit(1)


def differences(
    collection: str,
    kind: Annotated[DifferenceKind | None, typer.Option(help="Only this kind.")] = None,
    as_json: Json = False,
) -> None:
    """What the newest verification of a collection found: each picture, its point, and what differs."""
    with opened() as console:
        name = console.store.describe(collection).name
        verified = _newest(console, name)
        found = [_difference(one) for one in _all(console, verified, kind)]
    lines = [f"{one['kind']:12}  {one['key']}  {one['detail']}  {one['path']}".rstrip() for one in found]
    of = f" of the kind {kind}" if kind else ""
    nothing = f"Verification {verified.id} found no difference{of} in {name}."
    show({"collection": name, "run": verified.id, "differences": found}, as_json, lines or [nothing])


def repair(
    collection: str,
    delete_extra: Annotated[
        bool, typer.Option("--delete-extra", help="Also delete points that no picture of the catalog accounts for.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Repair what the newest verification of a collection found, and verify it again."""
    with opened(owner="embedding-console repair") as console:
        asked: dict[str, Any] = {"collection": collection, "delete_extra": delete_extra, "typed": collection}
        run = command(console, actor_of(console), "repair", **asked)
        repaired = in_foreground(console, run, f"Repairing {run.target}")
        verified = verified_again(console, repaired)
    document = run_json(repaired)
    lines = [f"{repaired.id} {repaired.state.value}: {repaired.reason}"]
    if verified is not None:
        document["verification"], told = _told(verified)
        lines += told
    show(document, as_json, lines)
    if verified is None or (verified.result or {}).get("verdict") != "green":
        raise typer.Exit(1)


def verified_again(console: Console, repaired: Run) -> Run | None:
    """Do the verification that a repair has queued; None where it did not succeed, and queued none."""
    if repaired.state is not RunState.SUCCEEDED:
        return None
    queued = console.ledger.runs(kinds=("verify",), target=repaired.target, states=(RunState.QUEUED,), limit=1)
    return in_foreground(console, queued[0], f"Verifying {repaired.target}") if queued else None


def _told(run: Run) -> tuple[dict[str, Any], list[str]]:
    result = dict(run.result or {"verdict": "none", "checks": []})
    lines = [f"{'ok ' if c['ok'] else 'RED'}  {c['name']}: {c['detail']}" for c in result["checks"]]
    found = {kind: number for kind, number in result.get("differences", {}).items() if number}
    if found:
        counted = ", ".join(f"{number:,} {kind}" for kind, number in found.items())
        lines.append(f"{counted}: list them with `embedding-console differences {run.target}`")
    return {"run": run.id, "state": run.state.value, **result}, [*lines, result["verdict"]]


def _newest(console: Console, collection: str) -> Run:
    found = console.ledger.runs(kinds=("verify",), target=collection, states=(RunState.SUCCEEDED,), limit=1)
    if not found:
        raise NotFound(f"{collection} was not verified.", f"Run `embedding-console verify {collection}` first.")
    return found[0]


def _all(console: Console, verified: Run, kind: str | None) -> list[Recorded]:
    found: list[Recorded] = []
    while page := console.differences.page(verified.id, kind=kind, after=found[-1].number if found else 0, limit=_PAGE):
        found += page
    return found


def _difference(one: Recorded) -> dict[str, Any]:
    found = one.difference
    return {
        "kind": str(found.kind),
        "key": found.key,
        "point": found.point,
        "detail": found.detail,
        "path": found.path,
    }
