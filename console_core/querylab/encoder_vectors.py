"""Stored vectors beside new ones: which agree, and what those that do not look like. Nothing is written."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from console_core.catalog.types import ImageStore
from console_core.embedding.preprocessing import Interpolation, Mode, Preprocessing
from console_core.embedding.types import Embedder, Pixels, Vectors
from console_core.embedding.wiring import Inspectable, Otherwise
from console_core.engine.again import SAME, Again, looked_at
from console_core.errors import ImageError, ModelOutputInvalid
from console_core.querylab.encoder_report import Compared, Structure, Tried
from console_core.vectorstore.types import CollectionInfo, VectorStore

ROUNDED = 0.99
"""The same as `engine.again.SAME`, where vectors are stored quantized or in half precision."""
MOST_TRIED = 16
"""Pictures that disagree of which is tried what reproduces them."""
EXPLAINS = 0.9
"""The share of the pictures tried that a way must reproduce to be the explanation."""
FEWEST_ALIKE = 12
"""Pictures from which the structure of what is stored can be compared: 66 pairs."""
PERMUTATIONS = 999
_NEAREST = 10
"""Neighbours among which a vector is sought at another point: where lengths count, the nearest may be others."""
_OPENAI = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SCALES = {
    "without mean and deviation, in parts of 255 only": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "with the mean and deviation of OpenAI's CLIP": _OPENAI,
    "with the mean and deviation of ImageNet": _IMAGENET,
    "with mean and deviation 0.5, as SigLIP": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
_RESIZED: Mapping[Literal["shortest", "longest", "squash"], str] = {
    "shortest": "resized by the shorter side and cropped",
    "longest": "resized by the longer side and filled up",
    "squash": "squashed to the size without cropping",
}
_FILTERS: tuple[Interpolation, ...] = ("bilinear", "bicubic", "lanczos", "nearest")


def threshold(info: CollectionInfo) -> float:
    """The cosine that a stored vector must have to the new one."""
    return ROUNDED if info.quantization or info.wished_quantization else SAME


def compared(found: Sequence[Again], least: float) -> tuple[Compared, list[Again]]:
    """The numbers, and the pictures that disagree."""
    sound = [(one, cosine) for one in found if not one.changed and (cosine := one.cosine) is not None]
    bad = [one for one, cosine in sound if cosine < least]
    cosines = [cosine for _, cosine in sound]
    troubles = Counter(one.trouble for one in found if one.trouble and one.row is not None)
    numbers = Compared(
        pictures=len(sound),
        agreeing=len(sound) - len(bad),
        threshold=least,
        lowest=min(cosines, default=0.0),
        median=statistics.median(cosines) if cosines else 0.0,
        unknown=sum(one.row is None for one in found),
        changed=sum(one.changed for one in found),
        unreadable=dict(troubles),
    )
    return numbers, bad


def elsewhere(store: VectorStore, collection: str, found: Sequence[Again], bad: Sequence[Again], least: float) -> int:
    """How many of the pictures that disagree have their new vector stored at another point.

    First among the sample, then by asking the collection for the point nearest to the new vector.
    """
    known = [one.point for one in found if one.point.vector is not None]
    stored = _unit(np.stack([point.vector for point in known if point.vector is not None]))
    number = 0
    for one in bad:
        assert one.vector is not None
        near = [known[place].id for place in np.flatnonzero(stored @ one.vector >= least)]
        if not any(identifier != one.point.id for identifier in near):
            hits = [hit.id for hit in store.search(collection, one.vector, limit=_NEAREST) if hit.id != one.point.id]
            points = store.retrieve(collection, hits, vectors=True) if hits else []
            near = [p.id for p in points if p.vector is not None and _cosine(p.vector, one.vector) >= least]
        number += any(identifier != one.point.id for identifier in near)
    return number


def structure(bad: Sequence[Again], seed: int) -> Structure | None:
    """Whether what is stored finds the same pictures alike; None where there are too few to tell.

    Another model's vectors share no number with this one's, and yet mostly agree on which pictures are alike
    (Kriegeskorte, Mur and Bandettini, "Representational similarity analysis", 2008). Vectors of other pictures do not.
    The p value is of Mantel's test ("The detection of disease clustering", 1967), never 0 (Phipson and Smyth, 2010).
    """
    if len(bad) < FEWEST_ALIKE:
        return None
    ours = _alike([one.vector for one in bad])
    theirs = _alike([one.point.vector for one in bad])
    above = np.triu_indices(len(bad), k=1)
    generator = np.random.default_rng(seed)
    fixed = _standard(ours[above])
    values = [float(fixed @ _standard(theirs[above])) / len(fixed)]
    for _ in range(PERMUTATIONS):
        order = generator.permutation(len(bad))
        values.append(float(fixed @ _standard(theirs[np.ix_(order, order)][above])) / len(fixed))
    beaten = sum(value >= values[0] for value in values)
    return Structure(len(bad), values[0], beaten / len(values))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture that disagrees, as each preprocessing has it, the model's own first."""

    one: Again
    pixels: list[Pixels]


def ways(images: ImageStore, embedder: Embedder, mode: Mode, bad: Sequence[Again], least: float) -> list[Tried]:
    """What the known wrong ways make of the pictures that disagree, what explains the most first."""
    other = {
        **{told: replace(embedder.preprocessing, resize_mode=how) for how, told in _RESIZED.items()},
        **{f"resized with {how}": replace(embedder.preprocessing, interpolation=how) for how in _FILTERS},
    }
    different = {told: how for told, how in other.items() if how.pixels_key != embedder.preprocessing.pixels_key}
    sizes = [embedder.preprocessing, *different.values()]
    seen = list(_seen(images, sizes, mode, bad[:MOST_TRIED]))
    if not seen:
        return []
    given = _tried(embedder, list(different), seen)
    found = [_counted(way, fault, vectors, seen, least) for way, fault, vectors in given if vectors is not None]
    return sorted(found, key=lambda one: (-one.agreeing, -one.median))


def explanation(tried: Sequence[Tried]) -> Tried | None:
    """The way that reproduces what is stored; None where none does."""
    best = tried[0] if tried else None
    return best if best is not None and best.agreeing >= EXPLAINS * best.pictures else None


def _seen(images: ImageStore, sizes: Sequence[Preprocessing], mode: Mode, bad: Sequence[Again]) -> Iterator[_Seen]:
    for one in bad:
        assert one.row is not None
        try:
            yield _Seen(one, looked_at(one.row, images, sizes, mode)[0])
        except ImageError:  # gone since a moment ago
            continue


def _tried(
    embedder: Embedder, resized: Sequence[str], seen: Sequence[_Seen]
) -> Iterator[tuple[str, str, Vectors | None]]:
    own = np.stack([one.pixels[0] for one in seen])
    swapped = np.ascontiguousarray(own[..., ::-1])
    yield "with red and blue swapped (BGR)", "channels", _embedded(embedder, swapped)
    if own.shape[1] == own.shape[2]:
        yield "turned or mirrored (EXIF orientation not heeded)", "preprocessing", _turned(embedder, own, seen)
    for place, told in enumerate(resized, start=1):
        pixels = np.stack([one.pixels[place] for one in seen])
        yield told, "preprocessing", _embedded(embedder, pixels)
    if not isinstance(embedder, Inspectable):
        return
    mine = embedder.preprocessing.mean, embedder.preprocessing.deviation
    for told, (mean, deviation) in _SCALES.items():
        if (mean, deviation) != mine:
            yield told, "preprocessing", _embedded(embedder, own, Otherwise(mean, deviation))
    yield "with the other activation", "activation", _embedded(embedder, own, Otherwise(activation=True))


def _turned(embedder: Embedder, own: NDArray[np.uint8], seen: Sequence[_Seen]) -> Vectors | None:
    """Of the seven ways to turn and mirror each picture, the one that is nearest to what is stored of it."""
    turns = [np.rot90(side, turn, axes=(1, 2)) for side in (own, own[:, :, ::-1]) for turn in range(4)][1:]
    given = [_embedded(embedder, np.ascontiguousarray(turned)) for turned in turns]
    sound = [vectors for vectors in given if vectors is not None]
    if not sound:
        return None
    stored = _unit(np.stack([one.one.point.vector for one in seen if one.one.point.vector is not None]))
    nearest = np.argmax([(vectors * stored).sum(axis=1) for vectors in sound], axis=0)
    return np.stack([sound[which][place] for place, which in enumerate(nearest)])


def _embedded(embedder: Embedder, pixels: NDArray[np.uint8], way: Otherwise | None = None) -> Vectors | None:
    try:
        if way is None:
            return embedder.embed_images(pixels)
        return embedder.embed_otherwise(pixels, way) if isinstance(embedder, Inspectable) else None
    except ModelOutputInvalid:  # a wrong way may lead to what is no vector
        return None


def _counted(way: str, fault: str, vectors: Vectors, seen: Sequence[_Seen], least: float) -> Tried:
    pairs = zip(vectors, seen, strict=True)
    cosines = [_cosine(one.one.point.vector, vector) for vector, one in pairs if one.one.point.vector is not None]
    return Tried(way, fault, len(cosines), sum(value >= least for value in cosines), statistics.median(cosines))


def _alike(vectors: Sequence[Any]) -> NDArray[np.float64]:
    unit = _unit(np.stack(vectors)).astype(np.float64)
    return unit @ unit.T


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread else np.zeros_like(values)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    sound = np.isfinite(lengths) & (lengths > 0)
    unit: NDArray[np.float32] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=sound)
    return unit


def _cosine(stored: NDArray[np.float32], vector: NDArray[np.float32]) -> float:
    return float(_unit(stored[np.newaxis])[0] @ vector)
