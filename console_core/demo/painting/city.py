"""A skyline of two rows of houses, with lit windows at night, and a street."""

import random

from console_core.demo.painting.canvas import Canvas
from console_core.demo.painting.sky import Air
from console_core.demo.palette import Rgb, in_light, mix
from console_core.demo.scene import Time

_WALLS: tuple[Rgb, ...] = ((96, 108, 132), (120, 126, 144), (84, 96, 120), (140, 124, 116), (104, 120, 136))
_WINDOW = 0.024
_LIT: dict[Time, float] = {"day": 0.0, "sunset": 0.45, "night": 0.6}


def paint_city(canvas: Canvas, air: Air, rng: random.Random, time: Time) -> None:
    base = air.horizon + 0.16
    for row in range(2):
        x = -0.02
        while x < 1:
            width, height = rng.uniform(0.07, 0.14), rng.uniform(0.14, 0.42) * (1 - 0.25 * row)
            wall = mix(in_light(rng.choice(_WALLS), air.light), air.haze, 0.45 - 0.4 * row)
            canvas.box(x, base - height, x + width, base, wall)
            if rng.random() < 0.25:
                peak = (x + width / 2, base - height - 0.06)
                canvas.polygon([(x + width * 0.3, base - height), peak, (x + width * 0.7, base - height)], wall)
            if row == 1 or time != "day":
                _paint_windows(canvas, rng, time, wall, (x, base - height, x + width, base))
            x += width * rng.uniform(0.9, 1.12)
    canvas.box(0, base, 1, 1, in_light((92, 96, 104), air.light))
    canvas.box(0, base, 1, base + 0.03, in_light((150, 150, 150), air.light))
    for k in range(6):
        canvas.box(k / 6 + 0.03, 0.9, k / 6 + 0.11, 0.91, in_light((240, 230, 180), air.light))


def _paint_windows(
    canvas: Canvas, rng: random.Random, time: Time, wall: Rgb, house: tuple[float, float, float, float]
) -> None:
    left, top, right, bottom = house
    dark = mix(wall, (220, 238, 255) if time == "day" else (20, 30, 50), 0.4)
    y = top + _WINDOW * 0.7
    while y < bottom - _WINDOW:
        x = left + _WINDOW * 0.5
        while x < right - _WINDOW * 0.7:
            glass = (255, 224, 130) if rng.random() < _LIT[time] else dark
            canvas.box(x, y, x + _WINDOW * 0.5, y + _WINDOW * 0.55, glass)
            x += _WINDOW
        y += _WINDOW
