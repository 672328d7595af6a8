"""From a decoded picture to the pixels that a model sees: resized and cropped as its configuration says, 8 bits.

Two ways lead there. A Pillow image takes the *exact* one, which gives bit for bit what the transforms of open_clip and
timm give. An array takes the *quick* one, torch's antialiased resizing of 8-bit numbers, which is about four times as
fast. It hardly ever differs by more than one level of 255; by a few more at hard edges, where Pillow finds it cheaper
to resize the height first and what overshoots is cut in between. What is left, normalising by mean and deviation,
happens on the device.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.embedding.types import Pixels


class Mode(StrEnum):
    """How pictures are decoded and resized. Vectors of all three may meet in one search.

    EXACT is bit for bit what open_clip and timm do. FAST hardly ever differs from it by more than one level of 255, and
    by a few more at hard edges. TURBO lets the JPEG decoder leave out detail while at least twice the model's size
    remains; in the median that moves a vector about as far as bfloat16 weights do, and some times farther where a
    picture is all hard edges or grain.
    """

    EXACT = "exact"
    FAST = "fast"
    TURBO = "turbo"

    @property
    def meaning(self) -> str:
        """What it does, in one line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Mode.EXACT: "Pillow decodes and resizes, bit for bit as open_clip and timm do. The slowest.",
    Mode.FAST: "Plain JPEGs are decoded, and pictures resized, a quicker way: hardly ever over one level of 255 off.",
    Mode.TURBO: "Like fast, but large JPEGs are decoded smaller, to twice what the model sees or more. The quickest.",
}


MARGIN = 2
"""In turbo mode, the least size of what is decoded, as a multiple of what it is resized to."""
_LONGEST = 32
"""How many times as long as wide a picture is before its far ends are cut off. A model that resizes by the shorter side
keeps the middle square only, but resizes everything first: 100,000 by 1 pixels would need 15 GB."""


Interpolation = Literal["bicubic", "bilinear", "lanczos", "nearest", "box", "hamming"]
_QUICK = ("bicubic", "bilinear")
"""What torch resizes with, antialiased. The others are left to Pillow."""
_CROPS: Mapping[str, Literal["shortest", "longest", "squash"]] = {
    "center": "shortest",
    "border": "longest",
    "squash": "squash",
}
"""timm's ways to crop, under open_clip's names."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """A model's own preprocessing. `mean` and `deviation` are of red, green and blue, in parts of 255.

    `fill` is the level, or the levels of red, green and blue, of what is added around a picture. `crop` is how much of
    the side that a picture is resized to is left when it is cropped; 1 for open_clip, `crop_pct` for timm.
    """

    height: int
    width: int
    resize_mode: Literal["shortest", "longest", "squash"]
    interpolation: Interpolation
    fill: int | tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    crop: float = 1.0

    @classmethod
    def of(cls, configured: Mapping[str, Any]) -> "Preprocessing":
        """From open_clip's `preprocess_cfg`."""
        size = configured["size"]
        height, width = (size, size) if isinstance(size, int) else size
        return cls(
            height=height,
            width=width,
            resize_mode=configured.get("resize_mode") or "shortest",
            interpolation=configured.get("interpolation") or "bicubic",
            fill=configured.get("fill_color") or 0,
            mean=tuple(configured["mean"]),
            deviation=tuple(configured["std"]),
        )

    @classmethod
    def of_timm(cls, configured: Mapping[str, Any]) -> "Preprocessing":
        """From what timm's `resolve_data_config` answers.

        Raises:
            KeyError: it names a filter, or a way to crop, that is not known here.
        """
        _, height, width = configured["input_size"]
        if configured["interpolation"] not in get_args(Interpolation):
            raise KeyError(configured["interpolation"])
        mean = tuple(configured["mean"])
        mode = _CROPS[configured["crop_mode"]]
        return cls(
            height=height,
            width=width,
            resize_mode=mode,
            interpolation=configured["interpolation"],
            fill=tuple(round(255 * level) for level in mean) if mode == "longest" else 0,
            mean=mean,
            deviation=tuple(configured["std"]),
            crop=configured["crop_pct"],
        )

    @property
    def pixels_key(self) -> tuple[object, ...]:
        """Two with the same one make the same pixels of a picture: normalising comes later."""
        return type(self), self.height, self.width, self.resize_mode, self.interpolation, self.fill, self.crop

    def either(self, picture: Image.Image | NDArray[np.uint8]) -> Pixels:
        """`exact` of an image, `quick` of an array."""
        return self.exact(picture) if isinstance(picture, Image.Image) else self.quick(picture)

    def exact(self, image: Image.Image) -> Pixels:
        """The pixels of a Pillow image, bit for bit those of open_clip or timm."""
        if image.mode != "RGB":
            image = image.convert("RGB")
        if self.resize_mode == "shortest":
            left, top, width, height = _middle(*image.size)
            if (width, height) != image.size:
                image = image.crop((left, top, left + width, top + height))
        height, width = self._resized(*image.size)
        return self._cropped(np.asarray(image.resize((width, height), Image.Resampling[self.interpolation.upper()])))

    def quick(self, picture: NDArray[np.uint8]) -> Pixels:
        """The pixels of an RGB array, hardly ever more than one level from `exact`, a few at hard edges. Runs without
        Python's lock. What torch has no filter for takes the exact way."""
        if self.interpolation not in _QUICK:
            return self.exact(Image.fromarray(picture))
        import torch
        from torch.nn.functional import interpolate

        if self.resize_mode == "shortest":
            left, top, width, height = _middle(picture.shape[1], picture.shape[0])
            picture = picture[top : top + height, left : left + width]
        height, width = self._resized(picture.shape[1], picture.shape[0])
        if picture.shape[:2] != (height, width):
            # Turned by numpy, in the strides of channels last, which the answer keeps (`newaxis` would lose them). Each
            # step of torch's would let go of Python's lock and queue for it again, and threads of 16 cores mostly wait.
            rows = np.require(picture, requirements=["C", "W"]).reshape(1, *picture.shape)
            batch = torch.from_numpy(rows.transpose(0, 3, 1, 2))
            resized = interpolate(batch, size=(height, width), mode=self.interpolation, antialias=True)
            picture = resized.numpy()[0].transpose(1, 2, 0)
        return self._cropped(picture)

    def least(self, width: int, height: int) -> tuple[int, int]:
        """The smallest width and height that a picture may be decoded to in turbo mode."""
        resized_height, resized_width = self._resized(width, height)
        return MARGIN * resized_width, MARGIN * resized_height

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Height and width after resizing, before cropping; computed as torchvision, open_clip and timm do."""
        across, down = math.floor(self.width / self.crop), math.floor(self.height / self.crop)
        if self.resize_mode == "squash":
            return down, across
        if self.resize_mode == "shortest" and down == across:
            if width <= height:
                return int(down * height / width), down
            return down, int(down * width / height)
        ratios = height / down, width / across
        ratio = max(ratios) if self.resize_mode == "longest" else min(ratios)
        return round(height / ratio), round(width / ratio)

    def _cropped(self, picture: NDArray[np.uint8]) -> Pixels:
        missing = max(0, self.height - picture.shape[0]), max(0, self.width - picture.shape[1])
        if any(missing):
            picture = self._padded(picture, *missing)
        top, left = round((picture.shape[0] - self.height) / 2), round((picture.shape[1] - self.width) / 2)
        return picture[top : top + self.height, left : left + self.width]

    def _padded(self, picture: NDArray[np.uint8], down: int, across: int) -> NDArray[np.uint8]:
        height, width, _ = picture.shape
        padded = np.empty((height + down, width + across, 3), dtype=np.uint8)
        padded[:] = self.fill
        padded[down // 2 : down // 2 + height, across // 2 : across // 2 + width] = picture
        return padded


def _middle(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture without its far ends."""
    longest = _LONGEST * min(width, height)
    kept_width, kept_height = min(width, longest), min(height, longest)
    return (width - kept_width) // 2, (height - kept_height) // 2, kept_width, kept_height
