"""What needs a person about what is kept: collections that are not kept in step, ways back, and backups."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from console_core.backup import since
from console_core.console import Console
from console_core.database import now
from console_core.following.follower import hindered
from console_core.rollout.cutover import way_back
from console_core.ui import words
from console_core.vectorstore.types import CollectionInfo

SOON = timedelta(days=1)
"""So long before a way back closes it is told."""


@dataclass(frozen=True, slots=True)
class Attention:
    """One matter, and the page where it is settled. Shows as a finding."""

    severity: str
    message: str
    remedy: str
    page: str
    parameters: dict[str, str] = field(default_factory=dict)


def of_follows(console: Console) -> Iterator[Attention]:
    """Collections that cannot be kept in step, and former ones that soon will not be any more."""
    former = {}
    for alias, serving in console.store.aliases().items():
        if (last := way_back(console.moves, alias, serving)) is not None:
            former[last.before] = alias
    for follow in console.follows.active():
        where = {"collection": follow.collection}
        if why := hindered(follow):
            text = f"{follow.collection} cannot be kept in step with the catalog. {why}"
            yield Attention("warn", text, "It is tried again by itself; look there.", "collections", where)
        if follow.until is not None and follow.collection in former and follow.until - now() < SOON:
            alias = former[follow.collection]
            text = f"The way back of {alias} to {follow.collection} closes {words.ago(follow.until)}."
            remedy = "Roll back before that if the new model is not as good; afterwards a rollback loses what changes."
            yield Attention("warn", text, remedy, "rollout")


def of_backups(console: Console, collections: Iterable[CollectionInfo]) -> Iterator[Attention]:
    """Collections that are searched, and of which nothing proven is kept, or something old."""
    kept = console.backups.all()
    for info in collections:
        if not info.aliases:
            continue
        own = [backup for backup in kept if backup.collection == info.name]
        where = {"collection": info.name}
        proven = next((backup for backup in own if backup.proven), None)
        if proven is None:
            any_finished = any(backup.finished for backup in own)
            text = f"{info.name} is searched, and no backup of it is proven."
            remedy = "Prove the one that there is." if any_finished else "Back it up, and prove that."
            yield Attention("info", text, remedy, "backups", where)
        elif proven.manifest is not None and (written := since.known_writes(proven.manifest, info, console.ledger)):
            text = f"The newest proven backup of {info.name} is old. {written}"
            yield Attention("info", text, "Back it up once more.", "backups", where)
