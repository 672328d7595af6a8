"""How far the chosen mode is from exact mode: pictures and vectors of the trial beside those that Pillow gives."""

import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from console_core.catalog.encoded import JPEG, read_header
from console_core.catalog.types import ImageRow, ImageStore
from console_core.embedding.device import usable_cores
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder, Pixels
from console_core.engine.answering import answers
from console_core.engine.budget import Budget
from console_core.engine.preparing import prepared
from console_core.engine.shape import DECODING
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.migration.findings import Finding, Parity, block, info, warn
from console_core.migration.stamp import AGREES
from console_core.vectorstore.types import Vector

PATIENCE = 4.0
"""Seconds after which no further picture is compared."""
NEAR = 0.999
"""The cosine from which a mode is as good as exact mode: about what other precisions and decoders change."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """One picture both ways: what the model sees in exact mode, by how many levels that is off in the chosen one, and
    who decoded which kind of file there."""

    exact: Pixels
    levels: int
    decoder: str
    kind: str


def compare(
    images: ImageStore, embedder: Embedder, mode: Mode, embedded: Sequence[tuple[ImageRow, Vector]]
) -> Parity | None:
    """Vectors that the pipeline made in this mode, beside those of exact pixels; None where there are none.

    Raises:
        ModelError: not even one picture fits into the device's memory.
    """
    until = time.monotonic() + PATIENCE
    cosines: list[float] = []
    looked: list[_Looked] = []
    look = partial(_look, images, embedder, mode, Budget(DECODING))
    with ThreadPoolExecutor(usable_cores()) as threads:
        for some in _groups(embedded, max(1, min(embedder.batch, 16))):
            both = [
                (one, vector)
                for one, (_, vector) in zip(threads.map(look, [row for row, _ in some]), some, strict=True)
                if one is not None
            ]
            looked += [one for one, _ in both]
            exact = answers(embedder, np.stack([one.exact for one, _ in both])) if both else []
            cosines += [
                min(float(answer @ vector), 1.0)
                for answer, (_, vector) in zip(exact, both, strict=True)
                if not isinstance(answer, ModelOutputInvalid)
            ]
            if time.monotonic() > until:
                break
    if not cosines:
        return None
    kinds = Counter(one.kind for one in looked if one.decoder != JPEG)
    decoders = Counter(one.decoder for one in looked)
    levels = max(one.levels for one in looked)
    return Parity(len(cosines), min(cosines), statistics.median(cosines), levels, dict(decoders), dict(kinds))


def about_parity(mode: Mode, found: Parity) -> Finding:
    """The figures in one sentence, and whether they are good enough."""
    told = f"{found.text(mode)}."
    if found.lowest < AGREES:
        return block(
            "parity",
            f"{told} Below {AGREES} a vector does not pass for this model's own: the console would refuse the "
            "collection's stamp, and search would not find what the model finds elsewhere.",
            f"Choose {nearer(mode)} mode (--mode {nearer(mode)}).",
        )
    if found.lowest < NEAR:
        return warn(
            "parity",
            f"{told} Below {NEAR} that is more than rounding: some pictures may change places in answers.",
            f"Choose {nearer(mode)} mode (--mode {nearer(mode)}), unless speed is worth that to you.",
        )
    return info("parity", told)


def nearer(mode: Mode) -> Mode:
    """The next mode that is nearer to exact mode."""
    return Mode.FAST if mode is Mode.TURBO else Mode.EXACT


def _look(images: ImageStore, embedder: Embedder, mode: Mode, budget: Budget, row: ImageRow) -> _Looked | None:
    """The first of a row's candidates that is a picture, both ways; None where there is none any more."""
    for path in row.candidates:
        try:
            data = images.read(path)
            chosen, plain = (read_header(data, path, quick=quick) for quick in (True, False))
            kind, sizes = chosen.kind, [embedder.preprocessing]
            with budget.room(plain.weight):
                (ours,), (exact,) = prepared(chosen, sizes, mode), prepared(plain, sizes, Mode.EXACT)
        except ImageError:
            continue
        levels = int(np.abs(ours.astype(np.int16) - exact.astype(np.int16)).max())
        told = "damaged JPEG" if kind == "JPEG" and chosen.decoder != JPEG else kind
        return _Looked(exact, levels, chosen.decoder, told)
    return None


def _groups(items: Sequence[tuple[ImageRow, Vector]], size: int) -> Iterator[Sequence[tuple[ImageRow, Vector]]]:
    return (items[start : start + size] for start in range(0, len(items), size))
