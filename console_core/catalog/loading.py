"""From a catalog row to its decoded picture."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import blake2b

from PIL import Image

from console_core.catalog.decoding import decode
from console_core.catalog.names import told
from console_core.catalog.types import ImageRow, ImageStore
from console_core.errors import (
    ImageEmpty,
    ImageError,
    ImageForbidden,
    ImageMissing,
    ImageTimeout,
    ImageTooLarge,
    ImageUnavailable,
    ImageUnreadable,
    ImageUnsupported,
)

_MOST_TELLING: tuple[type[ImageError], ...] = (
    ImageTimeout,  # it may be there at the next try
    ImageUnavailable,
    ImageTooLarge,
    ImageUnreadable,
    ImageUnsupported,
    ImageForbidden,
    ImageEmpty,
    ImageMissing,
)
_AT_ONCE: AbstractContextManager[object] = nullcontext()


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """A picture in mode RGB, the BLAKE2b-128 digest of its bytes in hexadecimal, and the path that it came from."""

    image: Image.Image
    content: str
    path: str


def content_digest(data: bytes) -> str:
    """The BLAKE2b-128 digest of a picture's bytes, 32 hexadecimal characters."""
    return blake2b(data, digest_size=16).hexdigest()


def load(row: ImageRow, images: ImageStore, decoding: AbstractContextManager[object] = _AT_ONCE) -> LoadedImage:
    """The first of the row's candidates that is a picture. It is decoded within `decoding`.

    Raises:
        ImageError: none is; the most telling failure, with what became of the other candidates in its message.
    """
    failures: list[ImageError] = []
    for path in row.candidates:
        try:
            data = images.read(path)
            with decoding:
                return LoadedImage(decode(data, path), content_digest(data), path)
        except ImageError as failure:
            failures.append(failure)
    raise most_telling(row, failures)


def most_telling(row: ImageRow, failures: Sequence[ImageError]) -> ImageError:
    """Why none of a row's candidates is a picture, from why each of them is not."""
    if not failures:
        return ImageMissing(f"The catalog has no path for {row.key}.", "Fill one of the row's path columns.")
    worst = min(failures, key=_rank)
    if len(failures) == 1:
        return worst
    others = ", ".join(f"{told(failure.path)} ({failure.kind})" for failure in failures if failure is not worst)
    both = type(worst)(f"{worst.message} Also tried: {others}.", worst.remedy, path=worst.path)
    both.__cause__ = worst
    return both


def _rank(failure: ImageError) -> int:
    ranks = (rank for rank, kind in enumerate(_MOST_TELLING) if isinstance(failure, kind))
    return next(ranks, len(_MOST_TELLING))
