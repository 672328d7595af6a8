"""From a decoded picture to the pixels that a model sees: resized and cropped as its configuration says, 8 bits.

Two ways lead there. A Pillow image takes the *exact* one, open_clip's own transforms. An array takes the *quick* one,
torch's antialiased resizing of 8-bit numbers, which is about four times as fast. It hardly ever differs by more than
one level of 255; by a few more at hard edges, where Pillow finds it cheaper to resize the height first and what
overshoots is cut in between. What is left, normalising by mean and deviation, happens on the device.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.embedding.types import Pixels


class Mode(StrEnum):
    """How pictures are decoded and resized. Vectors of all three may meet in one search.

    EXACT is bit for bit what open_clip does. FAST hardly ever differs from it by more than one level of 255, and by a
    few more at hard edges. TURBO lets the JPEG decoder leave out detail while at least twice the model's size remains;
    in the median that moves a vector about as far as bfloat16 weights do, and some times farther where a picture is all
    hard edges or grain.
    """

    EXACT = "exact"
    FAST = "fast"
    TURBO = "turbo"

    @property
    def meaning(self) -> str:
        """What it does, in one line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    Mode.EXACT: "Pillow decodes and resizes, bit for bit as open_clip does. The slowest.",
    Mode.FAST: "Plain JPEGs are decoded, and pictures resized, a quicker way: hardly ever over one level of 255 off.",
    Mode.TURBO: "Like fast, but large JPEGs are decoded smaller, to twice what the model sees or more. The quickest.",
}


MARGIN = 2
"""In turbo mode, the least size of what is decoded, as a multiple of what it is resized to."""
_LONGEST = 32
"""How many times as long as wide a picture is before its far ends are cut off. A model that resizes by the shorter side
keeps the middle square only, but resizes everything first: 100,000 by 1 pixels would need 15 GB."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """A model's own preprocessing. `mean` and `deviation` are of red, green and blue, in parts of 255."""

    height: int
    width: int
    resize_mode: Literal["shortest", "longest", "squash"]
    interpolation: Literal["bicubic", "bilinear"]
    fill: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

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

    @property
    def pixels_key(self) -> tuple[object, ...]:
        """Two with the same one make the same pixels of a picture: normalising comes later."""
        return type(self), self.height, self.width, self.resize_mode, self.interpolation, self.fill

    def either(self, picture: Image.Image | NDArray[np.uint8]) -> Pixels:
        """`exact` of an image, `quick` of an array."""
        return self.exact(picture) if isinstance(picture, Image.Image) else self.quick(picture)

    def exact(self, image: Image.Image) -> Pixels:
        """The pixels of a Pillow image, bit for bit those of open_clip."""
        if image.mode != "RGB":
            image = image.convert("RGB")
        if self.resize_mode == "shortest":
            left, top, width, height = _middle(*image.size)
            if (width, height) != image.size:
                image = image.crop((left, top, left + width, top + height))
        pixels: Pixels = np.asarray(_transforms(self)(image))
        return pixels

    def quick(self, picture: NDArray[np.uint8]) -> Pixels:
        """The pixels of an RGB array, hardly ever more than one level from `exact`, a few at hard edges. Runs without
        Python's lock."""
        import torch
        from torch.nn.functional import interpolate

        if self.resize_mode == "shortest":
            left, top, width, height = _middle(picture.shape[1], picture.shape[0])
            picture = picture[top : top + height, left : left + width]
        height, width = self._resized(picture.shape[1], picture.shape[0])
        if picture.shape[:2] != (height, width):
            # Made a batch before it is turned: so it keeps the strides of channels last, and so does the answer.
            batch = torch.from_numpy(np.require(picture, requirements=["C", "W"])).unsqueeze(0).permute(0, 3, 1, 2)
            resized = interpolate(batch, size=(height, width), mode=self.interpolation, antialias=True)
            picture = resized[0].permute(1, 2, 0).numpy()
        return self._cropped(picture)

    def least(self, width: int, height: int) -> tuple[int, int]:
        """The smallest width and height that a picture may be decoded to in turbo mode."""
        resized_height, resized_width = self._resized(width, height)
        return MARGIN * resized_width, MARGIN * resized_height

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Height and width after resizing, before cropping; computed as torchvision and open_clip do."""
        if self.resize_mode == "squash":
            return self.height, self.width
        if self.resize_mode == "shortest" and self.height == self.width:
            if width <= height:
                return int(self.height * height / width), self.height
            return self.height, int(self.height * width / height)
        ratios = height / self.height, width / self.width
        ratio = max(ratios) if self.resize_mode == "longest" else min(ratios)
        return round(height / ratio), round(width / ratio)

    def _cropped(self, picture: NDArray[np.uint8]) -> Pixels:
        missing = max(0, self.height - picture.shape[0]), max(0, self.width - picture.shape[1])
        if any(missing):
            around = [(lacking // 2, (lacking + 1) // 2) for lacking in missing]
            picture = np.pad(picture, (*around, (0, 0)), constant_values=self.fill)
        top, left = round((picture.shape[0] - self.height) / 2), round((picture.shape[1] - self.width) / 2)
        return picture[top : top + self.height, left : left + self.width]


@cache
def _transforms(preprocessing: Preprocessing) -> Any:
    """open_clip's transforms for evaluation, without those that make a normalised tensor of the pixels."""
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from torchvision.transforms import Compose

    configured = PreprocessCfg(
        size=(preprocessing.height, preprocessing.width),
        interpolation=preprocessing.interpolation,
        resize_mode=preprocessing.resize_mode,
        fill_color=preprocessing.fill,
    )
    *steps, _to_tensor, _normalise = image_transform_v2(configured, is_train=False).transforms
    return Compose(steps)


def _middle(width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height of a picture without its far ends."""
    longest = _LONGEST * min(width, height)
    kept_width, kept_height = min(width, longest), min(height, longest)
    return (width - kept_width) // 2, (height - kept_height) // 2, kept_width, kept_height
