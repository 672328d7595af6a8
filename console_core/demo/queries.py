"""What people type into the search box of the demo, and which pictures are right answers.

`SHOWCASE` are the suggestions of the Query lab. `ACCEPTANCE` is the set by which the two demo models are compared:
it was written down before either model was asked any of it, and is not to be tuned to the models afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from console_core.demo.scene import Chart, Landscape, Scene, Shapes, Studio, figures

Kind = Literal["scene", "object", "colour", "shape", "chart", "count", "wording", "moon"]
Predicate = Callable[[Scene], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A typed query, what it is about, and whether a scene is a right answer."""

    kind: Kind
    text: str
    is_relevant: Predicate


def _shows(name: str, *, colour: str = "", count: int = 0, **landscape: object) -> Predicate:
    """The picture shows the thing; optionally in a colour, that many times, in such a landscape."""

    def relevant(scene: Scene) -> bool:
        found = any(
            figure.name == name and colour in ("", figure.colour) and count in (0, figure.count)
            for figure in figures(scene)
        )
        return found and (not landscape or _outdoors(**landscape)(scene))

    return relevant


def _outdoors(**wanted: object) -> Predicate:
    return lambda scene: isinstance(scene, Landscape) and _has(scene, wanted)


def _moon(moon: str, **wanted: object) -> Predicate:
    return lambda scene: (
        isinstance(scene, Landscape) and scene.shows_moon and scene.moon == moon and _has(scene, wanted)
    )


def _chart(form: str, **wanted: object) -> Predicate:
    return lambda scene: isinstance(scene, Chart) and scene.form == form and _has(scene, wanted)


def _on(name: str, pattern: str) -> Predicate:
    shown = _shows(name)
    return lambda scene: isinstance(scene, Studio) and scene.pattern == pattern and shown(scene)


def _inside(inner: str, outer: str) -> Predicate:
    return lambda scene: (
        isinstance(scene, Shapes)
        and scene.layout == "inside"
        and (scene.figures[0].name, scene.figures[1].name) == (inner, outer)
    )


def _has(scene: Landscape | Chart, wanted: dict[str, object]) -> bool:
    return all(getattr(scene, name) == value for name, value in wanted.items())


SHOWCASE: tuple[Query, ...] = (
    Query("scene", "sunset over the mountains", _outdoors(terrain="mountains", time="sunset")),
    Query("scene", "city skyline at night", _outdoors(terrain="city", time="night")),
    Query("scene", "autumn trees in the forest", _outdoors(terrain="forest", trees="autumn")),
    Query("scene", "a rainbow", _outdoors(weather="rainbow")),
    Query("object", "a sailing boat on the sea", _shows("sailboat", terrain="ocean")),
    Query("object", "penguin", _shows("penguin")),
    Query("colour", "red car", _shows("car", colour="red")),
    Query("shape", "yellow star", _shows("star", colour="yellow")),
    Query("chart", "bar chart showing revenue growth", _chart("bar", trend="rising")),
    Query("chart", "pie chart", _chart("pie")),
    Query("count", "two dogs", _shows("dog", count=2)),
    Query("wording", "a starry night with a full moon", _moon("full")),
)

ACCEPTANCE: tuple[Query, ...] = (
    Query("scene", "sunset over the ocean", _outdoors(terrain="ocean", time="sunset")),
    Query("scene", "mountains at night", _outdoors(terrain="mountains", time="night")),
    Query("scene", "snow covered hills at sunset", _outdoors(terrain="snow", time="sunset")),
    Query("scene", "a sandy beach at night", _outdoors(terrain="beach", time="night")),
    Query("scene", "desert on a sunny day", _outdoors(terrain="desert", time="day")),
    Query("scene", "pine trees", _outdoors(terrain="forest", trees="pine")),
    Query("scene", "a city street in the rain", _outdoors(terrain="city", weather="rain")),
    Query("scene", "mountains in the fog", _outdoors(terrain="mountains", weather="fog")),
    Query("scene", "a calm lake at dusk", _outdoors(terrain="lake", time="sunset")),
    Query("scene", "rolling hills under a cloudy sky", _outdoors(terrain="hills", weather="clouds")),
    Query("scene", "rain falling in the woods", _outdoors(terrain="forest", weather="rain")),
    Query("scene", "crescent moon over the desert", _moon("crescent", terrain="desert")),
    Query("scene", "full moon over the sea", _moon("full", terrain="ocean")),
    Query("scene", "snow falling on the city", _outdoors(terrain="city", weather="snowing")),
    Query("scene", "thunderstorm over the mountains", _outdoors(terrain="mountains", weather="lightning")),
    Query("object", "horse", _shows("horse")),
    Query("object", "an owl", _shows("owl")),
    Query("object", "giraffe", _shows("giraffe")),
    Query("object", "tractor", _shows("tractor")),
    Query("object", "helicopter", _shows("helicopter")),
    Query("object", "a rocket in the sky", _shows("rocket")),
    Query("object", "pineapple", _shows("pineapple")),
    Query("object", "a camera", _shows("camera")),
    Query("object", "violin", _shows("violin")),
    Query("object", "robot", _shows("robot")),
    Query("object", "soccer ball", _shows("soccer ball")),
    Query("object", "mushroom", _shows("mushroom")),
    Query("object", "a trophy", _shows("trophy")),
    Query("object", "bicycle", _shows("bicycle")),
    Query("object", "teddy bear", _shows("teddy bear")),
    Query("object", "a dolphin in the sea", _shows("dolphin")),
    Query("object", "camel in the desert", _shows("camel", terrain="desert")),
    Query("object", "a duck on a lake", _shows("duck", terrain="lake")),
    Query("object", "snowman", _shows("snowman")),
    Query("object", "ferris wheel", _shows("ferris wheel")),
    Query("object", "croissant", _shows("croissant")),
    Query("colour", "green car", _shows("car", colour="green")),
    Query("colour", "a yellow house", _shows("house", colour="yellow")),
    Query("colour", "red umbrella", _shows("umbrella", colour="red")),
    Query("colour", "blue balloon", _shows("balloon", colour="blue")),
    Query("colour", "a pink dress", _shows("dress", colour="pink")),
    Query("colour", "black backpack", _shows("backpack", colour="black")),
    Query("colour", "purple gift", _shows("gift", colour="purple")),
    Query("colour", "a white t-shirt", _shows("t-shirt", colour="white")),
    Query("colour", "orange bird", _shows("bird", colour="orange")),
    Query("colour", "yellow tulip", _shows("tulip", colour="yellow")),
    Query("colour", "a blue book", _shows("book", colour="blue")),
    Query("shape", "blue circle", _shows("circle", colour="blue")),
    Query("shape", "a red star", _shows("star", colour="red")),
    Query("shape", "green hexagon", _shows("hexagon", colour="green")),
    Query("shape", "orange cross", _shows("cross", colour="orange")),
    Query("shape", "pink diamond shape", _shows("diamond shape", colour="pink")),
    Query("shape", "a black triangle", _shows("triangle", colour="black")),
    Query("shape", "two purple squares", _shows("square", colour="purple", count=2)),
    Query("shape", "a star inside a circle", _inside("star", "circle")),
    Query("chart", "line chart going up", _chart("line", trend="rising")),
    Query("chart", "falling area chart", _chart("area", trend="falling")),
    Query("chart", "heatmap", _chart("heatmap")),
    Query("chart", "stacked bar chart", _chart("stacked bar")),
    Query("chart", "horizontal bar chart", _chart("horizontal bar")),
    Query("chart", "dark mode pie chart", _chart("pie", dark=True)),
    Query("chart", "green line graph", _chart("line", colour="green")),
    Query("chart", "scatter plot with negative correlation", _chart("scatter", trend="falling")),
    Query("chart", "bar chart with a peak in the middle", _chart("bar", trend="peak")),
    Query("count", "two cats", _shows("cat", count=2)),
    Query("count", "three bananas", _shows("banana", count=3)),
    Query("count", "three sheep", _shows("sheep", count=3)),
    Query("count", "two sailboats", _shows("sailboat", count=2)),
    Query("count", "four books", _shows("books", count=4)),
    Query("count", "five birds", _shows("bird", count=5)),
    Query("wording", "where is my kitten", _shows("cat")),
    Query("wording", "an evening at the seaside", _outdoors(terrain="beach", time="sunset")),
    Query("wording", "fresh strawberries for dessert", _shows("strawberry")),
    Query("wording", "big ship sailing far away on the sea", _shows("ship", terrain="ocean")),
    Query("wording", "a flying saucer visits us", _shows("ufo")),
    Query("wording", "nice old castle", _shows("castle")),
    Query("wording", "graph where sales go down as bars", _chart("bar", trend="falling")),
    Query("wording", "holiday under palm trees", _outdoors(terrain="beach")),
    Query("wording", "the locomotive is coming", _shows("steam train")),
    Query("wording", "cold winter day with falling snow", _outdoors(weather="snowing")),
    Query("wording", "pumpkin for a halloween party", _shows("pumpkin")),
    Query("wording", "a coffee on my table", _on("cup of coffee", "table")),
    Query("moon", "full moon", _moon("full")),
    Query("moon", "crescent moon", _moon("crescent")),
    Query("moon", "a full moon in the night sky", _moon("full")),
    Query("moon", "night sky with a crescent moon", _moon("crescent")),
    Query("moon", "full moon over the hills", _moon("full", terrain="hills")),
    Query("moon", "a city under a full moon", _moon("full", terrain="city")),
    Query("moon", "crescent moon above the snow", _moon("crescent", terrain="snow")),
    Query("moon", "a forest under a crescent moon", _moon("crescent", terrain="forest")),
)
