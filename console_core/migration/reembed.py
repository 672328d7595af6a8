"""Fill the target collection: read, decode, embed, write, and only then report."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

from console_core.catalog.fetching import fetch
from console_core.catalog.loading import load
from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.database import now
from console_core.embedding.types import Embedder, Prepared
from console_core.errors import (
    CollectionExists,
    CollectionNotFound,
    FingerprintMismatch,
    ImageError,
    ModelOutputInvalid,
    StoreRefused,
)
from console_core.migration.current import current_keys
from console_core.migration.plan import MigrationPlan
from console_core.migration.verify import LEFT_THE_CATALOG
from console_core.runs.types import Counts, Failure, Progress
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, Vector, VectorStore

T = TypeVar("T")

ALREADY_EMBEDDED = "already embedded"
MODEL_ERROR = "model error"
DECODING_THREADS = 2


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture that is ready to be embedded, and the digest of its bytes."""

    prepared: Prepared
    content: str


_Fetched = tuple[ImageRow, _Picture | ImageError | None]
"""A row with its picture, or why it cannot be had, or None where its point is current already."""


class Reembed:
    """Embed every picture of the plan's slice into the plan's target.

    Batches are written in catalog order and reported after the store acknowledged them; point ids are made from
    catalog keys. A batch that was written but not reported is written once more with the same ids.
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
    ) -> None:
        self._plan = plan
        self._run = run
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._workers = workers

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
        remaining, reached = True, None
        while remaining and checkpoint != reached:  # pictures are added while the last page is at work
            reached = checkpoint
            rows = self._catalog.rows(self._plan.part, after=checkpoint or None)
            for batch in _batches(self._fetched(rows, embedder), self._plan.batch_size):
                counts, failures = self._embed(batch, embedder, counts)
                checkpoint = batch[-1][0].key
                yield Progress(checkpoint, counts, failures)
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

    def _fetched(self, rows: Iterator[ImageRow], embedder: Embedder) -> Iterator[_Fetched]:
        """Rows with their pictures, in order; decoding runs ahead of the embedding on threads."""

        def picture(row: ImageRow) -> _Picture:
            loaded = load(row, self._images)
            return _Picture(embedder.prepare(loaded.image), loaded.content)

        ahead = 2 * self._plan.batch_size
        if not self._plan.fills:
            yield from fetch(rows, picture, workers=self._workers, ahead=ahead)
            return
        for group in _batches(rows, self._plan.batch_size):
            current = current_keys(self._store, self._plan.target, self._plan.fingerprint, group)
            wanted = fetch(
                [row for row in group if row.key not in current], picture, workers=self._workers, ahead=ahead
            )
            found = {row.key: outcome for row, outcome in wanted}
            yield from ((row, found.get(row.key)) for row in group)

    def _embed(
        self, batch: Sequence[_Fetched], embedder: Embedder, counts: Counts
    ) -> tuple[Counts, tuple[Failure, ...]]:
        """Write one batch; the counts and failures after the store acknowledged it."""
        pictures = [(row, found) for row, found in batch if isinstance(found, _Picture)]
        failures = [_failure(row, found) for row, found in batch if isinstance(found, ImageError)]
        vectors, refused = _vectors(embedder, pictures)
        failures += refused
        points = [self._point(row, found, vectors[row.key]) for row, found in pictures if row.key in vectors]
        if points and (acknowledged := self._store.upsert(self._plan.target, points)) != len(points):
            raise StoreRefused(
                f"The store acknowledged {acknowledged} of {len(points)} points written to {self._plan.target}.",
                "Look at the store's log, then resume: the batch is written again with the same ids.",
            )
        current = sum(found is None for _, found in batch)
        counts = _settle(counts, len(points), current, failures)
        return counts, tuple(failures)

    def _point(self, row: ImageRow, picture: _Picture, vector: Vector) -> Point:
        made = Provenance(
            key=row.key,
            revision=row.revision,
            content=picture.content,
            fingerprint=self._plan.fingerprint,
            run=self._run,
            embedded_at=now().isoformat(timespec="seconds"),
        )
        return Point(point_id(row.key), vector, {**row.payload, **made.as_payload()})


def _vectors(
    embedder: Embedder, pictures: Sequence[tuple[ImageRow, _Picture]]
) -> tuple[dict[str, Vector], list[Failure]]:
    """Vectors by key. Where the model chokes on a batch, each picture is tried alone, so that one costs only itself."""
    if not pictures:
        return {}, []
    try:
        vectors = embedder.embed_images([picture.prepared for _, picture in pictures])
    except ModelOutputInvalid as error:
        if len(pictures) == 1:
            row = pictures[0][0]
            return {}, [Failure(row.key, MODEL_ERROR, error.message, row.candidates[0] if row.candidates else "")]
        singly = [_vectors(embedder, [one]) for one in pictures]
        found = {key: vector for good, _ in singly for key, vector in good.items()}
        return found, [failure for _, bad in singly for failure in bad]
    return {row.key: vector for (row, _), vector in zip(pictures, vectors, strict=True)}, []


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


def _failure(row: ImageRow, error: ImageError) -> Failure:
    return Failure(row.key, error.kind, error.message, error.path or (row.candidates[0] if row.candidates else ""))


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
