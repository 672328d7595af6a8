"""What a mode and a precision move: against exact pixels, and against float32."""

import numpy as np

from benchmarks.throughput.images import Pictures
from console_core.catalog.encoded import read_header
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder, Pixels, Vectors
from console_core.engine.preparing import prepared

PICTURES = 64


def parity(model: Embedder, reference: Embedder, pictures: Pictures, mode: Mode) -> dict[str, float]:
    """The lowest cosine and the largest difference in levels of 255 over some pictures.

    `mode` against exact pixels on the reference, which is in float32; the model against the reference on exact pixels.
    """
    data = [(pictures.folder / file).read_bytes() for file in pictures.files[:PICTURES]]
    exact, ours = (
        [prepared(read_header(one, "", quick=way is not Mode.EXACT), [model.preprocessing], way)[0] for one in data]
        for way in (Mode.EXACT, mode)
    )
    wanted = reference.embed_images(exact)
    return {
        "lowest cosine of the mode": _lowest(wanted, reference.embed_images(ours)),
        "lowest cosine of the precision": _lowest(wanted, model.embed_images(exact)),
        "largest difference in levels": max(map(_levels, exact, ours)),
        "lowest PSNR in dB": min(map(_psnr, exact, ours)),
    }


def _lowest(one: Vectors, other: Vectors) -> float:
    return float(np.min(np.sum(one.astype(np.float64) * other, axis=1)))


def _levels(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).max())


def _psnr(one: Pixels, other: Pixels) -> float:
    error = float(np.mean((one.astype(float) - other) ** 2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
