"""Everything that a demo picture can show, in the order of the sprite atlas: names, synonyms, where it belongs."""

from dataclasses import dataclass
from typing import Literal

Habitat = Literal["land", "water", "sky", "indoors"]

_LAND = """
dog/puppy, cat/kitten, horse, cow, pig, sheep/lamb, goat, elephant, giraffe, zebra, tiger, camel, kangaroo,
rabbit/bunny, hedgehog, turtle/tortoise, crocodile/alligator, deer, rooster/chicken, penguin, dinosaur/t-rex, snail,
fox, bear, panda, koala, monkey, frog, lion, wolf, taxi/cab, bus, truck/lorry, tractor, bicycle/bike, scooter/moped,
steam train/locomotive, fire engine/fire truck, ambulance, police car, tent/camping tent, castle/palace,
church/chapel, ferris wheel, snowman, christmas tree, robot, sunflower, cactus, palm tree
"""
_LAND_IN_ANY_COLOUR = "car/automobile, house/home/cottage, tulip/flower, tree"
_WATER = """
sailboat/sailing boat/yacht, ship/cruise ship, dolphin, whale, shark, octopus, duck, swan, canoe/kayak,
speedboat/motorboat
"""
_SKY = """
helicopter, kite, eagle/bird of prey, butterfly, rocket/spaceship, ufo/flying saucer, parachute, bee/honeybee, owl,
airplane/plane/aircraft
"""
_SKY_IN_ANY_COLOUR = "balloon, bird"
_INDOORS = """
tropical fish/fish, crab, apple/red apple, banana, grapes/bunch of grapes, strawberry, watermelon/slice of watermelon,
lemon, orange fruit/tangerine, pineapple, cherries, pear, carrot, corn/ear of corn, tomato, broccoli,
mushroom/toadstool, avocado, pizza/slice of pizza, burger/hamburger, french fries/fries, hot dog, donut/doughnut,
cookie, birthday cake/cake with candles, slice of cake/piece of cake, ice cream/ice cream cone, popcorn, croissant,
bread/loaf of bread, cheese/piece of cheese, egg, sushi, cup of coffee/coffee, beer/glass of beer, wine/glass of wine,
guitar, piano/keyboard, drum, violin, trumpet, soccer ball/football, basketball, tennis ball, dice/die, teddy bear,
key, light bulb/lamp, camera, phone/smartphone, laptop/computer, alarm clock/clock, books/stack of books, scissors,
hammer, crown, glasses/eyeglasses, sneaker/running shoe, top hat, diamond/gem, ring, trophy/golden cup, paint palette,
compass, telescope, microscope, shopping cart, anchor, rose, fire/flame, globe/planet earth, ghost,
pumpkin/halloween pumpkin, traffic light, chair, couch/sofa
"""
_INDOORS_IN_ANY_COLOUR = """
umbrella, t-shirt/shirt, dress, backpack/school bag, book, gift/present/wrapped gift, heart, fish, scarf,
cap/baseball cap, handbag/purse
"""


@dataclass(frozen=True, slots=True)
class Thing:
    """One noun: its name and synonyms, where it belongs, whether it can have any colour, its cell in the atlas."""

    name: str
    synonyms: tuple[str, ...]
    habitat: Habitat
    any_colour: bool
    cell: int


def _read() -> dict[str, Thing]:
    parts: tuple[tuple[str, Habitat, bool], ...] = (
        (_LAND, "land", False),
        (_LAND_IN_ANY_COLOUR, "land", True),
        (_WATER, "water", False),
        (_SKY, "sky", False),
        (_SKY_IN_ANY_COLOUR, "sky", True),
        (_INDOORS, "indoors", False),
        (_INDOORS_IN_ANY_COLOUR, "indoors", True),
    )
    things: dict[str, Thing] = {}
    for text, habitat, any_colour in parts:
        for entry in text.replace("\n", " ").split(","):
            name, *synonyms = entry.strip().split("/")
            things[name] = Thing(name, tuple(synonyms), habitat, any_colour, cell=len(things))
    return things


THINGS = _read()
"""Name → thing, in atlas order."""

HEADS = frozenset({"fox", "bear", "panda", "koala", "monkey", "frog", "lion", "wolf"})
"""Things of which the atlas has only the head: outdoors they look out from behind a bush, a drift or a dune."""

LONERS = frozenset({"castle", "church", "ferris wheel"})
"""Things that stand alone, and never in a studio."""

_VEHICLES = ("taxi", "bus", "truck", "bicycle", "scooter", "fire engine", "ambulance", "police car", "car")
_FARM = ("horse", "cow", "pig", "sheep", "goat", "rooster", "dog", "cat", "tractor")
_FOREST = ("deer", "hedgehog", "rabbit", "fox", "bear", "wolf", "snail", "tent")

LIVES_IN: dict[str, tuple[str, ...]] = {
    "mountains": ("goat", "sheep", "horse", "bear", "wolf", "steam train", "castle", "church", "tent", "house", "truck",
                  "deer", "robot", "dinosaur", "panda", "car"),
    "hills": (*_FARM, "rabbit", "sunflower", "tulip", "tulip", "tree", "house", "house", "church", "frog", "bicycle",
              "turtle", "tent", "ferris wheel", "steam train", "kangaroo", "elephant", "zebra"),
    "forest": (*_FOREST, "panda", "koala", "monkey", "tiger", "dinosaur", "dog", "cat", "frog", "house", "elephant",
               "bicycle"),
    "desert": ("camel", "camel", "elephant", "giraffe", "zebra", "lion", "cactus", "crocodile", "kangaroo", "turtle",
               "truck", "robot", "castle", "car", "tent"),
    "beach": ("turtle", "dog", "horse", "rabbit", "bicycle", "car", "crocodile", "tent", "bus", "scooter", "cat"),
    "snow": ("penguin", "penguin", "snowman", "snowman", "christmas tree", "fox", "wolf", "bear", "deer", "house",
             "church", "dog", "steam train", "tractor", "rabbit", "car", "castle"),
    "city": (*_VEHICLES, "car", "car", "dog", "cat", "robot", "ferris wheel", "church", "castle", "christmas tree",
             "steam train"),
    "ocean": (),
    "lake": (),
}  # fmt: skip
"""Terrain → what may stand there."""

SAILS_ON: dict[str, tuple[str, ...]] = {
    "ocean": ("sailboat", "ship", "dolphin", "whale", "shark", "octopus", "speedboat", "sailboat", "ship"),
    "lake": ("duck", "swan", "canoe", "sailboat", "speedboat", "duck", "swan"),
}
"""Terrain → what may swim there."""

FLIES = tuple(thing.name for thing in THINGS.values() if thing.habitat == "sky")
STUDIO = tuple(name for name in THINGS if name not in LONERS)
"""What may be shown in front of a plain background."""

SHAPES = ("circle", "square", "triangle", "star", "heart shape", "hexagon", "diamond shape", "cross")
