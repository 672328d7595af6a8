"""Bytes to an RGB picture as a person sees it, or the reason why there is none.

Pillow is asked format by format, because `Image.open` warns about every picture of more than 89 megapixels, and a
warning filter cannot be set for one thread only. The limit is checked here instead, before a pixel is decoded.
"""

import io
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, JpegImagePlugin

from console_core.catalog.names import told
from console_core.catalog.orientation import upright
from console_core.catalog.signatures import appearance
from console_core.errors import ImageEmpty, ImageError, ImageTooLarge, ImageUnreadable, ImageUnsupported

MAX_PIXELS = 200_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
_AT_ONCE = 1_000_000
"""Pixels of deep grey that are scaled at a time: in one piece they would take 17 bytes each."""
_SEND_AGAIN = "Store the picture again from its source."


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """A JPEG file that does not look into its EXIF block for a resolution: that warns when the block is damaged."""

    def _read_dpi_from_exif(self) -> None:
        return


def decode(data: bytes, path: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The picture in mode RGB, decoded to its last pixel and turned upright; of an animation, the first frame.

    Transparency is dropped, as `convert("RGB")` does. More than 8 bits of grey are scaled down to 8.

    Raises:
        ImageEmpty: there is no byte.
        ImageUnsupported: the bytes are something else than a picture of one of FORMATS.
        ImageUnreadable: they begin like a picture and are cut off or damaged.
        ImageTooLarge: more than `max_pixels`, or more than memory holds.
    """
    return finish(open_header(data, path, max_pixels=max_pixels), path)


def decode_question(data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The same of a picture that somebody asks with, and that is in no catalog. Raises as `decode`."""
    try:
        return decode(data, name, max_pixels=max_pixels)
    except ImageTooLarge as error:
        raise ImageTooLarge(error.message, "Ask with a smaller version of it.", path=name) from error
    except ImageError as error:
        remedy = "Ask with a whole picture in JPEG, PNG, GIF, BMP or WebP."
        raise type(error)(error.message, remedy, path=name) from error


def open_header(data: bytes, path: str, *, max_pixels: int = MAX_PIXELS) -> ImageFile.ImageFile:
    """The picture with its header read and no pixel decoded. Raises as `decode`."""
    if not data:
        raise ImageEmpty(f"{told(path)} has no byte in it.", _SEND_AGAIN, path=path)
    image = _opened(data, path)
    refuse_too_large(*image.size, path, max_pixels)
    return image


def refuse_too_large(width: int, height: int, path: str, max_pixels: int = MAX_PIXELS) -> None:
    """
    Raises:
        ImageTooLarge: more than `max_pixels`.
    """
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"{told(path)} has {width} × {height} pixels, more than the {max_pixels / 1e6:g} megapixels that are "
            "decoded.",
            "Store a smaller version of this picture.",
            path=path,
        )


def finish(image: ImageFile.ImageFile, path: str) -> Image.Image:
    """Decode what `open_header` opened. Raises as `decode`."""
    width, height = image.size
    try:
        image.load()
        return upright(_rgb(image), image.info.get("exif"))
    except MemoryError as error:
        raise ImageTooLarge(
            f"{told(path)} has {width} × {height} pixels, more than the memory holds.",
            "Store a smaller version of this picture, or decode fewer at a time.",
            path=path,
        ) from error
    except Exception as error:  # damaged bytes can make a decoder raise almost anything
        raise ImageUnreadable(
            f"{told(path)} is a damaged {image.format} picture: {_cause(error)}.", _SEND_AGAIN, path=path
        ) from error


def _opened(data: bytes, path: str) -> ImageFile.ImageFile:
    """The picture with its header read and no pixel decoded."""
    refused: Exception | None = None
    Image.preinit()
    for name in FORMATS:
        if name not in Image.OPEN:
            Image.init()
        if name not in Image.OPEN:  # Pillow was built without it
            continue
        factory, accepts = Image.OPEN[name]
        if accepts is None or accepts(data[:16]) is not True:
            continue
        try:
            return _Jpeg(io.BytesIO(data), "") if name == "JPEG" else factory(io.BytesIO(data), "")
        except Image.DecompressionBombError as error:
            raise ImageTooLarge(
                f"{told(path)} has more pixels than are decoded.", "Store a smaller version of this picture.", path=path
            ) from error
        except (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, struct.error, Warning) as error:
            # (TIFF warns about damage; where warnings are errors, that is damage too)
            refused = error
    if refused is not None:
        raise ImageUnreadable(
            f"{told(path)} is damaged in its header: {_cause(refused)}.", _SEND_AGAIN, path=path
        ) from refused
    raise ImageUnsupported(
        f"{told(path)} is not a picture: it looks like {appearance(data)}.",
        "Correct the path in the catalog, or convert the file to JPEG, PNG, GIF, BMP or WebP.",
        path=path,
    )


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    image.info.pop("transparency", None)  # convert() warns about it and then drops it as well
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Deep grey as uint8. Where the type does not tell what white is, the values do: 1, 255, 65535 or their maximum."""
    rows = max(1, _AT_ONCE // values.shape[1])
    strips = [slice(start, start + rows) for start in range(0, len(values), rows)]
    peak = max(float(_finite(values[strip]).max()) for strip in strips)
    if values.dtype.kind == "u":
        white = float(np.iinfo(values.dtype).max)
    else:
        whites = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
        white = next((white for white in whites if peak <= white), peak)
    scaled = np.empty(values.shape, dtype=np.uint8)
    for strip in strips:
        scaled[strip] = np.clip(_finite(values[strip]) * (255.0 / white) + 0.5, 0, 255).astype(np.uint8)
    return scaled


def _finite(values: NDArray[Any]) -> NDArray[np.float32]:
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _cause(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__
