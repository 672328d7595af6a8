"""Fill the target collection: read, decode, embed, write, and only then report."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.embedding.types import Embedder
from console_core.errors import CollectionExists, CollectionNotFound, FingerprintMismatch, StoreRefused
from console_core.migration.current import current_keys
from console_core.migration.filling import DECODING_THREADS, Fetched, Filling
from console_core.migration.plan import MigrationPlan
from console_core.migration.verify import LEFT_THE_CATALOG
from console_core.runs.types import Counts, Failure, Progress
from console_core.vectorstore.types import CollectionSpec, ModelStamp, VectorStore

T = TypeVar("T")

ALREADY_EMBEDDED = "already embedded"

_Row = Fetched | tuple[ImageRow, None]
"""A row with its picture, or why it cannot be had, or None where its point is current already."""


class Reembed:
    """Embed every picture of the plan's slice into the plan's target.

    Batches are written in catalog order and reported after the store acknowledged them; point ids are made from
    catalog keys. A batch that was written but not reported is written once more with the same ids. How large a batch
    is, is asked before each (`batch_size`; without it the plan says); it changes how fast, never what is made.
    """

    def __init__(
        self,
        plan: MigrationPlan,
        run: str,
        *,
        catalog: ImageCatalog,
        images: ImageStore,
        store: VectorStore,
        embedder: Callable[[], Embedder],
        workers: int = DECODING_THREADS,
        batch_size: Callable[[], int] | None = None,
    ) -> None:
        self._plan = plan
        self._run = run
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._workers = workers
        self._batch_size = batch_size or (lambda: plan.batch_size)

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that the plan was made with.
            CollectionExists: the target was made by somebody else.
            CollectionNotFound, StoreRefused: the target, or points that this run wrote to it, were deleted meanwhile.
        """
        embedder = self._embedder()
        self._refuse_another_model(embedder)
        self._prepare_target(counts)
        filling = Filling(self._store, self._images, embedder, self._plan.target, self._run, workers=self._workers)
        remaining, reached = True, None
        while remaining and checkpoint != reached:  # pictures are added while the last page is at work
            reached = checkpoint
            rows = self._catalog.rows(self._plan.part, after=checkpoint or None)
            for batch in _batches(self._fetched(rows, filling), self._batch_size):
                filled = filling.fill([(row, found) for row, found in batch if found is not None])
                current = sum(found is None for _, found in batch)
                counts = _settle(counts, len(filled.points), current, filled.failures)
                checkpoint = batch[-1][0].key
                yield Progress(checkpoint, counts, filled.failures)
            remaining = self._catalog.count(self._plan.part, after=checkpoint or None) > 0
        self._refuse_lost_points(counts)
        if counts.pending > 0 and not remaining:
            skipped = _add(counts.skipped, LEFT_THE_CATALOG, counts.pending)
            yield Progress(checkpoint, replace(counts, skipped=skipped))

    def _refuse_another_model(self, embedder: Embedder) -> None:
        if embedder.fingerprint.digest != self._plan.fingerprint:
            raise FingerprintMismatch(
                f"The model {self._plan.model} has the fingerprint {embedder.fingerprint.digest}, but this run was "
                f"planned with {self._plan.fingerprint}: its weights or settings changed since.",
                "Put the old weights back and resume, or cancel this run and plan a new one.",
            )

    def _prepare_target(self, counts: Counts) -> None:
        plan = self._plan
        self._refuse_lost_points(counts)
        stamp = ModelStamp(plan.model, plan.fingerprint)
        spec = CollectionSpec(plan.dimension, plan.distance, stamp, plan.index, plan.quantization)
        try:
            self._store.create(plan.target, spec)
        except CollectionExists:
            found = self._store.describe(plan.target).stamp
            if found is None or found.fingerprint != plan.fingerprint:
                raise

    def _refuse_lost_points(self, counts: Counts) -> None:
        """A target that lost what this run wrote must not pass for complete: going on would fill only the rest."""
        if not counts.done:
            return
        target = self._plan.target
        remedy = "Cancel this run and start the migration again: it embeds what is missing. The source is untouched."
        try:
            points = self._store.count(target)
        except CollectionNotFound as error:
            raise CollectionNotFound(
                f"{target} was deleted after this run had written {counts.done:,} points to it.", remedy
            ) from error
        if points < counts.done:
            raise StoreRefused(
                f"{target} holds {points:,} points, but this run has written {counts.done:,}: some were deleted.",
                remedy,
            )

    def _fetched(self, rows: Iterator[ImageRow], filling: Filling) -> Iterator[_Row]:
        """Rows with their pictures, in order; decoding runs ahead of the embedding on threads."""
        ahead = 2 * self._batch_size()
        if not self._plan.fills:
            yield from filling.fetched(rows, ahead=ahead)
            return
        for group in _batches(rows, self._batch_size):
            current = current_keys(self._store, self._plan.target, self._plan.fingerprint, group)
            wanted = filling.fetched([row for row in group if row.key not in current], ahead=ahead)
            found = {row.key: outcome for row, outcome in wanted}
            for row in group:
                yield (row, found[row.key]) if row.key in found else (row, None)


def _settle(counts: Counts, embedded: int, current: int, failures: Sequence[Failure]) -> Counts:
    skipped = _add(counts.skipped, ALREADY_EMBEDDED, current)
    failed = dict(counts.failed)
    for failure in failures:
        failed = _add(failed, failure.kind, 1)
    settled = replace(counts, done=counts.done + embedded, skipped=skipped, failed=failed)
    return replace(settled, selected=max(settled.selected, settled.settled))


def _add(counted: Mapping[str, int], reason: str, number: int) -> dict[str, int]:
    result = dict(counted)
    if number:
        result[reason] = result.get(reason, 0) + number
    return result


def _batches(items: Iterable[T], size: Callable[[], int]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size())):
        yield batch
