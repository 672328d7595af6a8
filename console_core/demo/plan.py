"""From a seed to a scene: which pictures there can be, and how often."""

import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar, get_args

from console_core.demo.palette import BACKDROPS, COLOURS
from console_core.demo.scene import (
    Actor,
    Chart,
    ChartForm,
    Figure,
    Landscape,
    Layout,
    Moon,
    Pattern,
    Scene,
    Shapes,
    Studio,
    Terrain,
    Time,
    Trees,
    Trend,
    Weather,
)
from console_core.demo.vocabulary import FLIES, HEADS, LIVES_IN, LONERS, SAILS_ON, SHAPES, STUDIO, THINGS

T = TypeVar("T")

TOPICS = (
    "revenue", "sales", "profit", "temperature", "visitors", "users", "costs", "traffic", "energy", "population",
)  # fmt: skip
CHART_COLOURS = ("red", "blue", "green", "orange", "purple", "pink")

_KINDS: Mapping[str, int] = {"landscape": 42, "studio": 34, "shapes": 11, "chart": 13}
_TIMES: Mapping[Time, int] = {"day": 45, "sunset": 28, "night": 27}
_WEATHERS: Mapping[Weather, int] = {
    "clear": 50, "clouds": 20, "rain": 9, "snowing": 7, "fog": 6, "rainbow": 5, "lightning": 5,
}  # fmt: skip
_PATTERNS: Mapping[Pattern, int] = {"plain": 50, "striped": 13, "dotted": 13, "table": 24}
_STUDIO_LAYOUTS: Mapping[Layout, int] = {"one": 46, "count": 24, "side by side": 18, "stacked": 12}
_SHAPE_LAYOUTS: Mapping[Layout, int] = {"count": 50, "side by side": 18, "stacked": 18, "inside": 14}
_FORMS: Mapping[ChartForm, int] = {
    "bar": 26, "line": 24, "pie": 13, "donut": 8, "scatter": 10, "area": 7, "stacked bar": 5, "horizontal bar": 5,
    "heatmap": 3,
}  # fmt: skip
_TRENDS: Mapping[Trend, int] = {"rising": 32, "falling": 28, "flat": 10, "volatile": 16, "peak": 14}
_IN_THE_STUDIO = STUDIO + tuple(name for name in STUDIO if THINGS[name].any_colour) * 2
_IN_THE_SKY = (*FLIES, "balloon", "balloon")
_DULL = {("house", "black"), ("house", "white"), ("tree", "black"), ("tree", "white")}


def plan(seed: int) -> Scene:
    """The scene of a seed, always the same."""
    rng = random.Random(seed * 7919 + 13)
    match _weighted(rng, _KINDS):
        case "landscape":
            return _landscape(rng, seed)
        case "studio":
            return _studio(rng, seed)
        case "shapes":
            return _shapes(rng, seed)
    return _chart(rng, seed)


def _weighted(rng: random.Random, weights: Mapping[T, int]) -> T:
    return rng.choices(list(weights), list(weights.values()))[0]


def _landscape(rng: random.Random, seed: int) -> Landscape:
    terrain: Terrain = rng.choice(get_args(Terrain))
    time, weather = _weighted(rng, _TIMES), _weighted(rng, _WEATHERS)
    if weather == "rainbow" or (time == "sunset" and weather in ("rain", "snowing", "fog", "lightning")):
        time = "day"
    if weather == "snowing" and terrain in ("desert", "beach"):
        weather = "clear"
    if weather == "rain" and terrain == "snow":
        weather = "snowing"
    return Landscape(
        seed=seed,
        terrain=terrain,
        time=time,
        weather=weather,
        moon=rng.choice(get_args(Moon)),
        trees=rng.choice(get_args(Trees)),
        flowers=rng.random() < 0.5,
        actors=_actors(rng, terrain),
    )


def _actors(rng: random.Random, terrain: Terrain) -> tuple[Actor, ...]:
    number = _weighted(rng, {0: 28, 1: 60, 2: 12})
    flying = partial(_actor, rng, "sky", _IN_THE_SKY)
    if number == 0:
        return ()
    if rng.random() < 0.25:
        return (flying(),)
    first = _actor(rng, "water", SAILS_ON[terrain]) if terrain in SAILS_ON else _actor(rng, "land", LIVES_IN[terrain])
    return (first,) if number == 1 else (first, flying(alone=True))


def _actor(rng: random.Random, habitat: str, names: Sequence[str], *, alone: bool = False) -> Actor:
    figure = _figure(rng, names)
    alone = alone or figure.name in LONERS
    count = 1 if alone else _weighted(rng, {1: 80, 2: 10, 3: 10})
    figure = Figure(figure.name, figure.colour, count, figure.flipped)
    x = rng.uniform(0.25, 0.75)
    match habitat:
        case "land":
            height = rng.uniform(0.26, 0.36) if figure.name in HEADS else rng.uniform(0.32, 0.5)
            return Actor(figure, "land", x, rng.uniform(0.88, 0.95), height)
        case "water":
            return Actor(figure, "water", x, rng.uniform(0.78, 0.9), rng.uniform(0.28, 0.44))
    return Actor(figure, "sky", x, rng.uniform(0.18, 0.36), rng.uniform(0.2, 0.32))


def _figure(rng: random.Random, names: Sequence[str]) -> Figure:
    name = rng.choice(names)
    flipped, tilt = rng.random() < 0.5, rng.uniform(-14, 14) if rng.random() < 0.5 else 0.0
    if not THINGS[name].any_colour:
        return Figure(name, flipped=flipped, tilt=tilt)
    return Figure(name, rng.choice([c for c in COLOURS if (name, c) not in _DULL]), flipped=flipped, tilt=tilt)


def _studio(rng: random.Random, seed: int) -> Studio:
    pattern, layout = _weighted(rng, _PATTERNS), _weighted(rng, _STUDIO_LAYOUTS)
    first = _figure(rng, _IN_THE_STUDIO)
    shown = [first]
    if layout == "count":
        shown = [Figure(first.name, first.colour, rng.randint(2, 5), first.flipped, first.tilt)]
    elif layout in ("side by side", "stacked"):
        second = _figure(rng, _IN_THE_STUDIO)
        while second.name == first.name:
            second = _figure(rng, _IN_THE_STUDIO)
        shown.append(second)
    if pattern == "table" and (layout == "stacked" or any(figure.name in HEADS for figure in shown)):
        pattern = "plain"
    colours = {figure.colour for figure in shown}
    background = rng.choice([name for name in BACKDROPS if name not in colours or pattern == "table"])
    return Studio(seed, background, pattern, layout, tuple(shown))


def _shapes(rng: random.Random, seed: int) -> Shapes:
    background = rng.choice(("white", "grey", "black", "yellow", "blue", "pink", "green"))
    layout = _weighted(rng, _SHAPE_LAYOUTS)
    colours = [name for name in COLOURS if name != background and (name, background) != ("white", "grey")]
    first, second = rng.sample(colours, 2)
    count = rng.randint(1, 6) if layout == "count" else 1
    shown = [Figure(rng.choice(SHAPES), first, count)]
    if layout != "count":
        shown.append(Figure(rng.choice(SHAPES), second))
    return Shapes(seed, background, layout, tuple(shown))


def _chart(rng: random.Random, seed: int) -> Chart:
    form, trend = _weighted(rng, _FORMS), _weighted(rng, _TRENDS)
    if form == "scatter" and trend in ("flat", "peak"):
        trend = "volatile"
    return Chart(
        seed=seed,
        form=form,
        trend=trend,
        topic=rng.choice(TOPICS),
        colour=rng.choice(CHART_COLOURS),
        dark=rng.random() < 0.3,
        points=rng.randint(5, 9),
        slices=rng.randint(3, 6),
    )
