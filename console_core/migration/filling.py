"""From catalog rows to points in a collection: read, decode, embed, write. Everything that embeds goes through here."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from console_core.catalog.fetching import fetch
from console_core.catalog.loading import load
from console_core.catalog.types import ImageRow, ImageStore
from console_core.database import now
from console_core.embedding.types import Embedder, Prepared
from console_core.errors import ImageError, ModelOutputInvalid, StoreRefused
from console_core.runs.types import Failure
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import Payload, Point, Vector, VectorStore

MODEL_ERROR = "model error"
DECODING_THREADS = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is ready to be embedded, and the digest of its bytes."""

    prepared: Prepared
    content: str


Fetched = tuple[ImageRow, Picture | ImageError]
"""A row with its picture, or why it cannot be had."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a batch: the points that the store acknowledged, and the pictures that failed."""

    points: tuple[Point, ...]
    failures: tuple[Failure, ...]


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
        workers: int = DECODING_THREADS,
    ) -> None:
        self._store = store
        self._images = images
        self._embedder = embedder
        self._target = target
        self._run = run
        self._workers = workers

    def fetched(self, rows: Iterable[ImageRow], *, ahead: int) -> Iterator[Fetched]:
        """Rows with their pictures, in order; reading and decoding run up to `ahead` rows before, on threads."""
        return fetch(rows, self._picture, workers=self._workers, ahead=ahead)

    def embedded(self, batch: Sequence[Fetched]) -> tuple[dict[str, Vector], list[Failure]]:
        """The vectors of a batch by catalog key, and what failed. Nothing is written."""
        pictures = [(row, found) for row, found in batch if isinstance(found, Picture)]
        failures = [_failure(row, found) for row, found in batch if isinstance(found, ImageError)]
        vectors, refused = _vectors(self._embedder, pictures)
        return vectors, [*failures, *refused]

    def fill(self, batch: Sequence[Fetched], kept: Mapping[str, Payload] | None = None) -> Filled:
        """Embed a batch and write it; returns after the store acknowledged it.

        `kept` are payloads by catalog key whose fields stay on the points, unless the catalog tells them.

        Raises:
            StoreError: the batch may have been written in part; writing it again is harmless.
        """
        kept = kept or {}
        vectors, failures = self.embedded(batch)
        points = [
            self._point(row, found, vectors[row.key], kept.get(row.key, {}))
            for row, found in batch
            if isinstance(found, Picture) and row.key in vectors
        ]
        if points and (acknowledged := self._store.upsert(self._target, points)) != len(points):
            raise StoreRefused(
                f"The store acknowledged {acknowledged} of {len(points)} points written to {self._target}.",
                "Look at the store's log, then resume: the batch is written again with the same ids.",
            )
        return Filled(tuple(points), tuple(failures))

    def _picture(self, row: ImageRow) -> Picture:
        loaded = load(row, self._images)
        return Picture(self._embedder.prepare(loaded.image), loaded.content)

    def _point(self, row: ImageRow, picture: Picture, vector: Vector, kept: Payload) -> Point:
        made = Provenance(
            key=row.key,
            revision=row.revision,
            content=picture.content,
            fingerprint=self._embedder.fingerprint.digest,
            run=self._run,
            embedded_at=now().isoformat(timespec="seconds"),
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
            return {}, [Failure(row.key, MODEL_ERROR, error.message, row.candidates[0] if row.candidates else "")]
        singly = [_vectors(embedder, [one]) for one in pictures]
        found = {key: vector for good, _ in singly for key, vector in good.items()}
        return found, [failure for _, bad in singly for failure in bad]
    return {row.key: vector for (row, _), vector in zip(pictures, vectors, strict=True)}, []


def _failure(row: ImageRow, error: ImageError) -> Failure:
    return Failure(row.key, error.kind, error.message, error.path or (row.candidates[0] if row.candidates else ""))
