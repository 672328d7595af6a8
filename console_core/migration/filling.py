"""From catalog rows to points in a collection: read, decode, embed, write. Everything that embeds goes through here."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import islice
from typing import Any

from console_core.catalog.types import ImageRow, ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.meter import Meter, Stage
from console_core.engine.opening import Pipelines, open_pipeline
from console_core.engine.ordered import in_order
from console_core.engine.pacer import Pacer
from console_core.engine.types import Embedded, Pipeline
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.migration.batch import Fetched, Filled, Passed
from console_core.migration.behind import WriteBehind
from console_core.migration.breaker import MODEL_ERROR, STORE_REFUSED, Breaker
from console_core.migration.caution import Caution
from console_core.migration.current import ALREADY_EMBEDDED, current_keys
from console_core.migration.writing import write
from console_core.runs.types import FailedPicture, Failure
from console_core.vectorstore.provenance import Provenance, application_payload, picture_key, point_id
from console_core.vectorstore.types import Payload, Point, Vector, VectorStore

QUARANTINED = "quarantined"

FailedAmong = Callable[[str, Sequence[str]], Mapping[str, FailedPicture]]
"""Those of the keys whose failure in a collection stands, by key."""


class Filling:
    """Writes the pictures of rows into a collection, in the name of a run. One bad picture costs only itself."""

    def __init__(
        self,
        store: VectorStore,
        images: ImageStore,
        embedder: Embedder,
        target: str,
        run: str,
        *,
        failed_among: FailedAmong,
        mode: Mode | None = None,
        keeps: bool = True,
        pictures: int = 0,
        pipelines: Pipelines = open_pipeline,
    ) -> None:
        """`mode` is how pictures are decoded; None: as those that the target has. `keeps`: points may be there already,
        and what an application added to their payload stays on them. `pictures` says about how many are to be embedded,
        where that is known. `pipelines` opens what embeds them.
        """
        self._pipelines = pipelines
        self._pictures = pictures
        self._store = store
        self._images = images
        self._embedder = embedder
        self._target = target
        self._run = run
        self._failed_among = failed_among
        self._mode = mode or mode_of(store, target)
        self._keeps = keeps
        self._writers = 1 if store.info().embedded else 2
        self._meter = Meter({Stage.WRITE: self._writers})
        self._pacer = Pacer(self._meter, mode=self._mode, device=embedder.device)
        self.breaker = Breaker(images.location, embedder.card.key, self._said_of_the_store)

    def batches(
        self,
        rows: Iterable[ImageRow],
        size: Callable[[], int],
        *,
        fills: bool,
        heed_quarantine: bool = True,
        known_count: bool = False,
    ) -> Iterator[Filled]:
        """Embed rows batch by batch, in their order; each is written when it is yielded.

        Pictures in quarantine are passed over where it is heeded, and with `fills` those whose point is current. The
        size is asked before each batch, which is smaller where so many take too long. While one batch is written, the
        next is embedded. Where pictures fail throughout, nothing is read beyond the breaker's limit; with `known_count`
        pictures that failed before count for it too.

        Raises:
            FailsThroughout: after the batch was yielded with which the breaker tripped.
            StoreError: as `fill`.
        """
        known: set[str] = set()

        def looked_at() -> Iterator[tuple[ImageRow, Passed | None]]:
            upcoming = iter(rows)
            while group := list(islice(upcoming, size())):
                passed: dict[str, str] = {}
                standing = self._failed_among(self._target, [row.key for row in group])
                if not known_count:
                    known.update(standing)
                if heed_quarantine:
                    passed.update((key, QUARANTINED) for key, one in standing.items() if one.quarantined_by)
                if fills:
                    current = current_keys(self._store, self._target, self._embedder.fingerprint.digest, group)
                    passed.update(dict.fromkeys(current, ALREADY_EMBEDDED))
                for row in group:
                    yield row, Passed(passed[row.key]) if row.key in passed else None

        with ExitStack() as parts:
            pipeline = self._open()
            parts.callback(pipeline.close)
            parts.enter_context(self._pacer.watching(pipeline))
            caution = Caution(self.breaker, pipeline.capacity, known)
            behind = parts.enter_context(WriteBehind(self.fill, self._writers))
            fetched = parts.enter_context(closing(in_order(pipeline, looked_at(), caution.ahead)))
            while batch := caution.next_batch(fetched, size()):
                written = behind.add(batch, wait=caution.careful)
                yield from self._counted(written, caution, last=caution.ended)
            yield from self._counted(behind.rest(), caution, last=True)

    def _counted(
        self, written: Iterable[tuple[Sequence[Fetched], Filled]], caution: Caution, *, last: bool = False
    ) -> Iterator[Filled]:
        for batch, filled in written:
            caution.count(batch, filled)
            with self._pacer.holding():
                yield replace(filled, pace=self.pace(last=last))
            self.breaker.check()

    def pace(self, *, last: bool = False) -> dict[str, Any] | None:
        """The pace of the work as JSON, where one is due or this is the last chance to tell it."""
        pace = self._pacer.pace(last=last)
        return pace.as_json() if pace is not None else None

    def _open(self) -> Pipeline:
        return self._pipelines(self._images, [self._embedder], self._mode, pictures=self._pictures)

    def fetched(self, rows: Iterable[ImageRow]) -> Iterator[tuple[ImageRow, Embedded | ImageError]]:
        """Rows with the vectors of their pictures, in order. Nothing is written."""
        pipeline = self._open()
        alone: Iterable[tuple[ImageRow, None]] = ((row, None) for row in rows)
        with (
            closing(pipeline),
            self._pacer.watching(pipeline),
            closing(in_order(pipeline, alone, lambda: pipeline.capacity)) as found,
        ):
            yield from found

    def fill(self, batch: Sequence[Fetched]) -> Filled:
        """Write a batch; returns after the store acknowledged it.

        Raises:
            StoreError: the batch may have been written in part; writing it again is harmless.
        """
        failures = [_failure(row, found) for row, found in batch if isinstance(found, ImageError)]
        pictures: list[tuple[ImageRow, Embedded, Vector]] = []
        for row, found in batch:
            if isinstance(found, Embedded):
                (answer,) = found.answers
                if isinstance(answer, ModelOutputInvalid):
                    failures.append(Failure(row.key, MODEL_ERROR, answer.message, _path(row)))
                else:
                    pictures.append((row, found, answer))
        with self._meter.busy(Stage.WRITE, len(pictures)):
            kept = self._kept([row for row, _, _ in pictures])
            points = {
                row.key: self._point(row, found, vector, kept.get(row.key, {})) for row, found, vector in pictures
            }
            refusals = write(self._store, self._target, list(points.values()))
        refused = [
            Failure(row.key, STORE_REFUSED, refusals[points[row.key].id].message, _path(row))
            for row, _, _ in pictures
            if points[row.key].id in refusals
        ]
        written = {key: point for key, point in points.items() if point.id not in refusals}
        return Filled(
            tuple(written.values()),
            (*failures, *refused),
            tuple(written),
            {row.key: found.reason for row, found in batch if isinstance(found, Passed)},
            batch[-1][0].key if batch else "",
            Counter(found.decoder for row, found, _ in pictures if row.key in written),
            sum(key in kept for key in written),
        )

    def _kept(self, rows: Sequence[ImageRow]) -> dict[str, Payload]:
        """What an application wrote on the rows' points beside the catalog, by key."""
        if not self._keeps or not rows:
            return {}
        keys = {point_id(row.key): row.key for row in rows}
        there = self._store.retrieve(self._target, list(keys))
        return {
            keys[point.id]: application_payload(point.payload)
            for point in there
            if picture_key(point.id, point.payload) in (keys[point.id], str(point.id))
        }

    def _said_of_the_store(self) -> str:
        info = self._store.info()
        return f"The store {info.location} ({self._target})"

    def _point(self, row: ImageRow, picture: Embedded, vector: Vector, kept: Payload) -> Point:
        made = Provenance(
            key=row.key,
            revision=row.revision,
            content=picture.content,
            fingerprint=self._embedder.fingerprint.digest,
            run=self._run,
            embedded_at=picture.read_at.isoformat(timespec="seconds"),
        )
        return Point(point_id(row.key), vector, {**kept, **row.payload, **made.as_payload()})


def _failure(row: ImageRow, error: ImageError) -> Failure:
    return Failure(row.key, error.kind, error.message, error.path or _path(row), error.read_at)


def _path(row: ImageRow) -> str:
    return row.candidates[0] if row.candidates else ""


def mode_of(store: VectorStore, collection: str) -> Mode:
    """How pictures are to be decoded for a collection: as those that it has, where that is recorded."""
    stamp = store.describe(collection).stamp
    return Mode(stamp.preprocess) if stamp and stamp.preprocess in set(Mode) else Mode.FAST
