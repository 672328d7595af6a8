"""Record which model made a collection, after asking the collection itself."""

import statistics
from dataclasses import dataclass
from itertools import islice

from console_core.catalog.types import ImageCatalog, ImageStore
from console_core.embedding.types import Embedder
from console_core.engine.again import embedded_again
from console_core.errors import Incomparable, Refused
from console_core.vectorstore.types import CollectionInfo, ModelStamp, VectorStore

SAMPLE = 16
AGREES = 0.98
"""Median cosine from which the stored vectors are this model's; older decoders and precisions stay above it."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a model explains a collection's vectors: `compared` pictures, their median and lowest cosine."""

    compared: int
    median: float
    lowest: float


def agreement(
    store: VectorStore, catalog: ImageCatalog, images: ImageStore, embedder: Embedder, collection: str
) -> Agreement:
    """Embed pictures of the collection's first points again and compare them with what is stored."""
    points, _ = store.page(collection, limit=4 * SAMPLE, vectors=True)
    found = embedded_again(points, catalog, images, embedder)
    compared = islice((one for one in found if one.cosine is not None), SAMPLE)
    cosines = [one.cosine for one in compared if one.cosine is not None]
    if not cosines:
        return Agreement(0, 0.0, 0.0)
    return Agreement(len(cosines), statistics.median(cosines), min(cosines))


def stamp(
    store: VectorStore,
    catalog: ImageCatalog,
    images: ImageStore,
    embedder: Embedder,
    info: CollectionInfo,
    *,
    unchecked: bool = False,
) -> ModelStamp:
    """Record the model. A claim that the collection's own vectors contradict is refused.

    With `unchecked` a collection whose pictures cannot be found or read is stamped on the person's word alone.

    Raises:
        Refused: the dimension differs, or the vectors are not this model's.
        Incomparable: none of them could be compared.
    """
    title = embedder.card.title
    if embedder.card.dimension != info.dimension:
        raise Refused(
            f"{title} makes vectors of {embedder.card.dimension} numbers, and {info.name} has {info.dimension}.",
            "Choose the model that made this collection.",
        )
    found = agreement(store, catalog, images, embedder, info.name)
    if found.compared and found.median < AGREES:
        raise Refused(
            f"{info.name} was not made by {title}: {found.compared} of its pictures embedded again agree only to a "
            f"median cosine of {found.median:.3f}.",
            "Choose the model that made this collection.",
        )
    if not found.compared and info.points and not unchecked:
        raise Incomparable(
            f"No picture of {info.name} could be found in the catalog and compared.",
            "Connect the catalog that it was made from, or stamp it unchecked if you are certain.",
        )
    digest = embedder.fingerprint.digest
    same = info.stamp is not None and info.stamp.fingerprint == digest
    recorded = ModelStamp(embedder.card.key, digest, info.stamp.preprocess if info.stamp and same else "")
    store.stamp(info.name, recorded)
    return recorded
