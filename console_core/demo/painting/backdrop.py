"""What stands behind things and shapes: a lit wall, plain or with a pattern, or a table."""

import math
import random
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.demo.painting.canvas import Canvas
from console_core.demo.palette import BACKDROPS
from console_core.demo.scene import Pattern

TABLE_TOP = 0.66


def paint_backdrop(canvas: Canvas, background: str, pattern: Pattern, rng: random.Random) -> None:
    colour = BACKDROPS[background]
    wall = np.array(colour) * _light(canvas.side) + 18 * (1.6 - _light(canvas.side) * 0.6)
    pale = sum(colour) >= 600
    if pattern == "striped":
        stripes = _stripes(canvas.side, rng.choice((6, 8, 10)), rng.choice((0.0, 0.785, 1.57)))
        wall = np.where(stripes, wall * 0.93 if pale else wall * 0.9 + 25.5, wall)
    elif pattern == "dotted":
        dots = _dots(canvas.side, rng.choice((6, 7, 9)))
        wall = np.where(dots, wall * 0.9 if pale else wall * 0.78 + 56, wall)
    canvas.image.paste(Image.fromarray(np.clip(wall, 0, 255).astype(np.uint8)))
    if pattern == "table":
        _paint_table(canvas, rng)


@lru_cache(4)
def _light(side: int) -> NDArray[np.float32]:
    """How bright the wall is: most a little above the middle. Shape (side, side, 1)."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    light: NDArray[np.float32] = 1.04 - 0.26 * np.sqrt((x - 0.5) ** 2 + (y - 0.42) ** 2)
    return light[..., None]


@lru_cache(16)
def _stripes(side: int, number: int, angle: float) -> NDArray[np.bool_]:
    y, x = np.mgrid[0:side, 0:side] / side
    stripes: NDArray[np.bool_] = np.sin((x * math.cos(angle) + y * math.sin(angle)) * number * 2 * math.pi) > 0
    return stripes[..., None]


@lru_cache(16)
def _dots(side: int, number: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[0:side, 0:side] / side
    dots: NDArray[np.bool_] = ((x * number) % 1 - 0.5) ** 2 + ((y * number) % 1 - 0.5) ** 2 < 0.05
    return dots[..., None]


def _paint_table(canvas: Canvas, rng: random.Random) -> None:
    canvas.gradient(TABLE_TOP, 1, ((0, (186, 134, 86)), (1, (146, 98, 58))))
    canvas.box(0, TABLE_TOP, 1, TABLE_TOP + 0.012, (214, 166, 116))
    for _ in range(9):
        y, x = rng.uniform(TABLE_TOP + 0.03, 1), rng.uniform(-0.2, 0.8)
        canvas.line([(x, y), (x + rng.uniform(0.2, 0.5), y)], 0.005, (120, 78, 44, 70))
