"""Everything that one store holds, copied into another one: collections as they are, and the aliases last of all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from console_core.backup.durable import write_durably
from console_core.backup.operation import pages_of
from console_core.errors import AliasConflict, CollectionExists, CollectionNotFound, StoreFull, StoreRefused
from console_core.vectorstore.sharing import sharing_of
from console_core.vectorstore.signature import signature_of
from console_core.vectorstore.tuning import settings_of
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, PointId, VectorStore

FILE = "store-move.json"
"""In the workspace: how far the move is, so that it can go on after a crash, and which collections are its own."""


@dataclass(frozen=True, slots=True)
class Moving:
    """How far a move is: what it does now, and how many points of all are copied and compared."""

    what: str
    done: int
    selected: int


@dataclass(slots=True)
class Reached:
    """What is recorded of a move: where it goes, and behind which point each collection that it began is."""

    to: str
    after: dict[str, PointId | None] = field(default_factory=dict)

    @classmethod
    def of(cls, file: Path, to: str) -> Self:
        """As recorded; from the beginning where that was a move to another place."""
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(to)
        return cls(to, dict(data["after"])) if data["to"] == to else cls(to)

    def save(self, file: Path) -> None:
        write_durably(file, json.dumps({"version": 1, "to": self.to, "after": self.after}))


class StoreMove:
    """Copy all of `source` into `target`, which stays as it was but for the new collections. Nobody may write then.

    Memory is bounded by one page. A move that died goes on behind what it had recorded as copied. Whatever happened
    before, a collection counts as copied only once its signature is the same in both stores.
    """

    def __init__(self, source: VectorStore, target: VectorStore, *, to: str, workspace: Path) -> None:
        """`to` is the URL of the target."""
        self._source, self._target = source, target
        self._file = workspace / FILE
        self._to = to

    def steps(self) -> Iterator[Moving]:
        """Make it so, and say how far it is once that is durable. What was there already is not read again for nothing.

        Raises:
            StoreRefused: a collection cannot be copied without loss, or is not the same in the other store.
            CollectionExists, AliasConflict: a name is taken there.
            StoreFull: there is no room.
        """
        collections = self._source.collections()
        reached = Reached.of(self._file, self._to)
        self._refuse(collections, reached)
        selected, done = 2 * sum(info.points for info in collections), 0
        for info in collections:
            for copied in self._copied(info, reached):
                yield Moving(f"Copying {info.name}", done + copied, selected)
            done += info.points
        for info in collections:
            yield Moving(f"Comparing {info.name}", done, selected)
            self._compared(info, reached)
            done += info.points
            yield Moving(f"Comparing {info.name}", done, selected)
        self._point_aliases()
        for info in collections:
            self._target.restore_index(info.name)
        self._file.unlink(missing_ok=True)

    def _refuse(self, collections: list[CollectionInfo], reached: Reached) -> None:
        """Refuse what cannot go well before anything is written."""
        there = {info.name for info in self._target.collections()}
        aliases = self._target.aliases()
        capacity = self._target.info().capacity
        for info in collections:
            if info.problem:
                raise StoreRefused(f"{info.name} cannot be moved without loss. {info.problem}", "Retire or export it.")
            if (shared := sharing_of(self._source, info.name)) is not None:
                raise StoreRefused(
                    f"{info.name} is a named vector of {shared.home}, whose points a move would take apart.",
                    "Back it up, and restore the backup in the other store as a collection of its own.",
                )
            if info.name in aliases or (info.name in there and info.name not in reached.after):
                raise CollectionExists(
                    f'"{info.name}" is {"an alias" if info.name in aliases else "a collection"} in the other store '
                    "already, and this move did not make it.",
                    "Move into an empty folder, or remove it there.",
                )
            if capacity is not None and info.points > capacity:
                raise StoreFull(
                    f"{info.name} has {info.points:,} points; the other store keeps at most {capacity:,}.",
                    "Move to a Qdrant server.",
                )
        for alias, name in self._source.aliases().items():
            if aliases.get(alias, name) != name or alias in there:
                raise AliasConflict(
                    f'"{alias}" is taken in the other store, by {aliases.get(alias) or "a collection"}.',
                    "Move into an empty folder, or remove it there.",
                )

    def _copied(self, info: CollectionInfo, reached: Reached) -> Iterator[int]:
        """Copy what is not copied yet; yields how many points of it are."""
        if info.name not in reached.after:
            reached.after[info.name] = None
            reached.save(self._file)
        self._make(info)
        after = reached.after[info.name]
        copied = self._target.count(info.name) if after is not None else 0
        size = pages_of(info.dimension)
        while True:
            points, following = self._source.page(info.name, after=after, limit=size, vectors=True)
            if points:
                self._target.upsert(info.name, points, as_is=True)
                copied, after = copied + len(points), points[-1].id
                reached.after[info.name] = after
                reached.save(self._file)
            yield min(copied, info.points)
            if following is None:
                return

    def _make(self, info: CollectionInfo) -> None:
        index, quantization = settings_of(info)
        spec = CollectionSpec(info.dimension, info.distance, info.stamp, index, quantization, info.vector_name)
        try:
            found = self._target.describe(info.name)
        except CollectionNotFound:
            self._target.create(info.name, spec)
        else:
            shape = (found.dimension, found.distance, found.vector_name, found.stamp)
            if shape != (info.dimension, info.distance, info.vector_name, info.stamp):
                self._target.drop(info.name)  # the move's own; what it was copied from was made anew since
                self._target.create(info.name, spec)
        self._target.defer_index(info.name)

    def _compared(self, info: CollectionInfo, reached: Reached) -> None:
        """Both stores hold the same; where they do not, because the source changed since, it is copied once more."""
        if self._same(info):
            return
        aliases = self._target.aliases()
        if info.name in aliases.values():
            raise self._differs(info)
        self._target.drop(info.name)
        reached.after[info.name] = None
        reached.save(self._file)
        for _ in self._copied(info, reached):
            pass
        if not self._same(info):
            raise self._differs(info)

    def _same(self, info: CollectionInfo) -> bool:
        size = pages_of(info.dimension)
        ours = signature_of(self._source, info.name, page_size=size)
        return ours.same_as(signature_of(self._target, info.name, page_size=size))

    def _differs(self, info: CollectionInfo) -> StoreRefused:
        return StoreRefused(
            f"{info.name} is not the same in the other store: somebody writes to one of them, or it gives back other "
            "points than were written.",
            "Stop whatever writes to it, remove it from the other store, and move again. The old store is untouched.",
        )

    def _point_aliases(self) -> None:
        there = self._target.aliases()
        for alias, name in self._source.aliases().items():
            if there.get(alias) != name:
                self._target.set_alias(alias, name, expected=None)


def result_of(source: VectorStore) -> dict[str, Any]:
    """What was moved, in numbers."""
    collections = source.collections()
    return {
        "collections": len(collections),
        "points": sum(info.points for info in collections),
        "aliases": len(source.aliases()),
    }
