"""A square to paint on, whose coordinates run from 0 to 1, right and down."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from console_core.demo.palette import INK, Rgb, Rgba, Stops

XY = tuple[float, float]
Line = NDArray[np.float64]
"""Heights or opacities, spread evenly over the side."""
_SOFT_SIDE = 160
"""Masks that are blurred anyway are painted at this side: much quicker, and nobody can tell."""


class Canvas:
    """An RGB picture and a brush that paints translucent RGBA colours. All lengths are parts of the side."""

    def __init__(self, side: int, colour: Rgb = (255, 255, 255)) -> None:
        self.side = side
        self.image = Image.new("RGB", (side, side), colour)
        self._brush = ImageDraw.Draw(self.image, "RGBA")

    def _px(self, length: float, least: int = 1) -> int:
        return max(least, round(length * self.side))

    def _at(self, points: Sequence[XY]) -> list[XY]:
        return [(x * self.side, y * self.side) for x, y in points]

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Rgb | Rgba) -> None:
        self._brush.ellipse(self._at([(x - rx, y - ry), (x + rx, y + ry)]), fill=colour)

    def dot(self, x: float, y: float, radius: float, colour: Rgb | Rgba) -> None:
        self.oval(x, y, radius, radius, colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Rgb | Rgba, radius: float = 0) -> None:
        corners = self._at([(x0, y0), (x1, y1)])
        if radius:
            self._brush.rounded_rectangle(corners, radius=radius * self.side, fill=colour)
        else:
            self._brush.rectangle(corners, fill=colour)

    def polygon(self, points: Sequence[XY], colour: Rgb | Rgba) -> None:
        self._brush.polygon(self._at(points), fill=colour)

    def line(self, points: Sequence[XY], width: float, colour: Rgb | Rgba) -> None:
        self._brush.line(self._at(points), fill=colour, width=self._px(width), joint="curve")

    def pie(self, x: float, y: float, radius: float, start: float, end: float, colour: Rgb, edge: Rgb) -> None:
        """A slice; the angles are in degrees, clockwise from three o'clock."""
        box = self._at([(x - radius, y - radius), (x + radius, y + radius)])
        self._brush.pieslice(box, start, end, fill=colour, outline=edge, width=self._px(0.008))

    def below(self, heights: Line, colour: Rgb | Rgba) -> None:
        """Everything under a skyline, whose heights are spread evenly from left to right."""
        step = 1 / (len(heights) - 1)
        self.polygon([(0, 1), *((i * step, float(y)) for i, y in enumerate(heights)), (1, 1)], colour)

    def gradient(self, top: float, bottom: float, stops: Stops) -> None:
        """A vertical gradient over the full width."""
        start, end = int(top * self.side), int(bottom * self.side)
        where = np.linspace(0, 1, max(1, end - start))
        channels = [np.interp(where, [s[0] for s in stops], [s[1][i] for s in stops]) for i in range(3)]
        column = Image.fromarray(np.stack(channels, -1).astype(np.uint8)[:, None])
        self.image.paste(column.resize((self.side, column.height)), (0, start))

    def glow(self, x: float, y: float, radius: float, colour: Rgb, strength: float) -> None:
        """Light around a point, which fades away at about twice the radius."""
        reach = 2.2 * radius
        size = self._px(2 * reach)
        mask = _halo().point(lambda value: int(value * strength)).resize((size, size), Image.Resampling.BILINEAR)
        self.image.paste(colour, (int((x - reach) * self.side), int((y - reach) * self.side)), mask)

    def veil(self, colour: Rgb, rows: Line) -> None:
        """A layer whose opacity (0 to 1) changes from top to bottom."""
        column = Image.fromarray((rows * 255).astype(np.uint8)[:, None])
        self.image.paste(colour, (0, 0), column.resize(self.image.size, Image.Resampling.BILINEAR))

    def soft(self, colour: Rgb, mask: "Mask", blur: float) -> None:
        """Paint a colour through a blurred mask."""
        blurred = mask.image.convert("L").filter(ImageFilter.GaussianBlur(blur * _SOFT_SIDE))
        box = blurred.getbbox()
        if box is None:
            return
        left, top, right, bottom = (round(edge * self.side / _SOFT_SIDE) for edge in box)
        size = right - left, bottom - top
        self.image.paste(colour, (left, top), blurred.resize(size, Image.Resampling.BICUBIC, box))

    def cut(self, colour: Rgb, mask: Image.Image) -> None:
        """Paint a colour through a sharp mask of the canvas' own size."""
        self.image.paste(colour, (0, 0), mask)

    def mirror(self, horizon: float) -> None:
        """Let everything above the horizon be reflected below it."""
        y = int(horizon * self.side)
        above = self.image.crop((0, max(0, 2 * y - self.side), self.side, y))
        self.image.paste(above.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, y))

    def sprite(
        self,
        picture: Image.Image,
        x: float,
        y: float,
        height: float,
        *,
        stands: bool = False,
        flipped: bool = False,
        tilt: float = 0.0,
        shadow: float = 0.0,
        widest: float = 1.35,
    ) -> None:
        """Paste a sprite, centred on the point or standing on it; it is at most `widest` times as wide as `height`."""
        width = picture.width * height / picture.height
        if width > height * widest:
            width, height = height * widest, height * widest * picture.height / picture.width
        scale = height * self.side / picture.height
        if flipped:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if tilt:
            picture = picture.rotate(tilt, Image.Resampling.BICUBIC, expand=True)
        size = max(6, round(picture.width * scale)), max(6, round(picture.height * scale))
        pasted = picture.resize(size, Image.Resampling.BICUBIC)
        left = int(x * self.side - pasted.width / 2)
        top = int(y * self.side - (pasted.height if stands else pasted.height / 2))
        if shadow:
            flat = _disc().resize((pasted.width + pasted.width // 6, max(8, pasted.height // 4)))
            flat = flat.point(lambda value: int(value * shadow))
            self.image.paste(INK, (left - pasted.width // 12, top + pasted.height - int(flat.height * 0.6)), flat)
        self.image.paste(pasted, (left, top), pasted)


class Mask(Canvas):
    """A small canvas in levels of grey, black at first: the brighter, the more `Canvas.soft` paints there."""

    def __init__(self) -> None:
        super().__init__(_SOFT_SIDE, (0, 0, 0))


@lru_cache(1)
def _halo() -> Image.Image:
    """A bright middle that fades towards the edges."""
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    distance = np.sqrt(x * x + y * y)
    light = np.exp(-((distance * 2.2) ** 1.2) * 2.2) * np.clip((1 - distance) / 0.3, 0, 1)
    return Image.fromarray((light * 255).astype(np.uint8))


@lru_cache(1)
def _disc() -> Image.Image:
    """A soft disc, for shadows on the ground."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    return Image.fromarray((np.clip((1 - np.sqrt(x * x + y * y)) / 0.3, 0, 1) * 255).astype(np.uint8))
