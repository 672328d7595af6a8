"""A collection as it is, beside what a person expects: line by line, read back from the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console_core.embedding.types import Embedder
from console_core.vectorstore.tuning import (
    AS_FORMER,
    Settings,
    Tuning,
    lacking,
    quantization_text,
    settings_of,
)
from console_core.vectorstore.types import CollectionInfo

ANY = "any"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing: what was expected of it, "any" where nothing was, what was found, and whether the two fit."""

    what: str
    expected: Any
    found: Any
    fits: bool

    def __str__(self) -> str:
        return f"{'ok ' if self.fits else 'NOT'}  {self.what}: expected {self.expected}, found {self.found}"


def checked(
    found: CollectionInfo,
    *,
    embedder: Embedder | None = None,
    like: CollectionInfo | None = None,
    tuning: Tuning = AS_FORMER,
    points: int | None = None,
) -> list[Line]:
    """What is expected beside what was found: of the model, of the collection that it shall be `like` but for its
    `tuning`, and of the number of points. What none of them says is told, and fits.
    """
    return [
        *_shape(found, embedder, like),
        *_tuned(found, like, tuning),
        _stamp(found, embedder),
        _line("points", points, found.points),
        _line("status", "green", found.status),
        _line("aliases", None, ", ".join(found.aliases) or "none"),
    ]


def _shape(found: CollectionInfo, embedder: Embedder | None, like: CollectionInfo | None) -> Iterator[Line]:
    yield _line("dimension", embedder.card.dimension if embedder else None, found.dimension)
    distance = like.distance if like and like.distance in ("cosine", "dot") else "cosine" if embedder else None
    yield _line("distance", distance, found.distance)


def _tuned(found: CollectionInfo, like: CollectionInfo | None, tuning: Tuning) -> Iterator[Line]:
    index, quantization = tuning.over(*(settings_of(like) if like else ({}, {})))
    for name in ("m", "ef_construct"):
        noted = found.wished_index.get(name)
        lacks = "not in force" if noted is None else f"not in force; only noted: {noted}"
        line = _line(name, index.get(name), found.index.get(name, lacks))
        if found.index_deferred:
            line = Line(name, line.expected, f"{line.found}, once the index is built", False)
        yield line
    expects = like is not None or tuning.quantization is not None
    fits = not expects or _same(quantization, found.quantization)
    told = quantization_text(found.quantization)
    if found.wished_quantization and lacking(found.wished_quantization, found.quantization):
        told = f"{told} in force; only noted: {quantization_text(found.wished_quantization)}"
    yield Line("quantization", quantization_text(quantization) if expects else ANY, told, fits)


def _same(expected: Settings, found: Settings) -> bool:
    """Whether what is expected is there, and nothing else instead of it."""
    return not lacking(expected, found) and bool(expected) == bool(found)


def _stamp(found: CollectionInfo, embedder: Embedder | None) -> Line:
    told = f"{found.stamp.model} {found.stamp.fingerprint}" if found.stamp else "none"
    return _line("stamp", f"{embedder.card.key} {embedder.fingerprint.digest}" if embedder else None, told)


def _line(what: str, expected: Any, found: Any) -> Line:
    return Line(what, ANY if expected is None else expected, found, expected is None or expected == found)
