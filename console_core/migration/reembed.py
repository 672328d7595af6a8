"""Fill the target collection: read, decode, embed, write, and only then report."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.opening import open_pipeline
from console_core.engine.types import Pipeline
from console_core.errors import CollectionExists, CollectionNotFound, FingerprintMismatch, StoreRefused
from console_core.migration.filling import FailedAmong, Filling
from console_core.migration.indexing import restoring
from console_core.migration.plan import MigrationPlan
from console_core.migration.settling import added, settle
from console_core.migration.verify import LEFT_THE_CATALOG
from console_core.runs.types import Counts, Progress
from console_core.vectorstore.types import CollectionSpec, ModelStamp, VectorStore

DECODERS = "decoders"
"""In a build's result: how many of the pictures that it embedded were decoded by whom."""
REPLACED = "replaced"
"""In a build's result: how many of the pictures that it embedded had a point before."""


class JoinConvoy(Protocol):
    """Gives a run its seat among those that travel together; `left` rows of the slice are not settled yet."""

    def __call__(self, images: ImageStore, embedder: Embedder, mode: Mode, *, left: int, pictures: int) -> Pipeline: ...


class Reembed:
    """Embed every picture of the plan's slice into the plan's target.

    Batches are written in catalog order and reported after the store acknowledged them; point ids are made from
    catalog keys. A batch that was written but not reported is written once more with the same ids. How large a batch
    is, is asked before each (`batch_size`; without it the plan says); it changes how fast, never what is made.

    With `convoy` its pictures are decoded together with those of other runs over the same slice.

    Where it makes most of its target's points, they are indexed when all of them are there; where a run ends before,
    `LeftOverIndexes` sees to it.
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
        failed_among: FailedAmong,
        batch_size: Callable[[], int] | None = None,
        decoded: Mapping[str, int] | None = None,
        replaced: int = 0,
        convoy: JoinConvoy | None = None,
    ) -> None:
        """`decoded` counts the pictures that earlier attempts embedded, by who decoded them; `replaced`
        those of them that had a point before."""
        self._plan = plan
        self._run = run
        self._catalog = catalog
        self._images = images
        self._store = store
        self._embedder = embedder
        self._failed_among = failed_among
        self._convoy = convoy
        self._batch_size = batch_size or (lambda: plan.batch_size)
        self._decoded = Counter(decoded or {})
        self._replaced = replaced

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model is not the one that the plan was made with.
            CollectionExists: the target was made by somebody else.
            FailsThroughout: picture after picture failed.
            CollectionNotFound, StoreRefused: the target, or points that this run wrote to it, were deleted meanwhile.
        """
        embedder = self._embedder()
        refuse_another_model(embedder, self._plan.model, self._plan.fingerprint)
        self._prepare_target(counts)

        def pipeline(images: ImageStore, embedders: Sequence[Embedder], mode: Mode, *, pictures: int) -> Pipeline:
            if self._convoy is None:
                return open_pipeline(images, embedders, mode, pictures=pictures)
            left = self._catalog.count(self._plan.part, after=checkpoint or None)
            return self._convoy(images, embedders[0], mode, left=left, pictures=pictures)

        filling = Filling(
            self._store,
            self._images,
            embedder,
            self._plan.target,
            self._run,
            failed_among=self._failed_among,
            mode=self._plan.mode,
            keeps=self._plan.fills or self._plan.target == self._plan.source,
            pictures=counts.pending,
            pipelines=pipeline,
        )
        remaining, reached = True, None
        while remaining and checkpoint != reached:  # pictures are added while the last page is at work
            reached = checkpoint
            rows = self._catalog.rows(self._plan.part, after=checkpoint or None)
            for filled in filling.batches(rows, self._batch_size, fills=self._plan.fills):
                counts, checkpoint = settle(counts, filled), filled.last
                self._decoded.update(filled.decoders)
                self._replaced += filled.replaced
                replaced = {REPLACED: self._replaced} if self._replaced else {}
                yield Progress(
                    checkpoint,
                    counts,
                    filled.failures,
                    cleared=filled.cleared,
                    result={DECODERS: dict(self._decoded), **replaced},
                    pace=filled.pace,
                )
            remaining = self._catalog.count(self._plan.part, after=checkpoint or None) > 0
        self._refuse_lost_points(counts)
        for _ in restoring(self._store, self._plan.target):
            yield Progress(checkpoint, counts, note=f"The index of {self._plan.target} is being built.")
        if counts.pending > 0 and not remaining:
            skipped = added(counts.skipped, LEFT_THE_CATALOG, counts.pending)
            yield Progress(checkpoint, replace(counts, skipped=skipped))

    def _prepare_target(self, counts: Counts) -> None:
        plan = self._plan
        self._refuse_lost_points(counts)
        stamp = ModelStamp(plan.model, plan.fingerprint, plan.mode.value)
        spec = CollectionSpec(plan.dimension, plan.distance, stamp, plan.index, plan.quantization)
        try:
            self._store.create(plan.target, spec)
        except CollectionExists:
            found = self._store.describe(plan.target)
            if found.stamp is None or found.stamp.fingerprint != plan.fingerprint:
                raise
            if (
                not found.points and not found.stamp.preprocess
            ):  # made empty by a person: nothing was decoded for it yet
                self._store.stamp(plan.target, stamp)
        if self._makes_most(counts):
            self._store.defer_index(plan.target)

    def _makes_most(self, counts: Counts) -> bool:
        """Whether so many points are still to be made that they are better indexed together, where nobody searches.

        What is there already must not lose its index for a few that it lacks.
        """
        plan = self._plan
        if plan.target == plan.source:
            return False
        there = self._store.count(plan.target)
        # A filling passes over what is there, so at least so many others are left.
        return counts.pending - (there if plan.fills else 0) >= there

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


def refuse_another_model(embedder: Embedder, model: str, fingerprint: str) -> None:
    """Before the first write of a run that was planned with a fingerprint.

    Raises:
        FingerprintMismatch: the model has another one now.
    """
    if embedder.fingerprint.digest != fingerprint:
        raise FingerprintMismatch(
            f"The model {model} has the fingerprint {embedder.fingerprint.digest}, but this run was "
            f"planned with {fingerprint}: its weights or settings changed since.",
            "Put the old weights back and resume, or cancel this run and plan a new one.",
        )
