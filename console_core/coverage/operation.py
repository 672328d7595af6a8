"""Measuring coverage as a run."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from console_core.catalog.embedding_column import EmbeddingColumn
from console_core.catalog.types import EVERYTHING, ImageCatalog, Slice
from console_core.coverage.gaps import CoverageRecords
from console_core.coverage.measure import PAGE, FailedAmong, measure
from console_core.runs.types import Counts, Lane, Progress
from console_core.vectorstore.types import VectorStore

LEFT_MEANWHILE = "left meanwhile"
STARTED_OVER = "Starts over: its numbers must be of one moment."


class MeasureCoverage:
    """Measure a slice of the catalog against a collection, and record it as the newest snapshot at the end.

    `done` counts catalog rows and points looked at. Nothing is written to the store. A resumed measurement starts
    over, as its numbers must be of one moment; a stopped one leaves no trace. The last step's result is the report
    as JSON with the `snapshot` it was recorded as.
    """

    kind: ClassVar[str] = "coverage"
    lane: ClassVar[Lane] = Lane.STORE

    def __init__(
        self,
        catalog: ImageCatalog,
        store: VectorStore,
        failed_among: FailedAmong,
        records: CoverageRecords,
        collection: str,
        part: Slice = EVERYTHING,
        page_size: int = PAGE,
        column: EmbeddingColumn | None = None,
    ) -> None:
        self._catalog = catalog
        self._store = store
        self._failed_among = failed_among
        self._records = records
        self._collection = collection
        self._part = part
        self._page_size = page_size
        self._column = column

    def plan(self) -> Counts:
        """What there is to look at: the rows of the slice, and all points where the slice is the whole catalog."""
        points = self._store.count(self._collection) if self._part.is_everything else 0
        return Counts(selected=self._catalog.count(self._part) + points)

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`."""
        collection = self._store.describe(self._collection).name
        counts = replace(counts, selected=max(counts.selected, self.plan().selected))
        yield Progress("", counts, note=STARTED_OVER if counts.done else "")
        looked_at = 0
        draft = self._records.begin(collection, self._part)
        try:
            for step in measure(
                self._catalog,
                self._store,
                collection,
                self._failed_among,
                part=self._part,
                page_size=self._page_size,
                column=self._column,
            ):
                draft.add(step.gaps)
                looked_at += step.rows + step.points
                counts = at_least(counts, looked_at)
                if step.report is None:
                    yield Progress(str(looked_at), counts)
                    continue
                snapshot = draft.publish(step.report)
                result = {**step.report.as_json(), "snapshot": snapshot.id}
                yield Progress(str(looked_at), closed(counts), result=result)
        finally:
            draft.discard()


def at_least(counts: Counts, looked_at: int) -> Counts:
    """Counts that never go down: a measurement that started over stands still until it is past its old place."""
    done = max(counts.done, looked_at)
    return replace(counts, done=done, selected=max(counts.selected, done + counts.all_skipped))


def closed(counts: Counts) -> Counts:
    """Counts whose books are closed: what was not met any more left while it was looked for."""
    if not counts.pending:
        return counts
    return replace(counts, skipped={LEFT_MEANWHILE: counts.all_skipped + counts.pending})
