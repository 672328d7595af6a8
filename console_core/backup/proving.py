"""Prove an archive: restore it into a scratch collection, compare every point, and take the scratch away again."""

import re
from collections.abc import Callable, Iterator
from typing import ClassVar

from console_core.backup.backups import Backups
from console_core.backup.operation import tools
from console_core.backup.proof import Proof, digest_of, write_proof
from console_core.backup.rebuilding import BEGUN, Reached, Rebuilding
from console_core.backup.restoring import discard
from console_core.database import now
from console_core.errors import BackupDiffers, CollectionNotFound
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Progress, RunState
from console_core.vectorstore.sharing import AT
from console_core.vectorstore.types import VectorStore

_SCRATCH = re.compile(r".+__proof-[0-9a-f]{6}")


class Prove:
    """A backup is proven once a collection that was built from it has no difference to it.

    The scratch collection is dropped when the comparison is done or the run is cancelled; a paused or interrupted run
    keeps it to go on. Where there are differences they are written into the proof, and the run fails. After a proof
    `retain` is told the collection, and deletes older backups of it. The last step's result has the points and the
    differences, which are 0.
    """

    kind: ClassVar[str] = "prove"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        store: VectorStore,
        backups: Backups,
        backup: str,
        scratch: str,
        run: str,
        *,
        by: str = "",
        cancelled: Callable[[], bool] = lambda: False,
        retain: Callable[[str], list[str]] | None = None,
    ) -> None:
        self._store = store
        self._backups = backups
        self._backup = backup
        self._scratch = scratch
        self._run = run
        self._by = by
        self._cancelled = cancelled
        self._retain = retain

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            BackupDamaged, CollectionExists, StoreFull: before anything was written.
            BackupDiffers: what was restored is not what was saved.
        """
        archive = self._backups.open(self._backup)
        reached = Reached.from_text(checkpoint)
        try:
            for progress in Rebuilding(archive, self._store, self._scratch).steps(checkpoint, counts):
                reached, counts = Reached.from_text(progress.checkpoint), progress.counts
                yield progress
            self._drop_scratch()
            differences = reached.differences
            proof = Proof(
                manifest=digest_of(archive.folder),
                at=now(),
                by=self._by,
                run=self._run,
                points=archive.manifest.points,
                differences=differences.total,
                examples=tuple(differences.examples),
                versions=tools(self._store),
            )
            write_proof(archive.folder, proof)
            if differences.total:
                raise BackupDiffers(
                    f"{differences.total:,} points came back from the backup other than they were saved, such as "
                    f"{differences.examples[0]}.",
                    "Back the collection up again and prove that one; do not rely on this backup.",
                )
            result = {"backup": self._backup, "points": archive.manifest.points, "differences": 0}
            if self._retain is not None:
                result["deleted"] = self._retain(archive.manifest.collection.name)
            yield Progress(reached.as_text(), counts, result=result)
        except GeneratorExit:
            if reached.stage in BEGUN and self._cancelled():
                discard(self._store, self._scratch)
            raise

    def _drop_scratch(self) -> None:
        try:
            self._store.drop(self._scratch)
        except CollectionNotFound:  # it was dropped by an attempt that died before it said so
            return


def scratch_name(collection: str, number: str) -> str:
    """A name for the scratch collection of a proof; `number` are six hexadecimal digits.

    It has points of its own, also where the collection is a named vector beside others.
    """
    return f"{collection[:200].replace(AT, '-')}__proof-{number}"


def sweep(store: VectorStore, ledger: Ledger) -> list[str]:
    """Drop scratch collections of proofs that were cancelled while nobody could take them away; returns their names.

    A scratch is recognised by its name, and by the proof that the ledger has of exactly that name. The store is only
    asked where there is such a proof.
    """
    cancelled = ledger.runs(kinds=(Prove.kind,), states=(RunState.CANCELLED, RunState.INVALID), limit=200)
    names = {run.target for run in cancelled if _SCRATCH.fullmatch(run.target)}
    if not names:
        return []
    left = [info.name for info in store.collections() if info.name in names]
    return [name for name in left if discard(store, name)]
