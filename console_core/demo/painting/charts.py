"""Charts as one finds them in slides and dashboards."""

import random
from functools import lru_cache

from PIL import ImageDraw, ImageFont

from console_core.demo.painting.canvas import Canvas
from console_core.demo.palette import CHART_PALETTES, COLOURS, Rgb, mix
from console_core.demo.scene import Chart, Trend

_LEFT, _RIGHT, _TOP, _BOTTOM = 0.1, 0.94, 0.2, 0.88
_WIDE, _HIGH = _RIGHT - _LEFT, _BOTTOM - _TOP
_ROUND = ("pie", "donut")


def paint_chart(canvas: Canvas, scene: Chart, rng: random.Random) -> None:
    paper: Rgb = (26, 30, 42) if scene.dark else (255, 255, 255)
    ink: Rgb = (220, 226, 236) if scene.dark else (60, 66, 78)
    palette, colour = rng.choice(CHART_PALETTES), COLOURS[scene.colour].rgb
    canvas.box(0, 0, 1, 1, paper)
    _paint_title(canvas, scene.topic.capitalize(), ink)
    if scene.form not in (*_ROUND, "heatmap"):
        _paint_axes(canvas, ink, (52, 58, 74) if scene.dark else (228, 231, 236), scene.form == "horizontal bar")
    values = _values(scene.trend, scene.points, rng)
    match scene.form:
        case "bar":
            _paint_bars(canvas, values, colour)
        case "stacked bar":
            _paint_stacks(canvas, values, palette)
        case "horizontal bar":
            _paint_lying_bars(canvas, sorted(values, reverse=scene.trend != "rising"), colour)
        case "line" | "area":
            _paint_line(canvas, values, colour, filled=scene.form == "area")
        case "scatter":
            _paint_scatter(canvas, scene.trend, colour, rng)
        case "pie" | "donut":
            _paint_pie(canvas, scene.slices, palette, paper, rng, hole=scene.form == "donut")
        case "heatmap":
            _paint_heatmap(canvas, (44, 50, 66) if scene.dark else (236, 242, 250), colour, rng)


@lru_cache(8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _paint_title(canvas: Canvas, title: str, ink: Rgb) -> None:
    """In the regular weight of Pillow's own font, made bold by a stroke."""
    place = (canvas.side * 0.08, canvas.side * 0.045)
    font = _font(max(6, round(canvas.side * 0.078)))
    ImageDraw.Draw(canvas.image).text(place, title, font=font, fill=ink, stroke_width=canvas.side * 0.002)


def _paint_axes(canvas: Canvas, ink: Rgb, grid: Rgb, lying: bool) -> None:
    for i in range(5):
        if lying:
            x = _LEFT + _WIDE * i / 4
            canvas.line([(x, _TOP), (x, _BOTTOM)], 0.005, grid)
        else:
            y = _TOP + _HIGH * i / 4
            canvas.line([(_LEFT, y), (_RIGHT, y)], 0.005, grid)
    canvas.line([(_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)][: 2 if lying else 3], 0.008, ink)


def _values(trend: Trend, number: int, rng: random.Random) -> list[float]:
    """Heights from 0 to 1."""
    values = []
    for i in range(number):
        part = i / (number - 1)
        match trend:
            case "rising":
                value = 0.18 + 0.72 * part
            case "falling":
                value = 0.9 - 0.72 * part
            case "flat":
                value = 0.55
            case "volatile":
                value = rng.uniform(0.12, 0.92)
            case "peak":
                value = 0.2 + 0.7 * 2.718 ** -(((2 * part - 1) / 0.42) ** 2)
        values.append(min(0.97, max(0.05, value + rng.uniform(-0.05, 0.05))))
    return values


def _paint_bars(canvas: Canvas, values: list[float], colour: Rgb) -> None:
    step = _WIDE / len(values)
    for i, value in enumerate(values):
        x = _LEFT + step * (i + 0.5)
        canvas.box(x - step * 0.34, _BOTTOM - _HIGH * value, x + step * 0.34, _BOTTOM, colour, radius=0.008)


def _paint_stacks(canvas: Canvas, values: list[float], palette: tuple[Rgb, ...]) -> None:
    step = _WIDE / len(values)
    for i, value in enumerate(values):
        x, floor = _LEFT + step * (i + 0.5), _BOTTOM
        for part, colour in zip((0.5, 0.3, 0.2), palette, strict=False):
            ceiling = floor - _HIGH * value * part
            canvas.box(x - step * 0.34, ceiling, x + step * 0.34, floor, colour)
            floor = ceiling


def _paint_lying_bars(canvas: Canvas, values: list[float], colour: Rgb) -> None:
    step = _HIGH / len(values)
    for i, value in enumerate(values):
        y = _TOP + step * i
        canvas.box(_LEFT, y + step * 0.18, _LEFT + _WIDE * value, y + step * 0.82, colour, radius=0.008)


def _paint_line(canvas: Canvas, values: list[float], colour: Rgb, *, filled: bool) -> None:
    points = [(_LEFT + _WIDE * i / (len(values) - 1), _BOTTOM - _HIGH * value) for i, value in enumerate(values)]
    if filled:
        canvas.polygon([(_LEFT, _BOTTOM), *points, (_RIGHT, _BOTTOM)], (*colour, 120))
    canvas.line(points, 0.016, colour)
    if not filled:
        for x, y in points:
            canvas.dot(x, y, 0.014, colour)


def _paint_scatter(canvas: Canvas, trend: Trend, colour: Rgb, rng: random.Random) -> None:
    for _ in range(rng.randint(40, 70)):
        x = rng.random()
        match trend:
            case "rising":
                y = 0.12 + 0.7 * x + rng.gauss(0, 0.07)
            case "falling":
                y = 0.85 - 0.7 * x + rng.gauss(0, 0.07)
            case _:
                y = rng.uniform(0.08, 0.95)
        y = min(0.97, max(0.03, y))
        canvas.dot(_LEFT + _WIDE * x, _BOTTOM - _HIGH * y, 0.014, (*colour, 200))


def _paint_pie(
    canvas: Canvas, slices: int, palette: tuple[Rgb, ...], paper: Rgb, rng: random.Random, *, hole: bool
) -> None:
    parts = [rng.uniform(0.4, 1.8) for _ in range(slices)]
    angle, radius = rng.uniform(0, 360), 0.33
    for part, colour in zip(parts, palette, strict=False):
        turn = 360 * part / sum(parts)
        canvas.pie(0.5, 0.56, radius, angle, angle + turn, colour, paper)
        angle += turn
    if hole:
        canvas.dot(0.5, 0.56, radius * 0.56, paper)


def _paint_heatmap(canvas: Canvas, pale: Rgb, colour: Rgb, rng: random.Random) -> None:
    wide, high = _WIDE / 7, _HIGH / 7
    for column in range(7):
        for row in range(7):
            x, y = _LEFT + wide * column, _TOP + high * row
            canvas.box(x, y, x + wide * 0.94, y + high * 0.94, mix(pale, colour, rng.random()))
