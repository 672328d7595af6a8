"""The commands about a server's own snapshots."""

from typing import Annotated, Any

import typer

from console_core.backup.snapshot_requests import snapshots as listed
from console_core.backup.snapshotting import LocalSnapshots
from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.commands import command
from console_core.runs.types import RunState

snapshots = typer.Typer(no_args_is_help=True, help="Snapshots of a Qdrant server, for a server of the same version.")


@snapshots.command("list")
def list_snapshots(collection: str, as_json: Json = False) -> None:
    """The server's snapshots of a collection, and which of them are on this machine."""
    with opened() as console:
        local = LocalSnapshots(console.backups.folder)
        found = [
            {
                "snapshot": one.name,
                "collection": one.collection,
                "bytes": one.bytes,
                "created_at": one.created_at.isoformat() if one.created_at else None,
                "checksum": one.checksum,
                "here": local.has(one.collection, one.name),
            }
            for one in listed(console.store, collection)
        ]
    lines = [
        f"{one['snapshot']}  {one['bytes']:,} bytes  {one['created_at']}  {'here' if one['here'] else 'on the server'}"
        for one in found
    ]
    show(found, as_json, lines or ["No snapshots yet."])


@snapshots.command()
def create(collection: str, as_json: Json = False) -> None:
    """Make a snapshot on the server and bring it here."""
    _run("take_snapshot", f"Snapshot of {collection}", as_json, collection=collection)


@snapshots.command()
def download(collection: str, snapshot: str, as_json: Json = False) -> None:
    """Bring a snapshot here, its checksum compared."""
    _run("download_snapshot", f"Downloading {snapshot}", as_json, collection=collection, snapshot=snapshot)


@snapshots.command()
def recover(
    collection: str,
    snapshot: str,
    into: Annotated[str, typer.Option("--into", help="The new collection; no collection or alias may bear its name.")],
    as_json: Json = False,
) -> None:
    """Make a new collection on the server from a snapshot that is on this machine."""
    _run("recover_snapshot", f"Recovering {into}", as_json, collection=collection, snapshot=snapshot, into=into)


@snapshots.command()
def delete(
    collection: str,
    snapshot: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete a snapshot on the server, and what is on this machine of it."""
    if not yes:
        typer.confirm(f"Delete the snapshot {snapshot} for good?", abort=True, err=True)
    with opened(owner="embedding-console snapshots") as console:
        command(console, actor_of(console), "delete_snapshot", collection=collection, snapshot=snapshot)
    show({"snapshot": snapshot, "collection": collection}, as_json, [f"{snapshot} is deleted."])


def _run(name: str, label: str, as_json: bool, **arguments: Any) -> None:
    with opened(owner="embedding-console snapshots") as console:
        asked = command(console, actor_of(console), name, **arguments)
        run = in_foreground(console, asked, label)
    result = run_json(run) | dict(run.result or {})
    told = result.get("file", result.get("points", ""))
    show(result, as_json, [f"{run.id} {run.state}: {run.target} {told}".rstrip(), run.reason])
    if run.state is not RunState.SUCCEEDED:
        raise typer.Exit(1)
