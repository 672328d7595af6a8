"""The commands that put the pictures of a folder or an image list into a collection, and tell which were."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from console_core.catalog.names import told
from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.console import Console
from console_core.embedding.preprocessing import Mode
from console_core.migration.current import ALREADY_EMBEDDED
from console_core.migration.ingest import IngestPlan, survey
from console_core.migration.ingesting import USUAL_NAMESPACE, Wish
from console_core.migration.plan import USUAL_BATCH
from console_core.migration.reembed import REPLACED
from console_core.runs.types import Run, RunState

_LISTED = 200
"""Failures that are listed for people and in JSON; `failures COLLECTION --csv` has all of them."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (ingest, ingested):
        app.command()(function)


def ingest(
    path: Annotated[Path, typer.Argument(help="A folder of pictures, or a list of lines `path,label`.")],
    into: Annotated[str, typer.Option("--into", help="The collection; it is made where it does not exist.")],
    namespace: Annotated[str, typer.Option("--namespace", help="Told on each point.")] = USUAL_NAMESPACE,
    recursive: Annotated[bool, typer.Option(help="Whether subfolders belong to a folder.")] = True,
    model: Annotated[str, typer.Option("--model", help="The model, where the collection is to be made.")] = "",
    batch: Annotated[int, typer.Option("--batch", min=1, max=4096, help="Pictures a batch.")] = USUAL_BATCH,
    mode: Annotated[Mode | None, typer.Option("--mode", help="How pictures are decoded; by default fast.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Embed also what the collection has already.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    as_json: Json = False,
) -> None:
    """Embed the pictures of a folder or a list that a collection does not have yet, in the foreground."""
    wish = Wish(path, into, namespace, recursive, model, mode, batch, again)
    if dry_run:
        _look(wish, as_json)
        return
    with opened(owner="embedding-console ingest") as console:
        run = command(console, actor_of(console), "ingest", wish=wish)
        finish_ingestion(console, in_foreground(console, run, run.title), as_json)


def ingested(
    collection: str,
    forget: Annotated[
        str,
        typer.Option(
            "--forget",
            metavar="NAMESPACE:LOCATION",
            help="Its pictures were deleted for good: they are to leave the collection and all that were made of it.",
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """The folders and lists whose pictures belong to a collection, and whether each can be read now."""
    with opened(owner="embedding-console ingested" if forget else "") as console:
        name = console.store.describe(collection).name
        gone = command(console, actor_of(console), "forget_intake", collection=name, intake=forget) if forget else []
        places = console.members.places
        found = [
            {**asdict(one), "name": one.name, "path": str(places.path(one.location)), "problem": one.hindrance(places)}
            for one in console.intakes.of(name)
        ]
        shared = [one for one in console.intakes.line(name) if one != name]
    lines = [
        f"{one['name']}  {one['kind']} {one['path']}: "
        + (f"cannot be read: {one['problem']}" if one["problem"] else "can be read")
        for one in found
    ]
    lines = lines or [f"Nothing {'else ' if gone else ''}was ingested into {name}."]
    if gone:
        also = f" and of {', '.join(shared)}" if shared else ""
        lines = [
            f"{gone[0].name} is no part of {name}{also} any more. Its pictures are extra there now: no point was "
            f"deleted. Verify {name} to see which.",
            *lines,
        ]
    document = {"collection": name, "line": shared, "forgotten": [asdict(one) for one in gone], "ingested": found}
    show(document, as_json, lines)


def finish_ingestion(console: Console, run: Run, as_json: bool) -> None:
    """Print what became of it; exit code 1 unless the collection has all of the pictures now."""
    document = _document(console, run)
    classes = ", ".join(f"{number:,} {kind}" for kind, number in run.counts.failed.items())
    parts = [f"{document['new']:,} new pictures and {document['changed']:,} again, {document['already']:,} were there"]
    parts += [f"{document['failed']:,} failed ({classes})"] if classes else []
    lines = [f"{run.id} {run.state}: {', '.join(parts)}, in {run.target} as {document['namespace']}"]
    if run.state is not RunState.SUCCEEDED:
        lines += [run.reason, run.remedy]
    lines += [f"  {one['kind']:11}  {told(one['path'])}: {one['message']}" for one in document["failures"]]
    show(document, as_json, [line for line in lines if line])
    passed_over = run.counts.all_skipped - document["already"]
    if run.state is not RunState.SUCCEEDED or document["failed"] or passed_over:
        raise typer.Exit(1)


def _document(console: Console, run: Run) -> dict[str, Any]:
    plan, replaced = IngestPlan.from_json(run.spec), int((run.result or {}).get(REPLACED, 0))
    failures = sorted(console.ledger.failures(run.id, limit=_LISTED), key=lambda one: (one.kind, one.key))
    return {
        **run_json(run),
        "model": plan.model,
        "namespace": plan.intake.namespace,
        "path": str(console.members.places.path(plan.intake.location)),
        "new": run.counts.done - replaced,
        "changed": replaced,
        "already": run.counts.skipped.get(ALREADY_EMBEDDED, 0),
        "classes": dict(run.counts.failed),
        "failures": [{"key": f.key, "kind": f.kind, "path": f.path, "message": f.message} for f in failures],
    }


def _look(wish: Wish, as_json: bool) -> None:
    with opened(dry=True) as console:
        ingesting = console.ingesting()
        plan = ingesting.plan(wish)
        found = survey(plan, ingesting.catalog(plan), console.store)
        path = str(console.members.places.path(plan.intake.location))
    document = {**asdict(found), "collection": plan.collection, "creates": plan.creates, "model": plan.model}
    document |= {"namespace": plan.intake.namespace, "path": path, "mode": plan.mode.value}
    to_embed = found.selected if plan.again else found.new + found.changed
    made = "will be made" if plan.creates else "exists"
    lines = [
        f"{found.selected:,} pictures in {path}: {found.new:,} new, {found.changed:,} changed, "
        f"{found.current:,} there already" + (f", {found.outside:,} outside the image roots" if found.outside else ""),
        f"{to_embed:,} would be embedded by {plan.model} into {plan.collection}, which {made}, as {wish.namespace}",
    ]
    lines += [f"  outside the image roots: {name}" for name in found.named]
    if found.outside > len(found.named):
        lines.append(f"  and {found.outside - len(found.named):,} more")
    show({**document, "to_embed": to_embed}, as_json, lines)
