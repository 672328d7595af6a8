"""Restore an archive into a new collection, and compare every point before it is called done."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from console_core.backup.backups import Backups
from console_core.backup.lists import Carried
from console_core.backup.rebuilding import BEGUN, Reached, Rebuilding
from console_core.errors import BackupDiffers, StoreError
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.types import VectorStore


class Restore:
    """Build `target` from an archive, with what was ingested. It must not exist before; a cancelled restore takes away
    what it had built.

    The last step's result has the points and the differences, which are 0.
    """

    kind: ClassVar[str] = "restore"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        store: VectorStore,
        backups: Backups,
        backup: str,
        target: str,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        carried: Carried | None = None,
    ) -> None:
        self._store = store
        self._backups = backups
        self._backup = backup
        self._target = target
        self._cancelled = cancelled
        self._carried = carried or Carried()

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            BackupDamaged, CollectionExists, StoreFull: before anything was written.
            BackupDiffers: what was restored is not what was saved.
            CatalogUnavailable: its lists cannot be copied into the workspace.
        """
        archive = self._backups.open(self._backup)
        reached = Reached.from_text(checkpoint)
        try:
            for progress in Rebuilding(archive, self._store, self._target).steps(checkpoint, counts):
                reached, counts = Reached.from_text(progress.checkpoint), progress.counts
                yield progress
            differences = reached.differences
            points = self._store.count(self._target)
            if differences.total or points != archive.manifest.points:
                raise BackupDiffers(
                    f"{self._target} differs from the backup in {max(differences.total, 1):,} points, such as "
                    f"{differences.examples[0] if differences.examples else f'{points:,} in all'}.",
                    "Something else wrote to it, or the store lost points. Cancel this run and restore again.",
                )
            self._carried.restore(archive.manifest, archive.folder, self._target)
            result = {"backup": self._backup, "points": points, "differences": 0}
            yield Progress(reached.as_text(), counts, result=result)
        except GeneratorExit:
            if reached.stage in BEGUN and self._cancelled():
                discard(self._store, self._target)
            raise


def discard(store: VectorStore, target: str) -> bool:
    """Drop a collection that a cancelled run had built; False where it is served or gone, and so stays as it is."""
    try:
        store.drop(target)
    except StoreError:
        return False
    return True
