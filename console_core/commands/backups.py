"""What a person can ask about backups."""

from console_core.backup import requests, snapshot_requests
from console_core.backup.backups import Backup
from console_core.commands.actor import Actor
from console_core.console import Console
from console_core.runs.types import Run


def back_up(console: Console, actor: Actor, *, collection: str) -> Run:
    return requests.back_up(console.store, console.ledger, console.backups, actor.name, collection)


def prove(console: Console, actor: Actor, *, backup: str) -> Run:
    return requests.prove(console.ledger, console.backups, actor.name, backup)


def restore(console: Console, actor: Actor, *, backup: str, into: str) -> Run:
    return requests.restore(console.store, console.ledger, console.backups, actor.name, backup, into)


def delete_backup(console: Console, actor: Actor, *, backup: str) -> Backup:
    return requests.delete(console.ledger, console.backups, backup)


def prune_backups(console: Console, actor: Actor, *, keep: int = 0, collection: str = "") -> list[Backup]:
    """`keep` proven ones of each collection, as many as the settings say where it is 0; returns what was deleted."""
    keep = keep or console.settings.backups.keep
    return requests.prune(console.ledger, console.backups, keep, collection)


def take_snapshot(console: Console, actor: Actor, *, collection: str) -> Run:
    return snapshot_requests.take(console.store, console.ledger, actor.name, collection)


def download_snapshot(console: Console, actor: Actor, *, collection: str, snapshot: str) -> Run:
    return snapshot_requests.take(console.store, console.ledger, actor.name, collection, snapshot)


def recover_snapshot(console: Console, actor: Actor, *, collection: str, snapshot: str, into: str) -> Run:
    folder = console.backups.folder
    run = snapshot_requests.recover(console.store, console.ledger, folder, actor.name, collection, snapshot, into)
    console.intakes.put_back(into, console.intakes.ingested(collection))
    return run


def delete_snapshot(console: Console, actor: Actor, *, collection: str, snapshot: str) -> None:
    snapshot_requests.delete(console.store, console.backups.folder, collection, snapshot)
