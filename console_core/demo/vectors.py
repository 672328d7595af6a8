"""Fill the demo's collection: every picture through the real catalog, image store, model and vector store."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from console_core.catalog.loading import LoadedImage, load
from console_core.catalog.local_files import LocalFiles
from console_core.catalog.sql import SqlCatalog
from console_core.catalog.types import ImageRow, ImageStore
from console_core.embedding.types import Embedder
from console_core.errors import ImageError
from console_core.settings import Settings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore

_BATCH = 64
_RUN = "demo"
"""What the points name as the run that wrote them."""


@dataclass(slots=True)
class Embedded:
    """Vectors by catalog key, and the class of failure of pictures that could not be embedded."""

    vectors: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)


def fill_collection(
    settings: Settings, embedder: Embedder, collection: str, alias: str, skip: set[int], report: Callable[[float], None]
) -> Embedded:
    """Make the collection, embed every picture of the catalog except those to skip, and set the alias.

    `report` is told the part (0 to 1) that is done.
    """
    stamp = ModelStamp(embedder.card.key, embedder.fingerprint.digest)
    images = LocalFiles(settings.image_roots)
    catalog = SqlCatalog(settings.catalog)
    store = open_store(settings.store)
    result = Embedded()
    try:
        store.create(collection, CollectionSpec(embedder.card.dimension, stamp=stamp))
        total = catalog.count() or 1
        rows = (row for row in catalog.rows() if int(row.key) not in skip)
        with one_thread():
            while batch := list(islice(rows, _BATCH)):
                _embed(batch, images, embedder, store, collection, result)
                report((len(result.vectors) + len(result.failures)) / total)
        store.set_alias(alias, collection, expected=None)
    finally:
        store.close()
        catalog.close()
    return result


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread: for models this small, two on busy cores are ten times slower."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _embed(
    rows: Sequence[ImageRow],
    images: ImageStore,
    embedder: Embedder,
    store: VectorStore,
    collection: str,
    result: Embedded,
) -> None:
    loaded = list(_loaded(rows, images, result))
    vectors = embedder.embed_images([embedder.preprocessing.exact(picture.image) for _, picture in loaded])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    points = []
    for (row, picture), vector in zip(loaded, vectors, strict=True):
        made = Provenance(row.key, row.revision, picture.content, embedder.fingerprint.digest, _RUN, now)
        points.append(Point(point_id(row.key), vector, {**row.payload, **made.as_payload()}))
        result.vectors[int(row.key)] = vector
    store.upsert(collection, points)


def _loaded(rows: Sequence[ImageRow], images: ImageStore, result: Embedded) -> Iterator[tuple[ImageRow, LoadedImage]]:
    for row in rows:
        try:
            yield row, load(row, images)
        except ImageError as failure:
            result.failures[int(row.key)] = failure.kind
