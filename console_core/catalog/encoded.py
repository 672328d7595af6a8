"""A picture whose size is known and of which no pixel is decoded yet, so that memory can be kept for it."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from console_core.catalog.decoding import MAX_PIXELS, finish, open_header, refuse_too_large
from console_core.catalog.jpeg import decode_plain, plain_frame
from console_core.catalog.orientation import orientation

JPEG = "libjpeg-turbo"
PILLOW = "Pillow"
PLAIN_BYTES = 3
PROGRESSIVE_BYTES = 9
"""Bytes of memory for one pixel while libjpeg-turbo decodes it; a progressive file's coefficients are all kept."""
BYTES: Mapping[str, int] = {
    "JPEG": 13,
    "PNG": 13,
    "GIF": 11,
    "BMP": 11,
    "TIFF": 13,
    "WEBP": 22,
    "AVIF": 19,
    "JPEG2000": 26,
}
"""The same while Pillow decodes it, by format, at most: four in its own picture, as many again where it converts or
turns that, what the format's library keeps meanwhile (JPEG 2000: four for each colour, and a copy), and the array."""
MOST_BYTES = max(BYTES.values())
SMALL = 16_000_000
"""Pixels up to which what Pillow decodes becomes an array."""

Least = Callable[[int, int], tuple[int, int]]
"""From a picture's width and height to the smallest that it may be decoded to."""


@dataclass(slots=True)
class Encoded:
    """A picture by its header. `decoder` is who decodes it: JPEG or PILLOW."""

    width: int
    height: int
    decoder: str
    _data: bytes
    _path: str
    _max_pixels: int
    _opened: ImageFile.ImageFile | None = None
    _progressive: bool = False

    @property
    def weight(self) -> int:
        """Bytes of memory that decoding it takes at most."""
        pixels = self.width * self.height
        if self.decoder == JPEG:
            return (PROGRESSIVE_BYTES if self._progressive else PLAIN_BYTES) * pixels
        return (BYTES.get(self._opened.format or "", MOST_BYTES) if self._opened else MOST_BYTES) * pixels

    @property
    def kind(self) -> str:
        """What kind of file it is, for people, before it is decoded: PNG, CMYK JPEG, JPEG turned by EXIF."""
        if self._opened is None:
            return "JPEG"
        name, mode = self._opened.format or "other", self._opened.mode
        if name != "JPEG":
            return "JPEG 2000" if name == "JPEG2000" else name
        exif = self._opened.info.get("exif")
        if isinstance(exif, bytes) and orientation(exif) not in (0, 1):
            return "JPEG turned by EXIF"
        return "CMYK JPEG" if mode == "CMYK" else "unusual JPEG"

    def image(self) -> Image.Image:
        """As Pillow decodes it, which is open_clip's way. Raises as `decoding.decode`."""
        opened = self._opened or open_header(self._data, self._path, max_pixels=self._max_pixels)
        self._opened, self.decoder = None, PILLOW
        return finish(opened, self._path)

    def picture(self, least: Least | None = None) -> NDArray[np.uint8] | Image.Image:
        """An RGB array (height, width, 3); smaller where `least` allows it and the decoder can. Raises as `image`.

        What Pillow decodes and is large stays as it is, because that saves most of the memory.
        """
        if self.decoder == JPEG:
            with suppress(ValueError, MemoryError):  # Pillow says what is wrong with it, or decodes it all the same
                size = self.width, self.height
                return decode_plain(self._data, size, least(*size) if least else None)
        image = self.image()
        return np.array(image) if self.width * self.height <= SMALL else image


def read_header(data: bytes, path: str, *, quick: bool, max_pixels: int = MAX_PIXELS) -> Encoded:
    """Look at a picture's header; with `quick` plain JPEGs need no Pillow.

    Raises:
        ImageEmpty, ImageUnsupported, ImageUnreadable, ImageTooLarge: as `decoding.decode`.
    """
    frame = plain_frame(data) if quick else None
    if frame is not None:
        refuse_too_large(frame.width, frame.height, path, max_pixels)
        return Encoded(frame.width, frame.height, JPEG, data, path, max_pixels, _progressive=frame.progressive)
    opened = open_header(data, path, max_pixels=max_pixels)
    return Encoded(*opened.size, PILLOW, data, path, max_pixels, opened)
