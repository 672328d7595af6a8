"""The planted defects: pictures that cannot be embedded, each for its own reason, and odd ones that must be."""

from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from console_core.errors import ImageEmpty, ImageError, ImageMissing, ImageUnreadable, ImageUnsupported

_UPRIGHT_WHEN_TURNED = 6
"""The EXIF orientation of a camera that was held upright: the picture is to be turned clockwise by 90°."""
_ORIENTATION = 0x0112


class Defect(StrEnum):
    MISSING = "missing"
    TRUNCATED = "truncated"
    EMPTY = "zero bytes"
    HTML = "HTML named .jpg"
    CMYK = "CMYK"
    DEEP = "16-bit PNG"
    GIF = "animated GIF"
    WEBP = "animated WebP"
    ROTATED = "EXIF-rotated"

    @property
    def failure(self) -> type[ImageError] | None:
        """How loading the picture fails; None where it must succeed."""
        return _FAILURES.get(self)

    @property
    def suffix(self) -> str:
        """Of the file; all others are, or pretend to be, JPEG."""
        return {Defect.DEEP: ".png", Defect.GIF: ".gif", Defect.WEBP: ".webp"}.get(self, ".jpg")


_FAILURES: dict[Defect, type[ImageError]] = {
    Defect.MISSING: ImageMissing,
    Defect.TRUNCATED: ImageUnreadable,
    Defect.EMPTY: ImageEmpty,
    Defect.HTML: ImageUnsupported,
}


def plant(defect: Defect, picture: Image.Image, file: Path) -> None:
    """Write a picture with a defect; `file` should end in the defect's suffix. Nothing is written for MISSING."""
    match defect:
        case Defect.MISSING:
            return
        case Defect.TRUNCATED:
            picture.save(file, "JPEG", quality=90)
            file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 5])
        case Defect.EMPTY:
            file.touch()
        case Defect.HTML:
            file.write_text("<!doctype html><html><head><title>502 Bad Gateway</title></head><body></body></html>\n")
        case Defect.CMYK:
            picture.convert("CMYK").save(file, "JPEG", quality=90)
        case Defect.DEEP:
            grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
            Image.fromarray(grey).save(file, "PNG")
        case Defect.GIF | Defect.WEBP:
            mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            picture.save(file, save_all=True, append_images=[mirrored], duration=600, loop=0)
        case Defect.ROTATED:
            exif = Image.Exif()
            exif[_ORIENTATION] = _UPRIGHT_WHEN_TURNED
            picture.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", quality=90, exif=exif)
