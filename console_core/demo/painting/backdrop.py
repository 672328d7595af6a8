"""What stands behind things and shapes: a lit wall, plain or with a pattern, or a table."""

import math
import random
from functools import lru_cache

import numpy as np
from PIL import Image

from console_core.demo.painting.canvas import Canvas
from console_core.demo.palette import BACKDROPS, Rgb
from console_core.demo.scene import Pattern

TABLE_TOP = 0.66


def paint_backdrop(canvas: Canvas, background: str, pattern: Pattern, rng: random.Random) -> None:
    colour = BACKDROPS[background]
    pale = sum(colour) >= 600
    wall = _painted(canvas.side, colour, 0.0)
    if pattern == "striped":
        mask = _stripes(canvas.side, rng.choice((6, 8, 10)), rng.choice((0.0, 0.785, 1.57)))
        wall.paste(_painted(canvas.side, colour, -0.07 if pale else 0.1), (0, 0), mask)
    elif pattern == "dotted":
        mask = _dots(canvas.side, rng.choice((6, 7, 9)))
        wall.paste(_painted(canvas.side, colour, -0.1 if pale else 0.22), (0, 0), mask)
    canvas.image.paste(wall)
    if pattern == "table":
        _paint_table(canvas, rng)


def _painted(side: int, colour: Rgb, lift: float) -> Image.Image:
    """A lit wall, with that part of white added, or of the colour taken away."""

    def level(channel: int, distance: float) -> float:
        value = channel * (1.04 - 0.26 * distance) + 18 * (1 - distance)
        return value * (1 - lift) + 255 * lift if lift > 0 else value * (1 + lift)

    distance = _distance(side)
    levels = [[min(255, int(level(channel, i / 255))) for i in range(256)] for channel in colour]
    return Image.merge("RGB", [distance.point(table) for table in levels])


@lru_cache(4)
def _distance(side: int) -> Image.Image:
    """From the brightest point, a little above the middle: a side's length away is white."""
    y, x = np.mgrid[0:1:200j, 0:1:200j]
    distance = np.sqrt((x - 0.5) ** 2 + (y - 0.42) ** 2)
    small = Image.fromarray((distance * 255).astype(np.uint8))
    return small.resize((side, side), Image.Resampling.BICUBIC)


@lru_cache(16)
def _stripes(side: int, number: int, angle: float) -> Image.Image:
    y, x = np.mgrid[0:side, 0:side] / side
    waves = np.sin((x * math.cos(angle) + y * math.sin(angle)) * number * 2 * math.pi)
    return Image.fromarray((waves > 0).astype(np.uint8) * 255)


@lru_cache(16)
def _dots(side: int, number: int) -> Image.Image:
    y, x = np.mgrid[0:side, 0:side] / side
    dots = ((x * number) % 1 - 0.5) ** 2 + ((y * number) % 1 - 0.5) ** 2 < 0.05
    return Image.fromarray(dots.astype(np.uint8) * 255)


def _paint_table(canvas: Canvas, rng: random.Random) -> None:
    canvas.gradient(TABLE_TOP, 1, ((0, (186, 134, 86)), (1, (146, 98, 58))))
    canvas.box(0, TABLE_TOP, 1, TABLE_TOP + 0.012, (214, 166, 116))
    for _ in range(9):
        y, x = rng.uniform(TABLE_TOP + 0.03, 1), rng.uniform(-0.2, 0.8)
        canvas.line([(x, y), (x + rng.uniform(0.2, 0.5), y)], 0.005, (120, 78, 44, 70))
