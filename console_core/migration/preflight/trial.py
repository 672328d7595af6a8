"""A trial on a few real pictures: how fast is it here, and can the pictures be read at all?"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from console_core.catalog.loading import load
from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore, Slice
from console_core.embedding.types import Embedder, Pixels
from console_core.errors import ConsoleError, ImageError, ModelOutputInvalid

PICTURES = 16
PATIENCE = 4.0
"""Seconds after which no further picture is tried."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How many pictures were tried, those that failed, and of the others pictures a second and numbers a vector."""

    tried: int
    failures: tuple[ConsoleError, ...]
    rate: float
    dimension: int = 0


def trial(catalog: ImageCatalog, images: ImageStore, embedder: Embedder, part: Slice) -> Trial:
    """Load and embed the first pictures of the slice, one after the other; nothing is written."""
    failures: list[ConsoleError] = []
    prepared: list[Pixels] = []
    started = time.perf_counter()
    for row in _first(catalog, part):
        try:
            prepared.append(embedder.preprocessing.exact(load(row, images).image))
        except ImageError as error:
            failures.append(error)
        if time.perf_counter() - started > PATIENCE:
            break
    reading = time.perf_counter() - started
    tried = len(prepared) + len(failures)
    if not prepared:
        return Trial(tried, tuple(failures), 0.0)
    good = _embeddable(prepared, embedder, failures)
    if not good:
        return Trial(tried, tuple(failures), 0.0)
    embedder.embed_images(good[:1])
    started = time.perf_counter()
    vectors = embedder.embed_images(good)
    forward = time.perf_counter() - started
    return Trial(tried, tuple(failures), len(good) / max(reading + forward, 1e-6), vectors.shape[1])


def _embeddable(prepared: list[Pixels], embedder: Embedder, failures: list[ConsoleError]) -> list[Pixels]:
    """Those that the model can embed; as in a run, a picture that it chokes on costs only itself."""
    try:
        embedder.embed_images(prepared)
    except ModelOutputInvalid as error:
        if len(prepared) == 1:
            failures.append(error)
            return []
        return [one for single in prepared for one in _embeddable([single], embedder, failures)]
    return prepared


def _first(catalog: ImageCatalog, part: Slice) -> Iterator[ImageRow]:
    return islice(catalog.rows(part), PICTURES)
