"""English for captions: the ways to name a place, a time, a weather and a number of things."""

import random

from console_core.demo.scene import ChartForm, Figure, Moon, Terrain, Time, Trees, Weather
from console_core.demo.vocabulary import THINGS

NUMBERS = {1: ("one", "a single"), 2: ("two", "a pair of"), 3: ("three",), 4: ("four",), 5: ("five",), 6: ("six",)}

PLACES: dict[Terrain, tuple[str, ...]] = {
    "mountains": ("mountains", "snowy mountain peaks", "a mountain range", "the mountains"),
    "hills": ("green hills", "a meadow", "rolling hills", "a grassy field", "countryside"),
    "forest": ("a forest", "the woods", "trees in a forest"),
    "desert": ("a desert", "sand dunes", "the desert"),
    "beach": ("a beach", "a sandy beach", "a tropical beach", "the seaside"),
    "ocean": ("the ocean", "the sea", "open water", "the sea and waves"),
    "snow": ("a snowy landscape", "snow", "a winter landscape", "snow covered hills"),
    "city": ("a city", "a city skyline", "skyscrapers", "a city street", "downtown buildings"),
    "lake": ("a lake", "a mountain lake", "a calm lake with mountains"),
}
TIMES: dict[Time, tuple[str, ...]] = {
    "day": ("during the day", "on a sunny day", "in daylight", "under a blue sky"),
    "sunset": ("at sunset", "at dusk", "in the evening", "with an orange sky", "at sundown"),
    "night": ("at night", "under the stars", "in the dark", "in the moonlight", "at night time"),
}
WEATHERS: dict[Weather, tuple[str, ...]] = {
    "clouds": ("with clouds", "on a cloudy day", "under a cloudy sky"),
    "rain": ("in the rain", "on a rainy day", "with rain falling"),
    "snowing": ("in the snow", "with snow falling", "during a snowfall", "in a snowstorm"),
    "fog": ("in the fog", "in the mist", "on a foggy day"),
    "rainbow": ("with a rainbow", "under a rainbow"),
    "lightning": ("in a thunderstorm", "with lightning", "during a storm"),
}
WEATHER_NOUNS: dict[Weather, tuple[str, ...]] = {
    "clouds": ("clouds", "cloudy sky"),
    "rain": ("rain", "rainy weather"),
    "snowing": ("snowfall", "falling snow"),
    "fog": ("fog", "mist", "foggy"),
    "rainbow": ("rainbow", "a rainbow"),
    "lightning": ("lightning", "thunderstorm", "a lightning strike"),
}
MOONS: dict[Moon, tuple[str, ...]] = {
    "crescent": ("with a crescent moon", "under a crescent moon"),
    "full": ("with a full moon", "under a full moon"),
}
WOODS: dict[Trees, tuple[str, ...]] = {
    "pine": ("pine trees", "pine forest"),
    "round": ("green trees",),
    "autumn": ("autumn trees", "autumn forest", "fall foliage", "orange autumn leaves"),
}
CHARTS: dict[ChartForm, tuple[str, ...]] = {
    "bar": ("bar chart", "bar graph", "column chart"),
    "line": ("line chart", "line graph"),
    "pie": ("pie chart",),
    "donut": ("donut chart", "ring chart"),
    "scatter": ("scatter plot", "scatter chart"),
    "area": ("area chart",),
    "stacked bar": ("stacked bar chart",),
    "horizontal bar": ("horizontal bar chart",),
    "heatmap": ("heatmap", "heat map"),
}
OPENINGS = (
    "", "", "", "", "a picture of ", "a photo of ", "an illustration of ", "an image of ", "a drawing of ", "this is ",
)  # fmt: skip

_SAME_IN_PLURAL = frozenset(
    {"cherries", "grapes", "books", "french fries", "scissors", "glasses", "eyeglasses", "fries", "dice", "broccoli",
     "corn", "bread", "cheese", "sushi", "popcorn", "sheep", "fish", "tropical fish"}
)  # fmt: skip
_WITHOUT_ARTICLE = ("wine", "beer", "coffee", *sorted(_SAME_IN_PLURAL - {"sheep", "fish", "tropical fish"}))


def plural(noun: str) -> str:
    """The plural of a noun, also of one with "of" or "with": "cups of coffee"."""
    if noun in _SAME_IN_PLURAL:
        return noun
    for joint in (" of ", " with "):
        if joint in noun:
            head, tail = noun.split(joint, 1)
            return plural(head) + joint + tail
    if noun.endswith("wolf"):
        return noun.removesuffix("f") + "ves"
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def with_article(noun: str) -> str:
    if noun.startswith(_WITHOUT_ARTICLE):
        return noun
    vowel = noun[0] in "aeiou" and not noun.startswith(("uf", "un"))
    return ("an " if vowel else "a ") + noun


def noun_of(figure: Figure, rng: random.Random, colour_chance: float) -> str:
    """A name of the thing, mostly the first, with or without its colour."""
    thing = THINGS.get(figure.name)
    if thing is None:  # a shape
        name = rng.choice((figure.name, figure.name.removesuffix(" shape")))
    else:
        name = thing.name if rng.random() < 0.62 else rng.choice((thing.name, *thing.synonyms))
    return f"{figure.colour} {name}" if figure.colour and rng.random() < colour_chance else name


def numbered(figure: Figure, rng: random.Random, colour_chance: float = 0.9) -> str:
    """"a red car", "three dogs"."""  # fmt: skip
    noun = noun_of(figure, rng, colour_chance)
    if figure.count == 1:
        return with_article(noun)
    return f"{rng.choice(NUMBERS[figure.count])} {plural(noun)}"
