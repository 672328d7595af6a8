"""What can be asked about a server's snapshots: each is checked here, and then queued as a run or done."""

from pathlib import Path

from console_core.backup.requests import UNFINISHED, refuse_name
from console_core.backup.snapshotting import LocalSnapshots, RecoverSnapshot, TakeSnapshot, require_snapshots
from console_core.errors import Refused
from console_core.runs.ledger import Ledger
from console_core.runs.types import Lane, Run
from console_core.vectorstore.snapshots import Snapshot
from console_core.vectorstore.types import VectorStore


def snapshots(store: VectorStore, collection: str) -> list[Snapshot]:
    """The server's snapshots of a collection, by its name or an alias, the newest first.

    Raises:
        StoreRefused: the store has none.
        CollectionNotFound, StoreUnavailable
    """
    found = require_snapshots(store)
    try:
        return found.list(store.describe(collection).name)
    finally:
        found.close()


def take(store: VectorStore, ledger: Ledger, actor: str, collection: str, name: str = "") -> Run:
    """Queue a new snapshot, or with `name` only the download of that one.

    Raises:
        StoreRefused: the store has none.
        Refused: another one of this collection is not finished.
    """
    require_snapshots(store).close()
    info = store.describe(collection)
    for run in ledger.runs(kinds=(TakeSnapshot.kind,), target=info.name, states=UNFINISHED):
        raise Refused(f"Run {run.id} is at it already ({run.state}).", "Let it finish, or cancel it.")
    return ledger.submit(
        kind=TakeSnapshot.kind,
        lane=Lane.STORE,
        title=f"Download the snapshot {name}" if name else f"Snapshot of {info.name}",
        target=info.name,
        spec={"version": 1, "name": name},
        actor=actor,
        selected=1,
        writes=False,
    )


def recover(
    store: VectorStore, ledger: Ledger, backups: Path, actor: str, collection: str, name: str, into: str
) -> Run:
    """Queue the recovery of a snapshot that is on this machine into a new collection.

    Raises:
        NotFound, CollectionExists, StoreRefused, Refused
    """
    require_snapshots(store).close()
    LocalSnapshots(backups).require(collection, name)
    refuse_name(store, into)
    return ledger.submit(
        kind=RecoverSnapshot.kind,
        lane=Lane.STORE,
        title=f"Recover {name}",
        target=into,
        spec={"version": 1, "collection": collection, "name": name},
        actor=actor,
        selected=1,
        writes=True,
    )


def delete(store: VectorStore, backups: Path, collection: str, name: str) -> None:
    """Delete a snapshot on the server, and what was brought here of it."""
    found = require_snapshots(store)
    try:
        if any(one.name == name for one in found.list(collection)):
            found.delete(collection, name)
        LocalSnapshots(backups).remove(collection, name)
    finally:
        found.close()
