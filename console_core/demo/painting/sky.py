"""The sky over a landscape: its colours, sun, moon, stars, clouds, rainbow and lightning."""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

from console_core.demo.painting.canvas import Canvas, Mask
from console_core.demo.palette import RAINBOW, SKIES, Rgb, mix
from console_core.demo.scene import Landscape, Moon

_CLOUDS: dict[str, Rgb] = {
    "day": (255, 255, 255),
    "sunset": (255, 206, 190),
    "night": (70, 80, 120),
    "overcast": (122, 130, 142),
    "storm": (60, 64, 76),
}
_GREY_TIMES = ("rain", "fog", "snowing")


@dataclass(frozen=True, slots=True)
class Air:
    """What the ground needs to know of the sky.

    `light` is a word for `palette.in_light`, `haze` the colour at the horizon, `lamp` where the sun or moon is.
    """

    light: str
    haze: Rgb
    horizon: float
    lamp: float | None
    lamp_colour: Rgb


def paint_sky(canvas: Canvas, scene: Landscape, rng: random.Random) -> Air:
    mood = _mood(scene)
    horizon = rng.uniform(0.52, 0.64)
    stops = rng.choice(SKIES[mood])
    canvas.gradient(0, horizon + 0.02, stops)
    canvas.box(0, horizon, 1, 1, stops[-1][1])
    x = rng.uniform(0.18, 0.82)
    lamp = _paint_lamp(canvas, scene, mood, rng, x, horizon)
    if scene.weather == "rainbow":
        _paint_rainbow(canvas, rng, horizon)
    if scene.weather in ("rain", "lightning", "snowing"):
        _paint_cloud_deck(canvas, rng, _CLOUDS[mood])
    elif scene.weather in ("clouds", "rainbow"):
        for _ in range(rng.randint(3, 4) if scene.weather == "clouds" else 2):
            _paint_cloud(canvas, rng, _CLOUDS[mood])
    if scene.weather == "lightning":
        _paint_lightning(canvas, rng, horizon)
    night = scene.time == "night"
    light: str = "storm" if scene.weather == "lightning" else scene.time
    if scene.weather in _GREY_TIMES and not night:
        light = "overcast"
    return Air(light, stops[-1][1], horizon, x if lamp else None, (220, 228, 255) if night else (255, 232, 160))


def _mood(scene: Landscape) -> str:
    """Which of the skies of the palette."""
    match scene.weather:
        case "lightning":
            return "storm"
        case "rain" | "snowing" | "fog":
            if scene.time != "night":
                return "overcast"
            return "storm" if scene.weather == "rain" else "night"
    return scene.time


def _paint_lamp(canvas: Canvas, scene: Landscape, mood: str, rng: random.Random, x: float, horizon: float) -> bool:
    """The sun, or the moon and stars; false where neither can be seen."""
    if mood == "sunset":
        y, radius = horizon - rng.uniform(-0.01, 0.14), rng.uniform(0.055, 0.085)
        canvas.glow(x, y, 0.5, (255, 226, 150), 0.75)
        canvas.dot(x, y, radius, (255, 238, 170))
        return True
    if mood == "day" and rng.random() < 0.75:
        y, radius = rng.uniform(0.1, 0.22), rng.uniform(0.045, 0.065)
        canvas.glow(x, y, 0.28, (255, 250, 215), 0.9)
        canvas.dot(x, y, radius, (255, 250, 205))
        return True
    if not scene.shows_moon:
        return False
    y, radius = rng.uniform(0.12, 0.24), rng.uniform(0.055, 0.08)
    canvas.glow(x, y, 0.22, (190, 205, 255), 0.45)
    for _ in range(rng.randint(40, 90)):
        star = rng.choice([0.002, 0.0028, 0.004])
        canvas.dot(rng.uniform(0, 1), rng.uniform(0, horizon * 0.95), star, (255, 255, 240, rng.randint(130, 255)))
    _paint_moon(canvas, scene.moon, x, y, radius)
    return True


def _paint_moon(canvas: Canvas, moon: Moon, x: float, y: float, radius: float) -> None:
    colour = (250, 246, 222)
    if moon == "full":
        canvas.dot(x, y, radius, colour)
        for dx, dy, size in ((-0.3, -0.2, 0.22), (0.3, 0.1, 0.16), (-0.05, 0.4, 0.18)):
            canvas.dot(x + dx * radius, y + dy * radius, size * radius, (214, 208, 186, 150))
        return
    side = canvas.side
    mask = Image.new("L", (side, side), 0)
    brush = ImageDraw.Draw(mask)
    brush.ellipse([side * v for v in (x - radius, y - radius, x + radius, y + radius)], fill=255)
    hidden = (x - radius * 0.3, y - radius * 1.1, x + radius * 1.6, y + radius * 0.8)
    brush.ellipse([side * v for v in hidden], fill=0)
    canvas.cut(colour, mask)


def _paint_rainbow(canvas: Canvas, rng: random.Random, horizon: float) -> None:
    x, y, radius = rng.uniform(0.35, 0.65), horizon + 0.1, rng.uniform(0.45, 0.58)
    for band, (r, g, b) in enumerate(RAINBOW):
        at = radius - band * 0.017
        arc = [(x + at * math.cos(a), y - at * math.sin(a)) for a in (math.pi * i / 72 for i in range(73))]
        canvas.line(arc, 0.019, (r, g, b, 175))


def _paint_cloud(canvas: Canvas, rng: random.Random, colour: Rgb) -> None:
    """A fair-weather cloud: a flat base, heaped puffs, and a darker belly."""
    x, y, size = rng.uniform(0.05, 0.95), rng.uniform(0.1, 0.3), rng.uniform(0.045, 0.075)
    body, belly = Mask(), Mask()
    white = (235, 235, 235)
    body.box(x - 2.1 * size, y - 0.55 * size, x + 2.1 * size, y + 0.35 * size, white, 0.45 * size)
    belly.box(x - 1.9 * size, y + 0.02 * size, x + 1.9 * size, y + 0.33 * size, white, 0.16 * size)
    puffs = rng.randint(3, 4)
    for i in range(puffs):
        part = (i + 0.5) / puffs
        high = math.sin(math.pi * part)
        puff = size * (0.42 + 0.5 * high * rng.uniform(0.8, 1.15))
        body.dot(x + (part - 0.5) * 3.1 * size, y - 0.35 * size * high, puff, white)
    canvas.soft(colour, body, 0.006)
    canvas.soft(mix(colour, (90, 110, 150), 0.16), belly, 0.012)


def _paint_cloud_deck(canvas: Canvas, rng: random.Random, colour: Rgb) -> None:
    """A closed, heavy cloud cover: two rows of broad puffs that hang from the top."""
    for row, (depth, shade) in enumerate(((0.2, mix(colour, (255, 255, 255), 0.16)), (0.11, colour))):
        deck = Mask()
        white = (245, 245, 245)
        deck.box(-0.1, -0.1, 1.1, depth, white)
        x = -0.1 + 0.07 * row
        while x < 1.1:
            wide = rng.uniform(0.08, 0.13)
            deck.oval(x, depth + rng.uniform(-0.02, 0.015), wide, wide * 0.5, white)
            x += wide * rng.uniform(1.05, 1.35)
        canvas.soft(shade, deck, 0.012)


def _paint_lightning(canvas: Canvas, rng: random.Random, horizon: float) -> None:
    x, y = rng.uniform(0.25, 0.75), 0.14
    points = [(x, y)]
    while y < horizon:
        y += rng.uniform(0.05, 0.09)
        x += rng.uniform(-0.07, 0.07)
        points.append((x, y))
    canvas.glow(points[0][0], 0.2, 0.3, (210, 220, 255), 0.4)
    canvas.line(points, 0.026, (255, 255, 210, 120))
    canvas.line(points, 0.011, (255, 255, 255))
