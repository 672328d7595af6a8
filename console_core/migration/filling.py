"""From catalog rows to points in a collection: read, decode, embed, write. Everything that embeds goes through here."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from console_core.catalog.fetching import fetch
from console_core.catalog.loading import load
from console_core.catalog.types import ImageRow, ImageStore
from console_core.database import now
from console_core.embedding.types import Embedder, Pixels
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.migration.breaker import MODEL_ERROR, STORE_REFUSED, Breaker
from console_core.migration.current import ALREADY_EMBEDDED, current_keys
from console_core.migration.writing import write
from console_core.runs.types import FailedPicture, Failure
from console_core.vectorstore.provenance import Provenance, application_payload, picture_key, point_id
from console_core.vectorstore.types import Payload, Point, Vector, VectorStore

DECODING_THREADS = 2
QUARANTINED = "quarantined"

FailedAmong = Callable[[str, Sequence[str]], Mapping[str, FailedPicture]]
"""Those of the keys whose failure in a collection stands, by key."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is ready to be embedded, the digest of its bytes, and when these began to be read."""

    prepared: Pixels
    content: str
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """A picture that is not to be embedded, and why."""

    reason: str


Fetched = tuple[ImageRow, Picture | ImageError | Passed]
"""A row with its picture, or why it cannot be had, or why it is passed over."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a batch: the points that the store acknowledged with the keys of their pictures, the pictures
    that failed, and by key why others were passed over. `last` is the key of the last row."""

    points: tuple[Point, ...]
    failures: tuple[Failure, ...]
    keys: tuple[str, ...] = ()
    passed: Mapping[str, str] = field(default_factory=dict)
    last: str = ""

    @property
    def cleared(self) -> tuple[str, ...]:
        """Keys of the pictures that the target has now: an earlier failure of theirs stands no more."""
        return (*self.keys, *(key for key, reason in self.passed.items() if reason == ALREADY_EMBEDDED))


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
        workers: int = DECODING_THREADS,
        keeps: bool = True,
    ) -> None:
        """`keeps`: points may be there already, and what an application added to their payload stays on them."""
        self._store = store
        self._images = images
        self._embedder = embedder
        self._target = target
        self._run = run
        self._failed_among = failed_among
        self._workers = workers
        self._keeps = keeps
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
        size is asked before each batch. Where pictures fail throughout, nothing is read beyond the breaker's limit;
        with `known_count` pictures that failed before count for it too.

        Raises:
            FailsThroughout: after the batch was yielded with which the breaker tripped.
            StoreError: as `fill`.
        """
        passed: dict[str, str] = {}
        known: set[str] = set()
        in_hand = 0

        def looked_at() -> Iterator[ImageRow]:
            upcoming = iter(rows)
            while group := list(islice(upcoming, size())):
                standing = self._failed_among(self._target, [row.key for row in group])
                known.update(standing)
                if heed_quarantine:
                    passed.update((key, QUARANTINED) for key, one in standing.items() if one.quarantined_by)
                if fills:
                    current = current_keys(self._store, self._target, self._embedder.fingerprint.digest, group)
                    passed.update(dict.fromkeys(current, ALREADY_EMBEDDED))
                yield from group

        def found(row: ImageRow) -> Picture | Passed:
            return Passed(passed[row.key]) if row.key in passed else self._picture(row)

        def ahead() -> int:
            return min(2 * size(), self.breaker.room - in_hand)

        with closing(fetch(looked_at(), found, workers=self._workers, ahead=ahead)) as fetched:
            while True:
                batch: list[Fetched] = []
                for one in islice(fetched, min(size(), self.breaker.room)):
                    batch.append(one)
                    in_hand = len(batch)
                if not batch:
                    return
                in_hand = 0
                filled = self.fill(batch)
                self._count(batch, filled, set() if known_count else known)
                known.difference_update(row.key for row, _ in batch)
                for row, _ in batch:
                    passed.pop(row.key, None)
                yield filled
                self.breaker.check()

    def fetched(self, rows: Iterable[ImageRow], *, ahead: int) -> Iterator[tuple[ImageRow, Picture | ImageError]]:
        """Rows with their pictures, in order; reading and decoding run up to `ahead` rows before, on threads."""
        return fetch(rows, self._picture, workers=self._workers, ahead=ahead)

    def embedded(self, batch: Sequence[Fetched]) -> tuple[dict[str, Vector], list[Failure]]:
        """The vectors of a batch by catalog key, and what failed. Nothing is written."""
        pictures = [(row, found) for row, found in batch if isinstance(found, Picture)]
        failures = [_failure(row, found) for row, found in batch if isinstance(found, ImageError)]
        vectors, choked = _vectors(self._embedder, pictures)
        return vectors, [*failures, *choked]

    def fill(self, batch: Sequence[Fetched]) -> Filled:
        """Embed a batch and write it; returns after the store acknowledged it.

        Raises:
            StoreError: the batch may have been written in part; writing it again is harmless.
        """
        vectors, failures = self.embedded(batch)
        pictures = [(row, found) for row, found in batch if isinstance(found, Picture) and row.key in vectors]
        kept = self._kept([row for row, _ in pictures])
        points = {row.key: self._point(row, found, vectors[row.key], kept.get(row.key, {})) for row, found in pictures}
        refusals = write(self._store, self._target, list(points.values()))
        refused = [
            Failure(row.key, STORE_REFUSED, refusals[points[row.key].id].message, _path(row))
            for row, _ in pictures
            if points[row.key].id in refusals
        ]
        written = {key: point for key, point in points.items() if point.id not in refusals}
        return Filled(
            tuple(written.values()),
            (*failures, *refused),
            tuple(written),
            {row.key: found.reason for row, found in batch if isinstance(found, Passed)},
            batch[-1][0].key if batch else "",
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

    def _count(self, batch: Sequence[Fetched], filled: Filled, known: Collection[str]) -> None:
        failures = {failure.key: failure for failure in filled.failures}
        for row, found in batch:
            if not isinstance(found, Passed) and not (row.key in failures and row.key in known):
                self.breaker.count(failures.get(row.key))

    def _said_of_the_store(self) -> str:
        info = self._store.info()
        return f"The store {info.location} ({self._target})"

    def _picture(self, row: ImageRow) -> Picture:
        read_at = now()
        try:
            loaded = load(row, self._images)
        except ImageError as error:
            error.read_at = read_at
            raise
        return Picture(self._embedder.preprocessing.exact(loaded.image), loaded.content, read_at)

    def _point(self, row: ImageRow, picture: Picture, vector: Vector, kept: Payload) -> Point:
        made = Provenance(
            key=row.key,
            revision=row.revision,
            content=picture.content,
            fingerprint=self._embedder.fingerprint.digest,
            run=self._run,
            embedded_at=picture.read_at.isoformat(timespec="seconds"),
        )
        return Point(point_id(row.key), vector, {**kept, **row.payload, **made.as_payload()})


def _vectors(
    embedder: Embedder, pictures: Sequence[tuple[ImageRow, Picture]]
) -> tuple[dict[str, Vector], list[Failure]]:
    """Vectors by key. Where the model chokes on a batch, each picture is tried alone, so that one costs only itself."""
    if not pictures:
        return {}, []
    try:
        vectors = embedder.embed_images([picture.prepared for _, picture in pictures])
    except ModelOutputInvalid as error:
        if len(pictures) == 1:
            row = pictures[0][0]
            return {}, [Failure(row.key, MODEL_ERROR, error.message, _path(row))]
        singly = [_vectors(embedder, [one]) for one in pictures]
        found = {key: vector for good, _ in singly for key, vector in good.items()}
        return found, [failure for _, bad in singly for failure in bad]
    return {row.key: vector for (row, _), vector in zip(pictures, vectors, strict=True)}, []


def _failure(row: ImageRow, error: ImageError) -> Failure:
    return Failure(row.key, error.kind, error.message, error.path or _path(row), error.read_at)


def _path(row: ImageRow) -> str:
    return row.candidates[0] if row.candidates else ""
