"""The colours of the demo pictures."""

from typing import NamedTuple

Rgb = tuple[int, int, int]
Rgba = tuple[int, int, int, int]
Stops = tuple[tuple[float, Rgb], ...]
"""A gradient: (position from 0 to 1, colour), ascending."""


class Hue(NamedTuple):
    """How a sprite gets a colour: hue in degrees, factors for saturation and value; and the colour as it is painted."""

    degrees: float
    saturation: float
    value: float
    rgb: Rgb


COLOURS: dict[str, Hue] = {
    "red": Hue(2, 1.15, 1.0, (214, 40, 40)),
    "orange": Hue(28, 1.2, 1.08, (245, 135, 31)),
    "yellow": Hue(50, 1.2, 1.25, (250, 208, 44)),
    "green": Hue(128, 1.0, 0.85, (52, 160, 84)),
    "blue": Hue(216, 1.15, 1.0, (42, 104, 214)),
    "purple": Hue(276, 0.95, 0.9, (126, 68, 178)),
    "pink": Hue(334, 0.75, 1.2, (244, 130, 180)),
    "black": Hue(0, 0.0, 0.32, (34, 34, 40)),
    "white": Hue(0, 0.05, 1.6, (246, 246, 244)),
}

BACKDROPS: dict[str, Rgb] = {
    "white": (248, 248, 247),
    "grey": (176, 182, 190),
    "black": (36, 37, 42),
    "red": (222, 92, 92),
    "orange": (248, 176, 104),
    "yellow": (253, 226, 122),
    "green": (140, 204, 146),
    "blue": (120, 174, 236),
    "purple": (178, 142, 220),
    "pink": (250, 186, 208),
    "brown": (176, 134, 98),
}

SKIES: dict[str, tuple[Stops, ...]] = {
    "day": (
        ((0, (58, 134, 222)), (0.6, (150, 204, 246)), (1, (214, 236, 250))),
        ((0, (70, 150, 230)), (1, (190, 226, 250))),
        ((0, (46, 120, 206)), (0.7, (138, 200, 240)), (1, (226, 240, 244))),
    ),
    "sunset": (
        ((0, (62, 44, 110)), (0.3, (168, 70, 122)), (0.6, (246, 140, 84)), (1, (255, 220, 140))),
        ((0, (110, 52, 98)), (0.35, (222, 88, 84)), (0.7, (252, 164, 72)), (1, (255, 214, 120))),
        ((0, (54, 58, 122)), (0.4, (186, 92, 130)), (0.7, (250, 150, 104)), (1, (255, 206, 132))),
    ),
    "night": (
        ((0, (6, 10, 32)), (0.6, (16, 28, 70)), (1, (34, 50, 104))),
        ((0, (10, 8, 36)), (0.6, (28, 24, 80)), (1, (52, 44, 110))),
    ),
    "overcast": (((0, (128, 138, 150)), (0.6, (172, 180, 188)), (1, (200, 205, 210))),),
    "storm": (((0, (34, 38, 50)), (0.6, (70, 76, 92)), (1, (104, 110, 122))),),
}  # fmt: skip

RAINBOW: tuple[Rgb, ...] = (
    (228, 60, 60), (245, 150, 50), (250, 225, 70), (80, 190, 90), (70, 130, 230), (130, 80, 200),
)  # fmt: skip

CHART_PALETTES: tuple[tuple[Rgb, ...], ...] = (
    ((66, 114, 196), (237, 125, 49), (112, 173, 71), (255, 192, 0), (165, 105, 189), (91, 155, 213)),
    ((0, 122, 135), (255, 111, 97), (247, 202, 24), (88, 80, 141), (102, 187, 106), (239, 83, 80)),
    ((99, 102, 241), (236, 72, 153), (20, 184, 166), (245, 158, 11), (139, 92, 246), (34, 197, 94)),
)

INK: Rgb = (10, 14, 22)
"""The colour of shadows."""


def mix(one: Rgb, other: Rgb, part: float) -> Rgb:
    """`part` of the other colour in the one: 0 gives the one, 1 the other."""
    r, g, b = (int(x * (1 - part) + y * part) for x, y in zip(one, other, strict=True))
    return r, g, b


def in_light(colour: Rgb, light: str) -> Rgb:
    """What a colour looks like in the light of "day", "sunset", "night", "overcast" or "storm"."""
    match light:
        case "night":
            return mix(colour, (12, 18, 52), 0.66)
        case "sunset":
            return mix(mix(colour, (120, 50, 60), 0.36), (255, 150, 80), 0.10)
        case "overcast":
            return mix(colour, (120, 126, 134), 0.28)
        case "storm":
            return mix(colour, (44, 50, 62), 0.5)
    return colour
