"""Captions: what a picture shows, as a whole sentence or as people type it into a search box."""

import random

from console_core.demo.phrases import (
    CHARTS,
    MOONS,
    NUMBERS,
    OPENINGS,
    PLACES,
    TIMES,
    WEATHERS,
    WOODS,
    noun_of,
    numbered,
    plural,
    with_article,
)
from console_core.demo.scene import Actor, Chart, Landscape, Scene, Shapes, Studio, Terrain, Trend

_TRENDS: dict[Trend, tuple[str, ...]] = {
    "rising": ("showing {} growth", "of growing {}", "going up", "with an upward trend", "of rising {}",
               "showing {} increasing"),
    "falling": ("showing {} decline", "of falling {}", "going down", "with a downward trend", "showing {} decreasing",
                "of {} dropping"),
    "flat": ("of stable {}", "that stays flat", "of constant {}"),
    "volatile": ("of fluctuating {}", "going up and down", "of volatile {}"),
    "peak": ("of {} with a peak", "with a peak in the middle", "showing {} rising then falling"),
}  # fmt: skip
_CORRELATIONS = {"rising": "with positive correlation", "falling": "with negative correlation"}


def caption(scene: Scene, rng: random.Random, *, complete: bool = True) -> str:
    """A description of the scene. A complete one leaves nothing out and comes to the point at once."""
    opening = "" if complete else rng.choice(OPENINGS)
    match scene:
        case Landscape():
            return opening + _landscape(scene, rng, complete)
        case Studio() | Shapes():
            return opening + _figures(scene, rng, complete)
        case Chart():
            return opening + _chart(scene, rng, complete)


def _landscape(scene: Landscape, rng: random.Random, complete: bool) -> str:
    def tell(chance: float) -> bool:
        return complete or rng.random() < chance

    place = _place(scene, rng)
    sunny = scene.weather in ("clear", "clouds", "rainbow")
    time = rng.choice(TIMES[scene.time] if sunny else TIMES[scene.time][:1])
    if scene.shows_moon and rng.random() < 0.35:
        time = rng.choice(MOONS[scene.moon])
    with_time, with_place = tell(0.6), tell(0.8)
    weather = rng.choice(WEATHERS[scene.weather]) if scene.weather != "clear" and tell(0.75) else ""
    if scene.actors and tell(0.88):
        subject = " and ".join(numbered(actor.figure, rng) for actor in scene.actors[: None if tell(0.7) else 1])
        if not complete and rng.random() < 0.12:
            return subject
        if with_place:
            subject = f"{subject} {_preposition(scene.actors[0], scene.terrain, rng)} {place}"
    elif scene.time == "sunset" and rng.random() < 0.3:
        return rng.choice(("a sunset", "sunset")) + f" over {place}"
    elif scene.time == "night" and rng.random() < 0.2:
        return rng.choice(("night sky", "starry sky", "a starry night")) + f" over {place}"
    else:
        bare = not (with_place or with_time or weather)
        subject = place if with_place or bare else rng.choice(("a scene", "a landscape", "an outdoor scene"))
    return " ".join(part for part in (subject, time if with_time else "", weather) if part)


def _place(scene: Landscape, rng: random.Random) -> str:
    if scene.terrain == "forest" and rng.random() < 0.5:
        return rng.choice(WOODS[scene.trees])
    if scene.terrain == "hills" and scene.flowers and rng.random() < 0.4:
        return rng.choice(("a meadow with flowers", "a field of flowers", "wildflowers on green hills"))
    return rng.choice(PLACES[scene.terrain])


def _preposition(actor: Actor, terrain: Terrain, rng: random.Random) -> str:
    match actor.habitat:
        case "water":
            return rng.choice(("on", "in"))
        case "sky":
            return rng.choice(("over", "above", "flying over", "in the sky over"))
    word = rng.choice(("in", "near", "in front of", "on"))
    return "in" if word == "on" and terrain in ("forest", "city", "mountains") else word


def _figures(scene: Studio | Shapes, rng: random.Random, complete: bool) -> str:
    first = scene.figures[0]
    if scene.layout in ("one", "count"):
        subject = numbered(first, rng)
        if scene.layout == "count" and not complete and rng.random() < 0.12:
            noun = noun_of(first, rng, 0.9)
            subject = plural(noun) if first.count > 1 else with_article(noun)
    else:
        a, b = (numbered(figure, rng) for figure in scene.figures)
        exact: tuple[str, ...]
        loose: tuple[str, ...]
        match scene.layout:
            case "side by side":
                exact = (f"{a} to the left of {b}", f"{b} to the right of {a}", f"{a} on the left and {b} on the right")
                loose = (f"{a} next to {b}", f"{a} and {b}", f"{b} and {a}", f"{a} beside {b}")
            case "stacked":
                exact = (f"{a} above {b}", f"{b} below {a}", f"{a} on top of {b}")
                loose = (f"{b} under {a}", f"{a} and {b}")
            case _:
                exact = (f"{a} inside {b}", f"{a} in {b}", f"{b} containing {a}")
                loose = (f"{b} with {a} inside",)
        subject = rng.choice(exact if complete else exact + loose)
    return subject + _background(scene, rng) if complete or rng.random() < 0.5 else subject


def _background(scene: Studio | Shapes, rng: random.Random) -> str:
    pattern = scene.pattern if isinstance(scene, Studio) else "plain"
    if pattern == "table":
        return rng.choice((" on a table", " on a wooden table", " on the table"))
    words = {"striped": "striped ", "dotted": rng.choice(("dotted ", "polka dot "))}.get(pattern, "")
    wall = f"{words}{scene.background} background"
    return rng.choice((f" on a {wall}", f" with a {wall}", f", {wall}"))


def _chart(scene: Chart, rng: random.Random, complete: bool) -> str:
    def tell(chance: float) -> bool:
        return complete or rng.random() < chance

    noun = rng.choice(CHARTS[scene.form])
    if scene.form not in ("pie", "donut", "heatmap", "stacked bar") and tell(0.35):
        noun = f"{scene.colour} {noun}"
    if scene.dark and tell(0.3):
        noun = rng.choice(("dark ", "dark mode ")) + noun
    noun = with_article(noun)
    if scene.form in ("bar", "line", "area", "stacked bar") and tell(0.75):
        return f"{noun} {rng.choice(_TRENDS[scene.trend]).format(scene.topic)}"
    if scene.form == "scatter" and tell(0.6):
        return f"{noun} {_CORRELATIONS.get(scene.trend, 'with no correlation')}"
    if scene.form in ("pie", "donut") and tell(0.4):
        return f"{noun} with {NUMBERS[scene.slices][0]} {rng.choice(('slices', 'segments', 'parts'))}"
    return f"{noun} of {scene.topic}" if tell(0.4) else noun
