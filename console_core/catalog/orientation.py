"""Which way up a photograph is, read from its EXIF block without a word about what else is broken in that block.

Pillow's own reader prints warnings for damaged blocks, and damaged blocks are common.
"""

from typing import Literal

from PIL import Image

_TAG = 0x0112
_ENTRY = 12
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(image: Image.Image, exif: object) -> Image.Image:
    """The picture as a person sees it; the same object where the EXIF block (bytes, if any) asks for no turn."""
    turn = _TURNS.get(orientation(exif)) if isinstance(exif, bytes) else None
    return image if turn is None else image.transpose(turn)


def orientation(exif: bytes) -> int:
    """The orientation tag of the first directory, 1 to 8; 1 where there is none."""
    block = exif.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"]
    if block[:2] == b"II":
        order = "little"
    elif block[:2] == b"MM":
        order = "big"
    else:
        return 1
    directory = int.from_bytes(block[4:8], order)
    entries = int.from_bytes(block[directory : directory + 2], order)
    first = directory + 2
    for start in range(first, min(first + entries * _ENTRY, len(block)), _ENTRY):
        if int.from_bytes(block[start : start + 2], order) == _TAG:
            return int.from_bytes(block[start + 8 : start + 10], order)
    return 1
