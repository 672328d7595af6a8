"""A landscape: sky, ground, what lives there, and the weather in front of it all."""

import random

import numpy as np

from console_core.demo.atlas import sprite
from console_core.demo.painting.canvas import Canvas
from console_core.demo.painting.plants import hideout
from console_core.demo.painting.sky import Air, paint_sky
from console_core.demo.painting.terrain import paint_ground
from console_core.demo.scene import Actor, Landscape
from console_core.demo.vocabulary import HEADS


def paint_landscape(canvas: Canvas, scene: Landscape, rng: random.Random) -> None:
    air = paint_sky(canvas, scene, rng)
    paint_ground(canvas, scene, air, rng)
    for actor in scene.actors:
        _paint_actor(canvas, scene, air, actor, rng)
    _paint_weather(canvas, scene, air, rng)


def _paint_actor(canvas: Canvas, scene: Landscape, air: Air, actor: Actor, rng: random.Random) -> None:
    figure = actor.figure
    picture = sprite(figure.name, figure.colour)
    height = actor.height if figure.count == 1 else min(actor.height, 0.8 / figure.count)
    for i in range(figure.count):
        x = actor.x if figure.count == 1 else (i + 0.5) / figure.count * 0.8 + 0.1 + rng.uniform(-0.02, 0.02)
        if actor.habitat == "sky":
            y, tilt = actor.y + rng.uniform(-0.03, 0.03), rng.uniform(-8, 8)
            canvas.sprite(picture, x, y, height, flipped=figure.flipped, tilt=tilt)
            continue
        y = actor.y + rng.uniform(-0.012, 0.012)
        if actor.habitat == "water":
            canvas.sprite(picture, x, y, height, stands=True, flipped=figure.flipped)
            for ring in range(3):
                length, at = height * (0.62 - 0.13 * ring), y + ring * 0.013 - 0.006
                canvas.line([(x - length, at), (x + length, at)], 0.009, (235, 245, 255, 130 - 30 * ring))
        elif figure.name in HEADS:
            canvas.sprite(picture, x, y - height * 0.1, height, stands=True, flipped=figure.flipped)
            hideout(canvas, scene.terrain, air.light, rng, x, y - height * 0.38, height * 0.95)
        else:
            canvas.sprite(picture, x, y, height, stands=True, flipped=figure.flipped, shadow=0.38)


def _paint_weather(canvas: Canvas, scene: Landscape, air: Air, rng: random.Random) -> None:
    match scene.weather:
        case "rain":
            for _ in range(150):
                x, y, length = rng.uniform(0, 1.1), rng.uniform(0, 1), rng.uniform(0.03, 0.055)
                canvas.line([(x, y), (x - length * 0.3, y + length)], 0.005, (214, 228, 244, 150))
        case "snowing":
            for _ in range(130):
                flake = rng.uniform(0.004, 0.0095)
                canvas.dot(rng.uniform(0, 1), rng.uniform(0, 1), flake, (255, 255, 255, 230))
        case "fog":
            colour = (90, 100, 130) if scene.time == "night" else (226, 230, 234)
            distance = np.abs(np.linspace(0, 1, 64) - air.horizon)
            canvas.veil(colour, np.clip(1 - distance / 0.4, 0, 1) * 0.72)
