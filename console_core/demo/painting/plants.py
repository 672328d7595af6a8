"""Trees, cacti, and the bushes, drifts and dunes that hide the lower half of an animal."""

import random

from console_core.demo.painting.canvas import Canvas
from console_core.demo.palette import Rgb, in_light, mix
from console_core.demo.scene import Terrain

AUTUMN_LEAVES: tuple[Rgb, ...] = ((220, 110, 40), (236, 160, 46), (190, 66, 40), (206, 134, 50))


def pine(canvas: Canvas, x: float, y: float, height: float, colour: Rgb) -> None:
    trunk = mix(colour, (70, 42, 24), 0.7)
    canvas.box(x - height * 0.035, y - height * 0.16, x + height * 0.035, y, trunk)
    for level, (low, high, wide) in enumerate(((0.12, 0.52, 0.26), (0.34, 0.76, 0.20), (0.58, 1.0, 0.14))):
        needles = mix(colour, (255, 255, 255), 0.05 * level)
        left, right = x - wide * height, x + wide * height
        canvas.polygon([(left, y - low * height), (right, y - low * height), (x, y - high * height)], needles)


def broadleaf(canvas: Canvas, x: float, y: float, height: float, colour: Rgb) -> None:
    trunk = mix(colour, (80, 48, 26), 0.75)
    canvas.box(x - height * 0.05, y - height * 0.45, x + height * 0.05, y, trunk)
    for dx, up, size in ((-0.2, 0.55, 0.22), (0.2, 0.55, 0.22), (0.0, 0.75, 0.26), (0.0, 0.55, 0.24)):
        sunny = 0.07 if dx <= 0 and up > 0.6 else 0.0
        canvas.dot(x + dx * height, y - up * height, size * height, mix(colour, (255, 255, 220), sunny))


def cactus(canvas: Canvas, x: float, y: float, height: float, colour: Rgb) -> None:
    w = height * 0.1
    canvas.box(x - w, y - height, x + w, y, colour, radius=w)
    canvas.box(x - 4 * w, y - 0.7 * height, x - 2.6 * w, y - 0.35 * height, colour, radius=w * 0.7)
    canvas.box(x - 3.4 * w, y - 0.45 * height, x, y - 0.32 * height, colour)
    canvas.box(x + 2.6 * w, y - 0.85 * height, x + 4 * w, y - 0.5 * height, colour, radius=w * 0.7)
    canvas.box(x, y - 0.6 * height, x + 3.4 * w, y - 0.48 * height, colour)


def hideout(canvas: Canvas, terrain: Terrain, light: str, rng: random.Random, x: float, y: float, width: float) -> None:
    """Something in front of an animal: a snow drift, a dune, or a bush. `y` is its upper edge."""
    if terrain in ("snow", "desert", "beach"):
        colour = in_light((244, 248, 255) if terrain == "snow" else (226, 178, 104), light)
        shade = mix(colour, (120, 140, 190) if terrain == "snow" else (150, 96, 50), 0.18)
        canvas.oval(x + width * 0.1, y + width * 0.42, width * 0.95, width * 0.3, shade)
        canvas.oval(x, y + width * 0.34, width * 0.72, width * 0.26, colour)
        return
    leaves = in_light((66, 132, 62), light)
    for row in range(2):
        number = 7 - row
        for i in range(number):
            across = (i + 0.5) / number - 0.5
            size = width * rng.uniform(0.15, 0.2)
            low = y + width * (0.26 + 0.1 * row - 0.12 * (1 - 4 * across * across))
            colour = mix(leaves, (20, 50, 24) if row else (210, 230, 130), 0.14 if row else 0.1 * rng.random())
            canvas.dot(x + across * width * 1.5, low, size, colour)
