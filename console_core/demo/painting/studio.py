"""Things in front of a backdrop."""

import random

from console_core.demo.atlas import sprite
from console_core.demo.painting.backdrop import paint_backdrop
from console_core.demo.painting.canvas import Canvas
from console_core.demo.scene import Figure, Studio

Place = tuple[float, float, float]
"""x, y and height."""

_GROUPS: dict[int, tuple[tuple[float, float], ...]] = {
    2: ((0.28, 0.5), (0.72, 0.5)),
    3: ((0.5, 0.28), (0.28, 0.7), (0.72, 0.7)),
    4: ((0.29, 0.29), (0.71, 0.29), (0.29, 0.71), (0.71, 0.71)),
    5: ((0.27, 0.27), (0.73, 0.27), (0.5, 0.5), (0.27, 0.73), (0.73, 0.73)),
}
_GROUP_HEIGHT = {2: 0.38, 3: 0.3, 4: 0.34, 5: 0.29}
_THREE_IN_A_ROW = ((0.22, 0.52), (0.5, 0.5), (0.78, 0.52))


def paint_studio(canvas: Canvas, scene: Studio, rng: random.Random) -> None:
    paint_backdrop(canvas, scene.background, scene.pattern, rng)
    on_table = scene.pattern == "table"
    for figure, (x, y, height) in _arrange(scene, rng):
        canvas.sprite(
            sprite(figure.name, figure.colour),
            x,
            y,
            height,
            stands=on_table,
            flipped=figure.flipped,
            tilt=0.0 if on_table else figure.tilt,
            shadow=0.3,
            widest=1.35 if scene.layout == "one" else 1.1,
        )


def _arrange(scene: Studio, rng: random.Random) -> list[tuple[Figure, Place]]:
    on_table = scene.pattern == "table"
    first = scene.figures[0]

    def near(x: float, y: float, height: float) -> Place:
        return x + rng.uniform(-0.02, 0.02), y if on_table else y + rng.uniform(-0.02, 0.02), height

    match scene.layout:
        case "count":
            number = first.count
            if on_table:
                row = [near((i + 0.5) / number * 0.92 + 0.04, 0.82, min(0.4, 0.86 / number)) for i in range(number)]
                return [(first, place) for place in row]
            group = _THREE_IN_A_ROW if number == 3 and rng.random() < 0.5 else _GROUPS[number]
            return [(first, near(x, y, _GROUP_HEIGHT[number])) for x, y in group]
        case "side by side":
            y = 0.82 if on_table else 0.52
            places = [near(0.28, y, 0.4), near(0.72, y, 0.4)]
            return list(zip(scene.figures, places, strict=True))
        case "stacked":
            return list(zip(scene.figures, [near(0.5, 0.27, 0.4), near(0.5, 0.74, 0.4)], strict=True))
    if on_table:
        return [(first, (0.5 + rng.uniform(-0.12, 0.12), 0.8, rng.uniform(0.42, 0.6)))]
    return [(first, (0.5 + rng.uniform(-0.08, 0.08), 0.5 + rng.uniform(-0.05, 0.05), rng.uniform(0.46, 0.66)))]
