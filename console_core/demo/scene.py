"""What a demo picture shows, as data: four kinds of scenes. The same scene always gives the same picture."""

from dataclasses import dataclass
from typing import Literal

from console_core.demo.vocabulary import Habitat

Terrain = Literal["mountains", "hills", "forest", "desert", "beach", "ocean", "snow", "city", "lake"]
Time = Literal["day", "sunset", "night"]
Weather = Literal["clear", "clouds", "rain", "snowing", "fog", "rainbow", "lightning"]
Moon = Literal["crescent", "full"]
Trees = Literal["pine", "round", "autumn"]
Pattern = Literal["plain", "striped", "dotted", "table"]
Layout = Literal["one", "count", "side by side", "stacked", "inside"]
ChartForm = Literal[
    "bar", "line", "pie", "donut", "scatter", "area", "stacked bar", "horizontal bar", "heatmap"
]  # fmt: skip
Trend = Literal["rising", "falling", "flat", "volatile", "peak"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One or several of a thing (or shape). `colour` is "" where the thing has its own; `tilt` is in degrees."""

    name: str
    colour: str = ""
    count: int = 1
    flipped: bool = False
    tilt: float = 0.0


@dataclass(frozen=True, slots=True)
class Actor:
    """A figure in a landscape. `x`, `y` and `height` are parts of the picture's side; `y` is where it stands."""

    figure: Figure
    habitat: Habitat
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Landscape:
    seed: int
    terrain: Terrain
    time: Time
    weather: Weather
    moon: Moon
    trees: Trees
    flowers: bool
    actors: tuple[Actor, ...]

    @property
    def shows_moon(self) -> bool:
        return self.time == "night" and self.weather in ("clear", "clouds")


@dataclass(frozen=True, slots=True)
class Studio:
    """Things in front of a backdrop."""

    seed: int
    background: str
    pattern: Pattern
    layout: Layout
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Geometric shapes in front of a backdrop. In the layout "inside" the first figure lies in the second."""

    seed: int
    background: str
    layout: Layout
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """`points` are bars or points, `slices` those of pies and donuts."""

    seed: int
    form: ChartForm
    trend: Trend
    topic: str
    colour: str
    dark: bool
    points: int
    slices: int


Scene = Landscape | Studio | Shapes | Chart


def kind(scene: Scene) -> str:
    """The image type for the catalog: landscape, object, shape or chart."""
    match scene:
        case Landscape():
            return "landscape"
        case Studio():
            return "object"
        case Shapes():
            return "shape"
        case Chart():
            return "chart"


def figures(scene: Scene) -> tuple[Figure, ...]:
    """Every figure in a scene; charts have none."""
    match scene:
        case Landscape():
            return tuple(actor.figure for actor in scene.actors)
        case Studio() | Shapes():
            return scene.figures
        case Chart():
            return ()
