"""The operations of this room, from the plans that are stored with their runs; and what is tidied up at a start."""

from contextlib import suppress
from functools import partial

from console_core.backup.backups import Backups
from console_core.backup.lists import Carried
from console_core.backup.operation import BackUp
from console_core.backup.proving import Prove, sweep
from console_core.backup.requests import prune
from console_core.backup.restoring import Restore
from console_core.backup.snapshotting import RecoverSnapshot, TakeSnapshot
from console_core.errors import BackupError, NotFound, StoreError
from console_core.runs.ledger import Ledger
from console_core.runs.types import Operation, Run, Verb
from console_core.vectorstore.types import VectorStore


def operation_of(
    run: Run, store: VectorStore, ledger: Ledger, backups: Backups, keep: int, carried: Carried
) -> Operation:
    """The operation of a run of this room. `keep` proven backups of a collection stay after a proof; 0: all.

    Raises:
        NotFound: no operation of that kind exists here.
    """
    spec, cancelled = run.spec, partial(_is_cancelled, ledger, run.id)
    match run.kind:
        case BackUp.kind:
            return BackUp(store, backups, run.target, spec["backup"], run.id, carried=carried)
        case Prove.kind:
            retain = partial(_retain, ledger, backups, keep) if keep else None
            by = run.created_by
            return Prove(store, backups, spec["backup"], run.target, run.id, by=by, cancelled=cancelled, retain=retain)
        case Restore.kind:
            return Restore(store, backups, spec["backup"], run.target, cancelled=cancelled, carried=carried)
        case TakeSnapshot.kind:
            return TakeSnapshot(store, backups.folder, run.target, spec["name"])
        case RecoverSnapshot.kind:
            return RecoverSnapshot(store, backups.folder, spec["collection"], spec["name"], run.target)
        case kind:
            raise NotFound(f"There is no operation {kind}.", "This run was made by another version of the console.")


def tidy_up(store: VectorStore, ledger: Ledger, backups: Backups) -> None:
    """Take away what backups and proofs that have ended left behind when the process died."""
    backups.sweep()
    with suppress(StoreError):  # the store need not answer yet; they harm nobody until the next start
        sweep(store, ledger)


def _retain(ledger: Ledger, backups: Backups, keep: int, collection: str) -> list[str]:
    """Apply the rule of console.toml after a proof, and write down what was deleted."""
    try:
        deleted = [backup.id for backup in prune(ledger, backups, keep, collection)]
    except BackupError:  # what cannot be deleted now is more than the rule says after the next proof, too
        return []
    if deleted:
        ledger.note("the console", "prune_backups", collection, detail=f"deleted {', '.join(deleted[:10])}")
    return deleted


def _is_cancelled(ledger: Ledger, run: str) -> bool:
    return ledger.asked(run) is Verb.CANCEL
