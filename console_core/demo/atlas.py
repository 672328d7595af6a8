"""The sprites: cut from one packaged picture, so that no system font is needed, and turned into any colour."""

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.demo.palette import COLOURS
from console_core.demo.vocabulary import THINGS

FILE = Path(__file__).with_name("atlas.webp")
_COLUMNS = 14
_CELL = 136

_Channel = NDArray[np.floating]


@cache
def _atlas() -> Image.Image:
    with Image.open(FILE) as picture:
        drawn = picture.convert("RGBA")
    # The glyphs were drawn onto black, so that their colours are multiplied by alpha: taken as they are, every sprite
    # would have a dark outline.
    return Image.frombytes("RGBa", drawn.size, drawn.tobytes()).convert("RGBA")


@cache
def sprite(name: str, colour: str = "") -> Image.Image:
    """A thing as RGBA, cropped to what is visible; up to 136 × 136 pixels. Do not change what it returns."""
    if colour:
        return _tinted(sprite(name), colour)
    row, column = divmod(THINGS[name].cell, _COLUMNS)
    cell = _atlas().crop((column * _CELL, row * _CELL, (column + 1) * _CELL, (row + 1) * _CELL))
    return cell.crop(cell.getbbox())


def _tinted(picture: Image.Image, colour: str) -> Image.Image:
    """Turn the main hue of a sprite into a colour; its other hues, outlines and highlights stay."""
    pixels = np.asarray(picture).astype(np.float32) / 255
    rgb, alpha = pixels[..., :3], pixels[..., 3]
    hue, saturation, value = _to_hsv(rgb)
    weight = saturation * value * (alpha > 0.5) * (saturation > 0.3)
    angle = np.deg2rad(hue)
    main = np.rad2deg(np.arctan2((weight * np.sin(angle)).sum(), (weight * np.cos(angle)).sum())) % 360
    distance = (hue - main + 180) % 360 - 180
    part = np.clip((saturation - 0.18) / 0.2, 0, 1) * (np.abs(distance) < 75)
    target = COLOURS[colour]
    lift = 0.12 if colour in ("white", "yellow") else 0.0
    painted = _to_rgb(
        (target.degrees + 0.25 * distance) % 360,
        np.clip(saturation * target.saturation, 0, 1),
        np.clip(value * target.value + lift, 0, 1),
    )
    mixed = rgb * (1 - part[..., None]) + painted * part[..., None]
    return Image.fromarray((np.dstack([mixed, alpha]) * 255 + 0.5).astype(np.uint8), "RGBA")


def _to_hsv(rgb: _Channel) -> tuple[_Channel, _Channel, _Channel]:
    """Hue in degrees, saturation and value from 0 to 1."""
    high, low = rgb.max(-1), rgb.min(-1)
    spread = high - low + 1e-9
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    sextant = np.where(
        high == red,
        ((green - blue) / spread) % 6,
        np.where(high == green, (blue - red) / spread + 2, (red - green) / spread + 4),
    )
    return sextant * 60, np.where(high > 0, spread / (high + 1e-9), 0), high


def _to_rgb(hue: _Channel, saturation: _Channel, value: _Channel) -> _Channel:
    def channel(offset: int) -> _Channel:
        k = (offset + hue / 60) % 6
        light: _Channel = value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)
        return light

    return np.stack([channel(5), channel(3), channel(1)], -1)
