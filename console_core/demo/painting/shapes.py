"""Geometric shapes in front of a plain backdrop."""

import math
import random

from console_core.demo.painting.backdrop import paint_backdrop
from console_core.demo.painting.canvas import XY, Canvas, Mask
from console_core.demo.palette import COLOURS, INK, Rgb
from console_core.demo.scene import Figure, Shapes

Place = tuple[float, float, float]
"""x, y and radius."""

_GROUPS: dict[int, tuple[Place, ...]] = {
    1: ((0.5, 0.5, 0.3),),
    2: ((0.29, 0.5, 0.17), (0.71, 0.5, 0.17)),
    3: ((0.5, 0.28, 0.16), (0.27, 0.7, 0.16), (0.73, 0.7, 0.16)),
    4: ((0.29, 0.29, 0.15), (0.71, 0.29, 0.15), (0.29, 0.71, 0.15), (0.71, 0.71, 0.15)),
    5: ((0.25, 0.25, 0.13), (0.75, 0.25, 0.13), (0.5, 0.5, 0.13), (0.25, 0.75, 0.13), (0.75, 0.75, 0.13)),
    6: tuple((0.2 + 0.3 * (i % 3), 0.33 + 0.34 * (i // 3), 0.12) for i in range(6)),
}


def paint_shapes(canvas: Canvas, scene: Shapes, rng: random.Random) -> None:
    paint_backdrop(canvas, scene.background, "plain", rng)
    placed = _arrange(scene, rng)
    if scene.layout != "inside":
        shadow = Mask()
        for figure, (x, y, radius) in placed:
            _paint_shape(shadow, figure.name, x + 0.012, y + 0.018, radius, (90, 90, 90))
        canvas.soft(INK, shadow, 0.014)
    for figure, (x, y, radius) in placed:
        _paint_shape(canvas, figure.name, x, y, radius, COLOURS[figure.colour].rgb)


def _arrange(scene: Shapes, rng: random.Random) -> list[tuple[Figure, Place]]:
    if scene.layout == "inside":
        inner, outer = scene.figures
        return [(outer, (0.5, 0.5, 0.36 * rng.uniform(0.9, 1.08))), (inner, (0.5, 0.5, 0.16 * rng.uniform(0.9, 1.08)))]
    match scene.layout:
        case "side by side":
            places: tuple[Place, ...] = ((0.28, 0.5, 0.18), (0.72, 0.5, 0.18))
        case "stacked":
            places = ((0.5, 0.27, 0.18), (0.5, 0.74, 0.18))
        case _:
            places = _GROUPS[scene.figures[0].count]
    shown = scene.figures if len(scene.figures) > 1 else scene.figures * len(places)
    return [
        (figure, (x + rng.uniform(-0.02, 0.02), y + rng.uniform(-0.02, 0.02), radius * rng.uniform(0.9, 1.08)))
        for figure, (x, y, radius) in zip(shown, places, strict=True)
    ]


def _paint_shape(canvas: Canvas, name: str, x: float, y: float, r: float, colour: Rgb) -> None:
    match name:
        case "circle":
            canvas.dot(x, y, r, colour)
        case "square":
            canvas.box(x - r * 0.88, y - r * 0.88, x + r * 0.88, y + r * 0.88, colour, radius=r * 0.08)
        case "cross":
            canvas.box(x - r * 0.3, y - r, x + r * 0.3, y + r, colour, radius=r * 0.06)
            canvas.box(x - r, y - r * 0.3, x + r, y + r * 0.3, colour, radius=r * 0.06)
        case _:
            canvas.polygon([(x + dx * r, y + dy * r) for dx, dy in _OUTLINES[name]], colour)


def _star() -> list[XY]:
    spikes = [(1.0 if i % 2 == 0 else 0.42, i * math.pi / 5) for i in range(10)]
    return [(size * math.sin(angle), -size * math.cos(angle)) for size, angle in spikes]


def _heart() -> list[XY]:
    angles = [2 * math.pi * i / 60 for i in range(60)]
    return [
        (
            0.992 * math.sin(a) ** 3,
            -0.062 * (13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)),
        )
        for a in angles
    ]


_OUTLINES: dict[str, list[XY]] = {
    "triangle": [(0, -1), (1, 0.8), (-1, 0.8)],
    "diamond shape": [(0, -1), (0.7, 0), (0, 1), (-0.7, 0)],
    "hexagon": [(math.cos(i * math.pi / 3), math.sin(i * math.pi / 3)) for i in range(6)],
    "star": _star(),
    "heart shape": _heart(),
}
