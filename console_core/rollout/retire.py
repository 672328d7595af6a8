"""Drop a collection that nobody searches any more: the last act of a migration, and the only one that deletes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from console_core.backup.archive import Archive
from console_core.backup.backups import Backup, Backups
from console_core.backup.since import is_current, known_writes
from console_core.database import now
from console_core.errors import BackupError, CollectionNotFound, Refused
from console_core.rollout.made import made_at
from console_core.rollout.records import Move, MoveKind, Moves
from console_core.rollout.recreate import busy
from console_core.runs.ledger import Ledger
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.types import VectorStore

KIND = "retire"
DROPPING = "dropping"


@dataclass(frozen=True, slots=True)
class Retirement:
    """Whether a collection may be dropped: every reason why not, and what makes it safe.

    `backup` is its newest proven backup, if any; `left_at` when the alias was cut over from it, if it was, and `held`
    whether that is long enough ago. `leans_on` says in a sentence what the retirement relies on.
    """

    collection: str
    points: int
    reasons: tuple[str, ...]
    backup: Backup | None
    left_at: datetime | None
    held: bool
    leans_on: str

    @property
    def allowed(self) -> bool:
        return not self.reasons


def retirement(
    store: VectorStore,
    ledger: Ledger,
    moves: Moves,
    backups: Backups,
    collection: str,
    *,
    holding: timedelta,
    listed: str = "",
    own_run: str = "",
    at: datetime | None = None,
) -> Retirement:
    """What speaks for and against dropping a collection now, as far as it shows without reading points.

    It must not be searched through an alias, no run may use it, and either a restore has proven its newest backup, or
    the alias was cut over from it at least `holding` ago, has not gone back, and nobody made or filled it since.
    `listed` is the collection that is the catalog, "" where none is: what its points say of pictures is nowhere else.

    Raises:
        CollectionNotFound: there is none, or the name is an alias'.
    """
    info = store.describe(collection)
    if info.name != collection:
        raise CollectionNotFound(f"{collection} is an alias of {info.name}.", "Name the collection itself.")
    reasons = [f"{collection} is searched through the alias {alias}." for alias in info.aliases]
    if collection == listed:
        reasons.append(f"{collection} is the catalog: which pictures there are is told by its points alone.")
    reasons += [
        f"Run {run.id} ({run.title}, {run.state}) uses {collection}."
        for run in busy(ledger, collection)
        if run.id != own_run
    ]
    made = made_at(ledger, collection)  # former moves may be of another collection that bore its name
    backup, left_at = (
        backups.newest_proven(collection),
        _left_at([move for move in moves.of(limit=1000) if made is None or move.at >= made], collection),
    )
    held = left_at is not None and (at or now()) - left_at >= holding
    days = holding.total_seconds() / 86_400
    written = known_writes(backup.manifest, info, ledger) if backup and backup.manifest else ""
    leans_on = ""
    if held:
        leans_on = f"The alias was cut over from it more than {days:g} days ago."
    elif backup is not None and not written:
        leans_on = f"The backup {backup.id} has been proven by a restore."
    elif backup is not None:
        reasons.append(f"{written} Its proven backup {backup.id} does not have that.")
    else:
        reasons.append(
            f"{collection} has no backup that a restore has proven, and no alias was cut over from it at least "
            f"{days:g} days ago."
        )
    return Retirement(collection, info.points, tuple(reasons), backup, left_at, held, leans_on)


def _left_at(moves: Sequence[Move], collection: str) -> datetime | None:
    """When an alias left a collection for the last time; None where it never did, or came back."""
    for move in moves:
        if move.after == collection:
            return None
        if move.before == collection and move.kind is MoveKind.CUT_OVER:
            return move.at
    return None


class Retire:
    """Drop one collection, after everything that makes it safe has been looked at once more.

    `let_go` is told its name once it is gone, and forgets what is only true of a collection that exists; it must do no
    harm when it runs twice. `done` counts its points, once they are gone.
    """

    kind: ClassVar[str] = KIND
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        collection: str,
        run: str,
        *,
        store: VectorStore,
        ledger: Ledger,
        moves: Moves,
        backups: Backups,
        holding: timedelta,
        listed: Callable[[], str] = lambda: "",
        let_go: Callable[[str], object] = lambda collection: None,
    ) -> None:
        self._collection = collection
        self._run = run
        self._store = store
        self._ledger = ledger
        self._moves = moves
        self._backups = backups
        self._holding = holding
        self._listed = listed
        self._let_go = let_go

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            Refused: something speaks against it by now.
            BackupDamaged: the backup that it relied on is not whole.
        """
        if checkpoint == DROPPING and not self._exists():
            yield self._dropped(counts)
            return
        found = self._allowed()
        if not found.held:
            yield from self._check(found, counts)
        counts = replace(counts, selected=max(found.points, counts.selected))
        yield Progress(DROPPING, counts, note="Drops the collection.")
        found = self._allowed()
        if not found.held:
            self._refuse_written(found)
        self._store.drop(self._collection)
        yield self._dropped(counts)

    def _allowed(self) -> Retirement:
        found = retirement(
            self._store,
            self._ledger,
            self._moves,
            self._backups,
            self._collection,
            holding=self._holding,
            listed=self._listed(),
            own_run=self._run,
        )
        if not found.allowed:
            raise Refused(
                f"{self._collection} is not dropped: {' '.join(found.reasons)}", "Settle that, then resume or cancel."
            )
        return found

    def _check(self, found: Retirement, counts: Counts) -> Iterator[Progress]:
        """Read the whole backup."""
        archive = self._archive(found)
        for number, _ in enumerate(archive.check(), start=1):
            yield Progress("", counts, note=f"Checks part {number} of {len(archive.parts)} of its backup.")

    def _refuse_written(self, found: Retirement) -> None:
        """Compare the backup with what the collection holds right before it goes."""
        archive = self._archive(found)
        if not is_current(archive, self._store):
            raise Refused(
                f"{self._collection} was written to after it was backed up as {archive.folder.name}.",
                "Back it up and prove that once more, then resume.",
            )

    def _archive(self, found: Retirement) -> Archive:
        if found.backup is None:
            raise BackupError(f"{self._collection} has no proven backup.", "Back it up and prove that, then resume.")
        return self._backups.open(found.backup.id)

    def _dropped(self, counts: Counts) -> Progress:
        self._let_go(self._collection)
        return Progress(DROPPING, replace(counts, done=counts.selected), result={"dropped": self._collection})

    def _exists(self) -> bool:
        try:
            return self._store.describe(self._collection).name == self._collection
        except CollectionNotFound:
            return False
