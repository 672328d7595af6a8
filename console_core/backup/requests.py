"""What can be asked about backups: each is checked here, and then queued as a run or done."""

import secrets
from contextlib import suppress

from console_core.backup.backups import Backup, Backups
from console_core.backup.operation import BackUp, refuse_unportable
from console_core.backup.proving import Prove, scratch_name
from console_core.backup.rebuilding import BEGUN, MAKE, PASSES, Reached
from console_core.backup.restoring import Restore, discard
from console_core.errors import CollectionExists, Refused, StoreError
from console_core.runs.ledger import Ledger
from console_core.runs.types import TERMINAL, Lane, Run, RunState
from console_core.vectorstore import naming
from console_core.vectorstore.sharing import AT, sharing_of
from console_core.vectorstore.types import VectorStore

KINDS = (BackUp.kind, Prove.kind, Restore.kind)
UNFINISHED = frozenset(RunState) - TERMINAL


def back_up(store: VectorStore, ledger: Ledger, backups: Backups, actor: str, collection: str) -> Run:
    """Queue a backup of a collection, by its name or an alias.

    Raises:
        CollectionNotFound, StoreRefused
        Refused: another backup of it is not finished.
    """
    info = store.describe(collection)
    refuse_unportable(info)
    for run in ledger.runs(kinds=(BackUp.kind,), target=info.name, states=UNFINISHED):
        raise Refused(
            f"Run {run.id} backs {info.name} up already ({run.state}).", "Let it finish, or resume or cancel it."
        )
    return ledger.submit(
        kind=BackUp.kind,
        lane=Lane.STORE,
        title=f"Back up {info.name}",
        target=info.name,
        spec={"version": 1, "backup": backups.new_id(info.name), "model": info.stamp.model if info.stamp else ""},
        actor=actor,
        selected=info.points,
        writes=False,
    )


def prove(ledger: Ledger, backups: Backups, actor: str, backup: str) -> Run:
    """Queue the proof of a finished backup.

    Raises:
        NotFound, BackupDamaged
        Refused: it is in use.
    """
    manifest = backups.open(backup).manifest
    _refuse_busy(ledger, backup)
    return ledger.submit(
        kind=Prove.kind,
        lane=Lane.STORE,
        title=f"Prove a backup of {manifest.collection.name}",
        target=scratch_name(manifest.collection.name, secrets.token_hex(3)),
        spec={"version": 1, "backup": backup, "model": manifest.collection.model},
        actor=actor,
        selected=PASSES * manifest.points,
        writes=True,
    )


def restore(store: VectorStore, ledger: Ledger, backups: Backups, actor: str, backup: str, into: str) -> Run:
    """Queue the restore of a finished backup into a new collection.

    Raises:
        NotFound, BackupDamaged
        CollectionExists: the name is a collection's or an alias'.
        Refused: the name cannot be one, or another run writes to it.
    """
    manifest = backups.open(backup).manifest
    refuse_name(store, into)
    return ledger.submit(
        kind=Restore.kind,
        lane=Lane.STORE,
        title=f"Restore {manifest.collection.name} into {into}",
        target=into,
        spec={"version": 1, "backup": backup, "model": manifest.collection.model},
        actor=actor,
        selected=PASSES * manifest.points,
        writes=True,
    )


def delete(ledger: Ledger, backups: Backups, backup: str) -> Backup:
    """Delete a backup; what it was.

    Raises:
        NotFound, BackupUnavailable
        Refused: it is in use.
    """
    found = backups.get(backup)
    _refuse_busy(ledger, backup)
    backups.delete(backup)
    return found


def prune(ledger: Ledger, backups: Backups, keep: int, collection: str = "") -> list[Backup]:
    """Of each collection keep so many proven backups, the newest, and what is newer; returns what was deleted.

    The only proven one never goes. A backup in use stays.

    Raises:
        Refused: `keep` is not at least 1.
    """
    if keep < 1:
        raise Refused("Nothing says how many backups to keep.", "Set keep in [backups] of console.toml, or name it.")
    names = {collection} if collection else {backup.collection for backup in backups.all()}
    found = [backup for name in sorted(names) for backup in backups.surplus(name, keep)]
    deleted = []
    for backup in found:
        with suppress(Refused):
            deleted.append(delete(ledger, backups, backup.id))
    return deleted


def busy(ledger: Ledger, backup: str) -> Run | None:
    """The run that makes, proves, restores or relies on a backup and is not finished."""
    runs = ledger.runs(states=UNFINISHED, limit=1000)
    return next((run for run in runs if run.spec.get("backup") == backup), None)


def clean_up(store: VectorStore, run: Run) -> None:
    """Take away what a run that was cancelled while it stood still had built; nothing of any other run."""
    if run.kind not in (Prove.kind, Restore.kind) or run.state is not RunState.CANCELLED:
        return
    stage = Reached.from_text(run.checkpoint).stage
    with suppress(StoreError):
        if stage in BEGUN or (stage == MAKE and store.count(run.target) == 0):
            discard(store, run.target)


def proposal(store: VectorStore, collection: str) -> str:
    """A free name for a restored collection, which has points of its own."""
    taken, stem = taken_names(store), f"{collection[:180].replace(AT, '-')}__restored"
    number, name = 1, stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def taken_names(store: VectorStore) -> set[str]:
    """Names that are a collection's or an alias'."""
    return {info.name for info in store.collections()} | set(store.aliases())


def refuse_name(store: VectorStore, into: str) -> None:
    """Refuse what cannot be, or is already, the name of a collection or an alias.

    Raises:
        Refused, CollectionExists
    """
    naming.refuse_name(into)
    if (shared := sharing_of(store, into)) is not None and into not in taken_names(store):
        raise Refused(
            f'"{into}" would be a named vector of {shared.home}, and change its points: a backup is always restored '
            "beside what exists.",
            f'Choose a name that does not begin with "{shared.home}{AT}".',
        )
    if into in taken_names(store):
        raise CollectionExists(
            f'"{into}" is taken: a backup is always restored beside what exists.',
            "Choose a name that no collection or alias bears.",
        )


def _refuse_busy(ledger: Ledger, backup: str) -> None:
    run = busy(ledger, backup)
    if run is not None:
        raise Refused(
            f"Run {run.id} ({run.title}, {run.state}) uses the backup {backup}.", "Let it finish, or cancel it."
        )
