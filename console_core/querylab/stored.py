"""The vector that a collection has of a catalog's picture."""

import numpy as np

from console_core.errors import FingerprintMismatch, NotFound, VectorInvalid
from console_core.vectorstore.provenance import point_id, provenance
from console_core.vectorstore.types import CollectionInfo, Vector, VectorStore


def vector_of(store: VectorStore, info: CollectionInfo, key: str) -> Vector:
    """The vector that a collection has of the picture of a catalog key.

    Raises:
        NotFound: it has no such picture.
        FingerprintMismatch: another model made that vector than made the collection.
        VectorInvalid: it is none that can be asked with.
        StoreError
    """
    found = store.retrieve(info.name, [point_id(key)], vectors=True)
    if not found:
        raise NotFound(
            f'The collection "{info.name}" has no point of picture {key}.',
            "Look at the picture in Coverage, and fill the gaps of the collection.",
        )
    (point,) = found
    origin = provenance(point.payload)
    if info.stamp and origin and origin.fingerprint not in ("", info.stamp.fingerprint):
        raise FingerprintMismatch(
            f'The point of picture {key} in "{info.name}" was made by another model than the collection.',
            "Re-embed that picture: Coverage lists it as stale.",
        )
    if point.vector is None or not np.isfinite(point.vector).all():
        raise VectorInvalid(
            f'The point of picture {key} in "{info.name}" has no usable vector.', "Verify and repair the collection."
        )
    return point.vector
