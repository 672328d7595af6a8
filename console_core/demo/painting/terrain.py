"""The ground of a landscape: mountains, snow, hills, forest, desert and beach (water and city have their own files)."""

import random

import numpy as np

from console_core.demo.atlas import sprite
from console_core.demo.painting.canvas import Canvas, Line
from console_core.demo.painting.city import paint_city
from console_core.demo.painting.plants import AUTUMN_LEAVES, broadleaf, cactus, pine
from console_core.demo.painting.sky import Air
from console_core.demo.painting.water import paint_lake, paint_sea
from console_core.demo.palette import Rgb, in_light, mix
from console_core.demo.scene import Landscape, Trees

_STEPS = 97
_MEADOW_FLOWERS: tuple[Rgb, ...] = ((250, 220, 70), (240, 90, 120), (255, 255, 255), (180, 100, 220))
_WOODS: dict[Trees, Rgb] = {"pine": (34, 92, 62), "round": (62, 134, 58), "autumn": (214, 110, 40)}


def paint_ground(canvas: Canvas, scene: Landscape, air: Air, rng: random.Random) -> None:
    match scene.terrain:
        case "mountains":
            _paint_ranges(canvas, air, rng, snow=False)
            _paint_foothills(canvas, air, rng)
        case "lake":
            _paint_ranges(canvas, air, rng, snow=False)
            paint_lake(canvas, air, rng)
        case "snow":
            _paint_ranges(canvas, air, rng, snow=True)
            _paint_snowfield(canvas, air, rng)
        case "hills":
            _paint_hills(canvas, air, rng, flowers=scene.flowers)
        case "forest":
            _paint_forest(canvas, air, rng, scene.trees)
        case "desert":
            _paint_desert(canvas, air, rng)
        case "beach":
            _paint_beach(canvas, air, rng)
        case "ocean":
            paint_sea(canvas, air, rng, air.horizon)
        case "city":
            paint_city(canvas, air, rng, scene.time)


def _ridge(rng: random.Random, roughness: float, high: float, low: float) -> Line:
    """A jagged skyline between two heights."""
    line, amplitude = np.zeros(_STEPS), 1.0
    across = np.linspace(0, 1, _STEPS)
    for octave in range(1, 7):
        knots = 2**octave + 1
        line += amplitude * np.interp(across, np.linspace(0, 1, knots), [rng.uniform(-1, 1) for _ in range(knots)])
        amplitude *= roughness
    line = (line - line.min()) / (np.ptp(line) + 1e-9)
    heights: Line = high + (low - high) * line
    return heights


def _wave(rng: random.Random, height: float, slowest: float, fastest: float) -> Line:
    phase, waves = rng.uniform(0, 6.3), rng.uniform(slowest, fastest)
    return height * np.sin(np.linspace(0, 6.28 * waves, _STEPS) + phase)


def _paint_ranges(canvas: Canvas, air: Air, rng: random.Random, *, snow: bool) -> None:
    """Three ranges, the farther ones paler, with snow on the peaks."""
    rock: Rgb = (150, 168, 196) if snow else (84, 98, 126)
    for depth in range(3):
        high = air.horizon - (0.34 - 0.09 * depth) * rng.uniform(0.85, 1.1)
        line = _ridge(rng, 0.5, high, air.horizon - 0.02 + 0.02 * depth)
        canvas.below(line, mix(in_light(rock, air.light), air.haze, 0.5 - 0.2 * depth))
        if depth < 2 or snow:
            white = mix(in_light((250, 252, 255), air.light), air.haze, 0.3 - 0.15 * depth)
            _paint_snow_caps(canvas, line, line.min() + np.ptp(line) * (0.6 if snow else 0.38), white)


def _paint_snow_caps(canvas: Canvas, line: Line, limit: float, white: Rgb) -> None:
    """Fill each stretch of the ridge that lies above the snow line, down to a ragged edge."""
    peak: list[tuple[float, float]] = []
    for i, y in enumerate([*line, 1.0]):
        if y < limit:
            peak.append((i / (_STEPS - 1), float(y)))
            continue
        if len(peak) > 1:
            edge = [(x, min(limit + 0.012 * ((j * 7) % 5 - 2), top + 0.09)) for j, (x, top) in enumerate(peak)]
            canvas.polygon(peak + edge[::-1], white)
        peak = []


def _paint_foothills(canvas: Canvas, air: Air, rng: random.Random) -> None:
    green = rng.choice([(92, 150, 70), (110, 146, 72), (76, 128, 74)])
    for i in range(2):
        near = air.horizon + 0.10 * i
        line = _ridge(rng, 0.3, near, near + 0.06)
        canvas.below(line, in_light(mix(green, (0, 0, 0), 0.12 * i), air.light))
    for _ in range(rng.randint(0, 6)):
        pine(canvas, rng.uniform(0, 1), air.horizon + rng.uniform(0.07, 0.16), rng.uniform(0.07, 0.13),
             in_light((44, 92, 60), air.light))  # fmt: skip


def _paint_snowfield(canvas: Canvas, air: Air, rng: random.Random) -> None:
    for i in range(2):
        line = _ridge(rng, 0.3, air.horizon + 0.12 * i, air.horizon + 0.06 + 0.12 * i)
        canvas.below(line, in_light(mix((248, 251, 255), (190, 206, 232), 0.35 * (1 - i)), air.light))
    for _ in range(rng.randint(4, 9)):
        y = air.horizon + rng.uniform(0.06, 0.2)
        pine(canvas, rng.uniform(0, 1), y, rng.uniform(0.12, 0.22), in_light((52, 96, 88), air.light))


def _paint_hills(canvas: Canvas, air: Air, rng: random.Random, *, flowers: bool) -> None:
    green = rng.choice([(104, 176, 72), (126, 186, 70), (88, 160, 80)])
    for i in range(4):
        far = mix(green, air.haze, 0.35 - 0.12 * i if i < 3 else 0)
        line = air.horizon + 0.105 * i - 0.05 + _wave(rng, 0.045, 0.8, 1.7)
        canvas.below(line, in_light(mix(far, (20, 60, 20), 0.08 * i), air.light))
    if not flowers:
        for _ in range(rng.randint(1, 4)):
            x, y = rng.uniform(0, 1), air.horizon + rng.uniform(0.05, 0.2)
            broadleaf(canvas, x, y, rng.uniform(0.1, 0.17), in_light((70, 140, 60), air.light))
        return
    for _ in range(90):
        x, deep = rng.uniform(0, 1), rng.uniform(0.2, 0.44)
        size = 0.006 * (0.6 + deep * 2.4)
        canvas.dot(x, air.horizon + deep, size, in_light(rng.choice(_MEADOW_FLOWERS), air.light))


def _paint_forest(canvas: Canvas, air: Air, rng: random.Random, trees: Trees) -> None:
    tree = pine if trees == "pine" else broadleaf
    for row in range(3):
        foot = air.horizon + 0.02 + 0.11 * row
        if row == 0:
            canvas.box(0, foot - 0.02, 1, 1, in_light((60, 103, 54), air.light))
        x = -0.05
        while x < 1.05:
            leaf = rng.choice(AUTUMN_LEAVES) if trees == "autumn" else _WOODS[trees]
            leaf = mix(leaf, air.haze, 0.36 - 0.16 * row) if row < 2 else mix(leaf, (0, 0, 0), 0.1)
            height = rng.uniform(0.26, 0.38) * (1 - 0.06 * row)
            tree(canvas, x, foot + rng.uniform(-0.01, 0.02), height, in_light(leaf, air.light))
            x += rng.uniform(0.07, 0.13) * (1 + 0.12 * row)
    clearing = [(0, 1), (0, air.horizon + 0.24), (0.5, air.horizon + 0.22), (1, air.horizon + 0.25), (1, 1)]
    canvas.polygon(clearing, in_light((170, 120, 60) if trees == "autumn" else (78, 128, 60), air.light))


def _paint_desert(canvas: Canvas, air: Air, rng: random.Random) -> None:
    for i in range(4):
        line = air.horizon + 0.11 * i - 0.05 + _wave(rng, 0.06 * (1 - 0.1 * i), 0.5, 1.2)
        canvas.below(line, in_light(mix((238, 196, 120), (196, 128, 60), 0.22 * i), air.light))
    for _ in range(rng.randint(0, 3)):
        y = air.horizon + rng.uniform(0.1, 0.2)
        cactus(canvas, rng.uniform(0.05, 0.95), y, rng.uniform(0.1, 0.17), in_light((60, 130, 70), air.light))


def _paint_beach(canvas: Canvas, air: Air, rng: random.Random) -> None:
    paint_sea(canvas, air, rng, air.horizon, (34, 150, 190))
    shore = air.horizon + 0.16
    slope = rng.uniform(-0.05, 0.05)
    phase = rng.uniform(0, 6)
    line = shore + 0.015 * np.sin(np.linspace(0, 9, _STEPS) + phase) + np.linspace(0, slope, _STEPS)
    canvas.below(line - 0.012, (255, 255, 255, 210))
    canvas.below(line + 0.008, in_light((244, 218, 160), air.light))
    for _ in range(60):
        x, y = rng.uniform(0, 1), rng.uniform(shore + 0.06, 1)
        canvas.oval(x, y, 0.003, 0.002, in_light((214, 182, 124), air.light))
    for _ in range(rng.randint(1, 2)):
        x = rng.choice([rng.uniform(0.06, 0.2), rng.uniform(0.8, 0.94)])
        flipped = rng.random() < 0.5
        canvas.sprite(sprite("palm tree"), x, shore + 0.12, rng.uniform(0.36, 0.5), stands=True, flipped=flipped)
