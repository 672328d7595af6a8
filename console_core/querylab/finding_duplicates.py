"""Looking for duplicates as a run."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import ClassVar

from console_core.querylab.comparison import Where
from console_core.querylab.duplicate_records import DuplicateRecords
from console_core.querylab.duplicates import Duplicates
from console_core.querylab.grouping import Groups
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.types import VectorStore

KIND = "duplicates"
PAGE = 64
"""Points that are looked at between two checkpoints: each is a search, which takes long in some stores."""
LEFT_MEANWHILE = "left meanwhile"


class FindDuplicates:
    """Look through a collection for points that are as near as a threshold, and record the pairs as they are found.

    `done` counts points looked at, in the order of their ids; the checkpoint is the last of them. Nothing is written to
    the store. What was found can be looked at while it works, and after it was stopped. The result tells how many
    groups there are so far, and how many points beyond one of each.
    """

    kind: ClassVar[str] = KIND
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        store: VectorStore,
        records: DuplicateRecords,
        collection: str,
        run: str,
        *,
        threshold: float,
        where: Where,
        uncounted: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """Within `uncounted` its own searches are not taken for people's, to whom polite runs yield."""
        self._store, self._records = store, records
        self._collection, self._run = collection, run
        self._threshold, self._where = threshold, where
        self._uncounted = uncounted

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            Refused: the collection does not compare by cosine.
            CollectionNotFound, StoreError
        """
        looking = Duplicates(self._store, self._collection, threshold=self._threshold, where=self._where)
        if not checkpoint:
            self._records.begin(looking.collection)
        looking.found = Groups(self._records.of(self._run))
        before, looked_at = counts.done, 0
        steps = looking.steps(after=json.loads(checkpoint) if checkpoint else None, size=PAGE)
        while True:
            with self._uncounted():
                step = next(steps, None)
            if step is None:
                break
            looked_at, _ = step
            self._records.add(self._run, looking.collection, looking.found.news())
            done = before + looked_at
            counts = replace(counts, done=done, selected=max(counts.selected, done))
            checkpoint = json.dumps(looking.last) if looked_at else checkpoint
            yield Progress(checkpoint, counts, result=_result(looking))
        if counts.pending:
            skipped = {LEFT_MEANWHILE: counts.all_skipped + counts.pending}
            yield Progress(checkpoint, replace(counts, skipped=skipped), result=_result(looking))


def _result(looking: Duplicates) -> dict[str, int]:
    return {"groups": looking.found.number, "surplus": looking.found.surplus}
