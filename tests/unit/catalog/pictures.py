"""Bytes of pictures for the tests."""

import io
from typing import Any

import numpy as np
from PIL import Image


def noise(width: int = 40, height: int = 30, mode: str = "RGB", seed: int = 1) -> Image.Image:
    """A picture without two equal corners."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def exif(orientation: int, order: str = "<") -> bytes:
    """An EXIF block that holds an orientation."""
    block = Image.Exif()
    block.endian = order
    block[0x0112] = orientation
    return block.tobytes()
