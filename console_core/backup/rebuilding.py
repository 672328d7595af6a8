"""Build a collection from an archive, beside everything else: check it all, make, fill, compare."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from console_core.backup.archive import Archive
from console_core.backup.comparison import Differences, compare_part, compare_with_nothing
from console_core.backup.operation import pages_of
from console_core.errors import CollectionExists, CollectionNotFound, StoreFull, StoreRefused
from console_core.runs.types import Counts, Progress
from console_core.vectorstore.types import Point, VectorStore

PASSES = 3
"""Each point is read and checked, written, and compared."""
CHECK, MAKE, FILL, COMPARE, COMPARED = "check", "make", "fill", "compare", "compared"
BEGUN = (FILL, COMPARE, COMPARED)
"""Stages in which the target exists, and was made by this run."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a rebuilding is: its stage, how many parts of it are done, and what differed so far."""

    stage: str = CHECK
    parts: int = 0
    differences: Differences = field(default_factory=Differences)

    def as_text(self) -> str:
        data: dict[str, Any] = {"stage": self.stage, "parts": self.parts}
        if self.differences.total:
            data["differences"] = self.differences.as_json()
        return json.dumps(data, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> "Reached":
        data = json.loads(text) if text else {}
        differences = Differences.from_json(data.get("differences", {}))
        return cls(data.get("stage", CHECK), data.get("parts", 0), differences)


class Rebuilding:
    """What a proof and a restore have in common. Nothing is created before the whole archive was read and found good.

    `target` is a name that nobody else uses. That it is free, and belongs to this run from now on, is recorded before
    it is made; so a run that died while making it knows its own. `done` counts three passes over the points.
    """

    def __init__(self, archive: Archive, store: VectorStore, target: str) -> None:
        self._archive = archive
        self._store = store
        self._target = target
        self._page_size = pages_of(archive.manifest.collection.dimension)

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """As `runs.types.Operation`, up to a checkpoint whose stage is COMPARED.

        Raises:
            BackupDamaged: before anything was created.
            CollectionExists: the name is taken.
            StoreFull: the store has no room for so many points.
        """
        reached = Reached.from_text(checkpoint)
        if reached.stage == CHECK:
            self._refuse_taken()
            for part, points in enumerate(self._archive.check(), start=1):
                counts = _counted(counts, points) if part > reached.parts else counts
                reached = Reached(CHECK, max(part, reached.parts))
                yield Progress(reached.as_text(), counts, note=f"Checking part {part} of {len(self._archive.parts)}.")
            self._refuse_taken()
            reached = Reached(MAKE)
            yield Progress(reached.as_text(), counts)
        if reached.stage == MAKE:
            self._make()
            reached = Reached(FILL)
            yield Progress(reached.as_text(), counts)
        if reached.stage == FILL:
            self._refuse_lost(reached.parts)
            for number in range(reached.parts, len(self._archive.parts)):
                for page in self._archive.pages(number):
                    self._write(page)
                counts = _counted(counts, self._archive.parts[number].rows)
                reached = Reached(FILL, number + 1)
                yield Progress(reached.as_text(), counts)
            reached = Reached(COMPARE)
        if reached.stage == COMPARE:
            yield from self._compare(reached, counts)

    def _compare(self, reached: Reached, counts: Counts) -> Iterator[Progress]:
        differences = reached.differences
        for number in range(reached.parts, len(self._archive.parts)):
            compare_part(self._archive, number, self._store, self._target, differences, self._page_size)
            counts = _counted(counts, self._archive.parts[number].rows)
            stage = COMPARE if number + 1 < len(self._archive.parts) else COMPARED
            yield Progress(Reached(stage, number + 1, differences).as_text(), counts)
        if not self._archive.parts:
            compare_with_nothing(self._store, self._target, differences, self._page_size)
            yield Progress(Reached(COMPARED, 0, differences).as_text(), counts)

    def _refuse_taken(self) -> None:
        aliases = self._store.aliases()
        taken = {info.name for info in self._store.collections()} | set(aliases)
        if self._target in taken:
            what = "an alias" if self._target in aliases else "a collection already"
            raise CollectionExists(
                f'"{self._target}" is {what}: a backup is always restored beside what exists.',
                "Cancel this run and choose a name that no collection or alias bears.",
            )
        store, points = self._store.info(), self._archive.manifest.points
        capacity = store.capacity
        if capacity is not None and points > capacity:
            raise StoreFull(
                f"The backup has {points:,} points; the store keeps at most {capacity:,} in a collection.",
                store.outgrown or "Restore it into a Qdrant server.",
            )

    def _make(self) -> None:
        spec = self._archive.manifest.collection.spec
        try:
            self._store.create(self._target, spec)
        except CollectionExists:
            found = self._store.describe(self._target)
            made = (found.name, found.points, found.dimension, found.distance, found.vector_name)
            if made != (self._target, 0, spec.dimension, spec.distance, spec.vector_name):
                raise

    def _refuse_lost(self, parts: int) -> None:
        written = sum(part.rows for part in self._archive.parts[:parts])
        remedy = "Cancel this run and start again. The backup is untouched."
        try:
            points = self._store.count(self._target)
        except CollectionNotFound as error:
            raise CollectionNotFound(f"{self._target} was deleted while it was being filled.", remedy) from error
        if points < written:
            raise StoreRefused(
                f"{self._target} holds {points:,} points, but {written:,} were written to it: some were deleted.",
                remedy,
            )

    def _write(self, page: list[Point]) -> None:
        if (written := self._store.upsert(self._target, page, as_is=True)) != len(page):
            raise StoreRefused(
                f"The store acknowledged {written:,} of {len(page):,} points written to {self._target}.",
                "Look at the store's log, then resume: they are written again with the same ids.",
            )


def _counted(counts: Counts, points: int) -> Counts:
    done = counts.done + points
    return replace(counts, done=done, selected=max(counts.selected, done))
