"""The commands about backups."""

from typing import Annotated, Any

import typer

from console_core.backup.backups import Backup
from console_core.cli.foreground import actor_of, in_foreground, opened
from console_core.cli.output import Json, run_json, show
from console_core.cli.snapshots import snapshots
from console_core.commands import command
from console_core.console import Console
from console_core.runs.types import Run, RunState

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for function in (backup, backups, prove, restore, delete_backup, prune_backups):
        app.command()(function)
    app.add_typer(snapshots, name="snapshots")


def backup(
    collection: str,
    and_prove: Annotated[bool, typer.Option("--prove", help="Prove it right away.")] = False,
    as_json: Json = False,
) -> None:
    """Back a collection up into a portable archive, in the foreground."""
    with opened(owner="embedding-console backup") as console:
        run = command(console, actor_of(console), "back_up", collection=collection)
        made = in_foreground(console, run, f"Backing up {run.target}")
        result = run_json(made) | dict(made.result or {})
        good = made.state is RunState.SUCCEEDED
        if good and and_prove:
            proof = _proven(console, result["backup"])
            good = proof.state is RunState.SUCCEEDED
            result |= {"proof_run": proof.id, "proven": good, "reason": proof.reason}
    _finish(result, good, as_json)


def backups(
    collection: Annotated[str, typer.Option(help="Only those of this collection.")] = "", as_json: Json = False
) -> None:
    """Every backup with its age, size and state."""
    with opened() as console:
        found = [backup_json(one) for one in console.backups.all(collection or None)]
    lines = [
        f"{b['backup']}  {b['state']:10}  {b['points']:,} points  {b['bytes'] / 1e6:,.1f} MB  of {b['collection']}"
        + (f"  {b['problem']}" if b["problem"] else "")
        for b in found
    ]
    show(found, as_json, lines or ["No backups yet."])


def prove(backup: str, as_json: Json = False) -> None:
    """Restore a backup into a scratch collection and compare every point; the scratch is deleted."""
    with opened(owner="embedding-console prove") as console:
        run = _proven(console, backup)
    _finish(run_json(run) | dict(run.result or {}), run.state is RunState.SUCCEEDED, as_json)


def restore(
    backup: str,
    into: Annotated[str, typer.Option("--into", help="The new collection; no collection or alias may bear its name.")],
    as_json: Json = False,
) -> None:
    """Restore a backup into a new collection and compare every point."""
    with opened(owner="embedding-console restore") as console:
        asked = command(console, actor_of(console), "restore", backup=backup, into=into)
        run = in_foreground(console, asked, f"Restoring into {into}")
    _finish(run_json(run) | dict(run.result or {}), run.state is RunState.SUCCEEDED, as_json)


def delete_backup(backup: str, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a backup for good."""
    if not yes:
        typer.confirm(f"Delete the backup {backup} for good?", abort=True, err=True)
    with opened(owner="embedding-console delete-backup") as console:
        gone: Backup = command(console, actor_of(console), "delete_backup", backup=backup)
    show(backup_json(gone), as_json, [f"{gone.id} is deleted."])


def prune_backups(
    keep: Annotated[int, typer.Option(min=0, help="Proven ones of each collection; 0: as console.toml says.")] = 0,
    collection: Annotated[str, typer.Option(help="Only those of this collection.")] = "",
    as_json: Json = False,
) -> None:
    """Delete backups that are older than the newest proven ones of their collection."""
    with opened(owner="embedding-console prune-backups") as console:
        gone: list[Backup] = command(console, actor_of(console), "prune_backups", keep=keep, collection=collection)
    show([backup_json(one) for one in gone], as_json, [f"{one.id} is deleted." for one in gone] or ["Nothing to do."])


def backup_json(backup: Backup) -> dict[str, Any]:
    """What the command line tells of a backup."""
    proof = backup.proof
    return {
        "backup": backup.id,
        "collection": backup.collection,
        "state": backup.state.value,
        "points": backup.points,
        "bytes": backup.bytes,
        "taken_at": backup.taken_at.isoformat() if backup.taken_at else None,
        "proven_at": proof.at.isoformat() if proof and proof.holds else None,
        "problem": backup.problem,
    }


def _proven(console: Console, backup: str) -> Run:
    asked = command(console, actor_of(console), "prove", backup=backup)
    return in_foreground(console, asked, f"Proving {backup}")


def _finish(result: dict[str, Any], good: bool, as_json: bool) -> None:
    of = result.get("backup", result["target"])
    lines = [f"{result['run']} {result['state']}: {of}", result["reason"]]
    show(result, as_json, [line for line in lines if line])
    if not good:
        raise typer.Exit(1)
