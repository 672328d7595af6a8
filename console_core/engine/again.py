"""Stored points beside what the model gives now for their pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from console_core.catalog.encoded import read_header
from console_core.catalog.loading import content_digest, most_telling
from console_core.catalog.types import ImageCatalog, ImageRow, ImageStore
from console_core.embedding.preprocessing import Mode, Preprocessing
from console_core.embedding.types import Embedder, Pixels
from console_core.engine.answering import answers
from console_core.engine.preparing import prepared
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.vectorstore.provenance import picture_key, provenance
from console_core.vectorstore.types import Point, Vector

SAME = 0.999
"""Cosine from which a re-embedded picture counts as the same: above bf16 rounding, below any other picture."""
_AT_A_TIME = 16


@dataclass(frozen=True, slots=True)
class Again:
    """A stored point and what its picture gives now.

    `row` is None where the catalog has no such picture, `pixels` are what the model saw of it. `vector` is None where
    the picture cannot be had or the model cannot say; `trouble` says why, in the word of its class of failure.
    `changed`: the picture's file is another one than that which was embedded, as far as the point says.
    """

    point: Point
    row: ImageRow | None = None
    pixels: Pixels | None = None
    vector: Vector | None = None
    changed: bool = False
    trouble: str = ""

    @property
    def cosine(self) -> float | None:
        """Between the stored and the new vector, whatever the stored one's length; None where one is not there."""
        if self.vector is None or self.point.vector is None or self.vector.shape != self.point.vector.shape:
            return None
        length = float(np.linalg.norm(self.point.vector))
        return float(self.vector @ self.point.vector) / length if np.isfinite(length) and length else None


def embedded_again(
    points: Sequence[Point],
    catalog: ImageCatalog,
    images: ImageStore,
    embedder: Embedder,
    *,
    mode: Mode = Mode.EXACT,
) -> Iterator[Again]:
    """Each point, read with its vector, beside what its picture gives; in the order of the points, some at a time.

    Raises:
        CatalogError, DeviceOutOfMemory, DeviceLost
    """
    for start in range(0, len(points), _AT_A_TIME):
        some = points[start : start + _AT_A_TIME]
        rows = {row.key: row for row in catalog.get([picture_key(point.id, point.payload) for point in some])}
        looked = [
            _looked(point, rows.get(picture_key(point.id, point.payload)), images, embedder, mode) for point in some
        ]
        pixels = [one.pixels for one in looked if one.pixels is not None]
        given = iter(answers(embedder, np.stack(pixels)) if pixels else ())
        for one in looked:
            answer = None if one.pixels is None else next(given)
            if isinstance(answer, ModelOutputInvalid):
                yield replace(one, trouble="model error")
            else:
                yield replace(one, vector=answer)


def looked_at(
    row: ImageRow, images: ImageStore, sizes: Sequence[Preprocessing], mode: Mode
) -> tuple[list[Pixels], str]:
    """The pixels that each preprocessing makes of the first of a row's candidates that is a picture, and the digest of
    its bytes.

    Raises:
        ImageError: none is; see `catalog.loading.load`.
    """
    failures: list[ImageError] = []
    for path in row.candidates:
        try:
            data = images.read(path)
            header = read_header(data, path, quick=mode is not Mode.EXACT)
            return prepared(header, sizes, mode), content_digest(data)
        except ImageError as failure:
            failures.append(failure)
    raise most_telling(row, failures)


def _looked(point: Point, row: ImageRow | None, images: ImageStore, embedder: Embedder, mode: Mode) -> Again:
    if row is None:
        return Again(point, trouble="not in the catalog")
    try:
        (pixels,), content = looked_at(row, images, [embedder.preprocessing], mode)
    except ImageError as failure:
        return Again(point, row, trouble=failure.kind)
    origin = provenance(point.payload)
    changed = origin is not None and origin.content not in ("", content)
    return Again(point, row, pixels, changed=changed)
