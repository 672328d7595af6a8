"""Fill a collection and the column of vectors in the application's table, and bring the two in step."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from console_core.catalog.column_writer import ColumnWriter
from console_core.catalog.embedding_column import ColumnVector, EmbeddingColumn
from console_core.catalog.types import EVERYTHING, ImageCatalog, ImageStore, Slice
from console_core.coverage.column import mismatch
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.errors import CollectionExists, CollectionNotFound, FingerprintMismatch, StoreRefused
from console_core.migration.batch import Filled
from console_core.migration.filling import FailedAmong, Filling
from console_core.migration.plan import USUAL_BATCH, mode_in
from console_core.migration.reembed import DECODERS, refuse_another_model
from console_core.migration.settling import added, settle
from console_core.migration.verify import LEFT_THE_CATALOG
from console_core.runs.types import Counts, Progress
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore

EMBEDDED = "embedded"
COLUMN = "column"
TOUCHED = "touched"
"""In a run's result: how many pictures it embedded, how many rows of the column it wrote, by why, and of how many of
these something of the application's (a trigger) changed the updated-at column too."""
GONE = "point deleted meanwhile"
"""Why a picture is not in step: something else deleted its point right after it was written."""


@dataclass(frozen=True, slots=True)
class GeneratePlan:
    """Bring the catalog's slice `part` in step: each picture has a current point in `collection`, made by `model`, and
    its row has that point's vector.

    With `makes` the collection is not there yet and is made, of `dimension` numbers, its pictures decoded in `mode`.
    """

    collection: str
    model: str
    fingerprint: str
    dimension: int
    part: Slice = EVERYTHING
    batch_size: int = USUAL_BATCH
    mode: Mode = Mode.FAST
    makes: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"version": 1, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "GeneratePlan":
        """The plan as stored; the reverse of `as_json`."""
        fields = {name: value for name, value in data.items() if name != "version"}
        return cls(**{**fields, "part": Slice.from_json(fields["part"]), "mode": mode_in(fields)})


class Generate:
    """Embed what the collection lacks, then write to the column what differs there, then record it: store first, column
    second, ledger last, batch by batch in the catalog's order.

    A row is `done` once its column has the vector of its current point, whoever put it there, so that a run that is
    resumed counts like one that was never stopped. The result tells what it did: the pictures that it EMBEDDED, and the
    rows of the COLUMN that it wrote by why. What was written and not recorded before a crash is found in step, and is
    missing from that last number.
    """

    def __init__(
        self,
        plan: GeneratePlan,
        run: str,
        *,
        catalog: ImageCatalog,
        column: EmbeddingColumn,
        images: ImageStore,
        store: VectorStore,
        embedder: Callable[[], Embedder],
        failed_among: FailedAmong,
        batch_size: Callable[[], int] | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """`before` is the result of earlier attempts."""
        self._plan = plan
        self._run = run
        self._catalog = catalog
        self._column = column
        self._images = images
        self._store = store
        self._embedder = embedder
        self._failed_among = failed_among
        self._batch_size = batch_size or (lambda: plan.batch_size)
        told = before or {}
        self._embedded = int(told.get(EMBEDDED, 0))
        self._written = Counter(told.get(COLUMN, {}))
        self._touched = int(told.get(TOUCHED, 0))
        self._decoded = Counter(told.get(DECODERS, {}))

    def steps(self, checkpoint: str, counts: Counts) -> Iterator[Progress]:
        """See `runs.types.Operation`.

        Raises:
            FingerprintMismatch: the model, or the collection, is not the one that the run was planned with.
            CollectionNotFound, StoreRefused: the collection, or points that this run wrote, were deleted meanwhile.
            FailsThroughout: picture after picture failed.
            CatalogUnavailable, CatalogInvalid: the column cannot be written.
            StoreError
        """
        plan, embedder = self._plan, self._embedder()
        refuse_another_model(embedder, plan.model, plan.fingerprint)
        self._prepare_collection(begins=not checkpoint)
        filling = Filling(
            self._store,
            self._images,
            embedder,
            plan.collection,
            self._run,
            failed_among=self._failed_among,
            pictures=counts.pending,
        )
        remaining, reached = True, None
        with ColumnWriter(self._column) as writer:
            while remaining and checkpoint != reached:  # pictures are added while the last page is at work
                reached = checkpoint
                rows = self._catalog.rows(plan.part, after=checkpoint or None)
                for filled in filling.batches(rows, self._batch_size, fills=True):
                    counts, checkpoint = self._settled(counts, filled, writer), filled.last
                    yield Progress(
                        checkpoint,
                        counts,
                        filled.failures,
                        cleared=filled.cleared,
                        result=self._result(filled),
                        pace=filled.pace,
                    )
                remaining = self._catalog.count(plan.part, after=checkpoint or None) > 0
        if counts.pending > 0 and not remaining:
            skipped = added(counts.skipped, LEFT_THE_CATALOG, counts.pending)
            yield Progress(checkpoint, replace(counts, skipped=skipped))

    def _prepare_collection(self, *, begins: bool) -> None:
        """A collection that lost what this run wrote must not pass for complete: going on would fill only the rest."""
        plan, again = self._plan, "Cancel this run and generate again: it embeds what is missing."
        if plan.makes and begins:
            stamp = ModelStamp(plan.model, plan.fingerprint, plan.mode.value)
            with suppress(CollectionExists):
                self._store.create(plan.collection, CollectionSpec(plan.dimension, stamp=stamp))
        try:
            found = self._store.describe(plan.collection)
        except CollectionNotFound as error:
            raise CollectionNotFound(f"{plan.collection} was deleted since this run was planned.", again) from error
        if found.stamp is None or found.stamp.fingerprint != plan.fingerprint:
            raise FingerprintMismatch(
                f"{plan.collection} is not the collection any more that was to be filled: another model made it.",
                "Cancel this run.",
            )
        if found.points < self._embedded:
            told = f"{plan.collection} holds {found.points:,} points, but this run has written {self._embedded:,}"
            raise StoreRefused(f"{told}: some were deleted.", again)

    def _settled(self, counts: Counts, filled: Filled, writer: ColumnWriter) -> Counts:
        """Write a batch's rows of the column, and count it."""
        there = filled.cleared
        found = {point.id: point for point in self._read(there)}
        points = {key: found[point_id(key)] for key in there if point_id(key) in found}
        held = self._column.at(points)
        changes: list[tuple[str, ColumnVector]] = []
        for key, point in points.items():
            vector = point.vector
            wrong = mismatch(held[key], vector, self._plan.model) if key in held and vector is not None else None
            if vector is not None and wrong is not None:
                changes.append((key, vector))
                self._written[str(wrong)] += 1
        writer.write(changes, self._plan.model)
        self._keep_current(points, writer.moved)
        self._embedded += sum(_made_by(points[key], self._run) for key in held)
        left, gone = len(points) - len(held), len(there) - len(points)
        skipped = added(added(counts.skipped, LEFT_THE_CATALOG, left), GONE, gone)
        passed = {key: reason for key, reason in filled.passed.items() if key not in there}
        settled = settle(replace(counts, skipped=skipped), replace(filled, points=(), passed=passed))
        settled = replace(settled, done=settled.done + len(held))
        return replace(settled, selected=max(settled.selected, settled.settled))

    def _keep_current(self, points: Mapping[str, Point], moved: Mapping[str, tuple[str, str]]) -> None:
        """Rows whose updated-at column our own write changed are no edits: their points follow. Before that their
        picture counts as edited, so that a crash in between has it embedded once more."""
        current: list[Point] = []
        for key, (before, now) in moved.items():
            made = provenance(points[key].payload)
            if made is not None and made.revision == before:
                told = replace(made, revision=now).as_payload()
                current.append(replace(points[key], payload={**points[key].payload, **told}))
        if current:
            self._store.upsert(self._plan.collection, current, as_is=True)
        self._touched += len(moved)

    def _read(self, keys: Sequence[str]) -> Sequence[Point]:
        """Points with their vectors as the store has them, which may round: the column gets the same."""
        ids = [point_id(key) for key in keys]
        return self._store.retrieve(self._plan.collection, ids, vectors=True) if ids else ()

    def _result(self, filled: Filled) -> dict[str, Any]:
        self._decoded.update(filled.decoders)
        touched = {TOUCHED: self._touched} if self._touched else {}
        return {EMBEDDED: self._embedded, COLUMN: dict(self._written), DECODERS: dict(self._decoded), **touched}


def _made_by(point: Point, run: str) -> bool:
    made = provenance(point.payload)
    return made is not None and made.run == run
