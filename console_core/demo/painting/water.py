"""Sea and lakes, with the light that lies on them."""

import random

from console_core.demo.painting.canvas import Canvas
from console_core.demo.painting.plants import pine
from console_core.demo.painting.sky import Air
from console_core.demo.palette import Rgb, in_light, mix


def paint_sea(canvas: Canvas, air: Air, rng: random.Random, top: float, colour: Rgb = (36, 110, 170)) -> None:
    """Water from `top` to the lower edge."""
    colour = in_light(colour, air.light)
    canvas.gradient(top, 1, ((0, mix(colour, air.haze, 0.45)), (1, mix(colour, (6, 20, 50), 0.3))))
    for _ in range(60):
        deep = (1 - top) * rng.random() ** 1.4
        length, x = rng.uniform(0.02, 0.09) * (0.4 + deep / (1 - top)), rng.uniform(0, 1)
        canvas.line([(x, top + deep), (x + length, top + deep)], 0.004, (255, 255, 255, 46))
    if air.lamp is None:
        return
    opacity = 170 if air.lamp_colour[0] == 255 else 120
    for step in range(16):
        y = top + (1 - top) * (step + 0.5) / 16
        length = rng.uniform(0.02, 0.06) * (1 + step * 0.09)
        canvas.line([(air.lamp - length, y), (air.lamp + length, y)], 0.009, (*air.lamp_colour, opacity))


def paint_lake(canvas: Canvas, air: Air, rng: random.Random) -> None:
    """A calm lake that mirrors what has been painted above it, between pines."""
    shore = air.horizon + 0.03
    canvas.mirror(shore)
    canvas.box(0, shore, 1, 1, (*in_light((40, 96, 140), air.light), 120))
    for _ in range(50):
        y, x = shore + (1 - shore) * rng.random(), rng.uniform(0, 1)
        canvas.line([(x, y), (x + rng.uniform(0.03, 0.12), y)], 0.004, (255, 255, 255, 40))
    for _ in range(9):
        x = rng.choice([rng.uniform(0, 0.2), rng.uniform(0.8, 1)])
        pine(canvas, x, shore + 0.02, rng.uniform(0.1, 0.18), in_light((30, 80, 56), air.light))
