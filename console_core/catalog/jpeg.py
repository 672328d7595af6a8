"""Plain JPEG files, decoded by libjpeg-turbo without Pillow: quicker, and without Python's lock.

Plain is what both decode to the same pixels: 8 bits, grey or YCbCr, upright. Everything else is Pillow's, which knows
what to do with CMYK and with a file that is damaged.
"""

from typing import NamedTuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from console_core.catalog.orientation import orientation

_BEGINS = b"\xff\xd8\xff"
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended and progressive, each with Huffman coding."""
_PROGRESSIVE = 0xC2
_LONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length behind them."""
_SCALES = (8, 4, 2, 1)
"""Divisors of the size for which libjpeg-turbo has quick code; others take longer than the whole picture."""


class Frame(NamedTuple):
    """What the header of a plain JPEG says."""

    width: int
    height: int
    progressive: bool


def plain_frame(data: bytes) -> Frame | None:
    """The frame of a plain JPEG; None for every other file."""
    if not data.startswith(_BEGINS):
        return None
    place, adobe = 2, 1
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF or marker in _LONE:
            place += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place + 4 : place + 2 + length]
        if marker == 0xE1 and segment.startswith(b"Exif\0\0") and orientation(segment) not in (0, 1):
            return None
        if marker == 0xEE and segment.startswith(b"Adobe") and len(segment) >= 12:
            adobe = segment[11]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = _size_in(segment, adobe) if marker in _FRAMES else None
            return Frame(*size, progressive=marker == _PROGRESSIVE) if size else None
        if marker == 0xDA:
            return None
        place += 2 + length
    return None


def _size_in(frame: bytes, adobe: int) -> tuple[int, int] | None:
    if len(frame) < 6 or frame[0] != 8:
        return None
    components = frame[5]
    if components == 3 and (adobe != 1 or frame[6:15:3] == b"RGB"):
        return None
    height, width = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big")
    return (width, height) if components in (1, 3) and width and height else None


def decode_plain(data: bytes, size: tuple[int, int], least: tuple[int, int] | None = None) -> NDArray[np.uint8]:
    """A plain JPEG of this width and height as an RGB array of shape (height, width, 3).

    With `least`, a width and height, detail is left out in the decoder (by 2, 4 or 8) while at least that remains.

    Raises:
        ValueError: the file is damaged, or not plain after all.
    """
    scale = 1
    if least is not None:
        scale = next((by for by in _SCALES if size[0] >= by * least[0] and size[1] >= by * least[1]), 1)
    width, height = (-(-side // scale) for side in size) if scale > 1 else (0, 0)
    pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", min_height=height, min_width=width, min_factor=1)
    return pixels
