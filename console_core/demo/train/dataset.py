"""Pictures to train on, and the words that people might type for them."""

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from itertools import count, islice
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from console_core.demo.captions import caption
from console_core.demo.painting.render import render
from console_core.demo.phrases import noun_of, numbered, plural
from console_core.demo.plan import plan
from console_core.demo.scene import Chart, Landscape, Scene, Shapes, Studio, figures

SIDE = 96
"""Pixels of a training picture; models crop and shrink it."""

FILLERS = (
    "my", "cute", "little", "beautiful", "nice", "lovely", "pretty", "big", "small", "old", "great", "funny",
    "colorful", "simple", "some", "very", "happy", "wonderful", "amazing", "quiet", "warm", "cold", "modern", "tiny",
)  # fmt: skip
REQUESTS = (
    "show me", "find", "i want", "please find", "pictures of", "images with", "looking for", "can i see", "search for",
    "we need", "a nice picture of",
)  # fmt: skip
_NUMBERS = frozenset({"a", "an", "one", "two", "three", "four", "five", "six", "the"})
_HELD_OUT = 8
"""Per cent of the combinations that never occur in training."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """Scenes and their pictures: uint8, shape (n, 96, 96, 3)."""

    scenes: list[Scene]
    pictures: NDArray[np.uint8]


def render_dataset(number: int, *, first_seed: int = 0, workers: int = 2) -> Dataset:
    """Render that many scenes, without the held-out combinations, in worker processes."""
    scenes = list(islice(_allowed(first_seed), number))
    pictures = np.empty((number, SIDE, SIDE, 3), np.uint8)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for i, picture in enumerate(pool.map(_picture, scenes, chunksize=64)):
            pictures[i] = picture
    return Dataset(scenes, pictures)


def _allowed(first_seed: int) -> Iterator[Scene]:
    return (scene for scene in map(plan, count(first_seed)) if not is_held_out(scene))


def _picture(scene: Scene) -> NDArray[np.uint8]:
    return np.asarray(render(scene, SIDE))


def is_held_out(scene: Scene) -> bool:
    """Whether the scene has a combination that is kept for asking: a thing with its colour, place or companion."""
    pairs = [(figure.name, figure.colour) for figure in figures(scene) if figure.colour]
    match scene:
        case Landscape():
            pairs += [(figure.name, scene.terrain) for figure in figures(scene)]
        case Studio() | Shapes() if len(scene.figures) == 2:
            first, second = sorted(figure.name for figure in scene.figures)
            pairs.append((first, second))
        case Chart():
            pairs.append((f"{scene.form} {scene.trend}", scene.colour))
    return any(int(md5("|".join(pair).encode()).hexdigest(), 16) % 100 < _HELD_OUT for pair in pairs)


def typed(scene: Scene, rng: random.Random) -> str:
    """Words for a scene as a person might type them: a sentence or a few words, some with something superfluous."""
    words = _few_words(scene, rng) if rng.random() < 0.38 else caption(scene, rng, complete=False)
    if rng.random() < 0.12:
        words = f"{rng.choice(REQUESTS)} {words}"
    if rng.random() < 0.22:
        parts = words.split()
        place = rng.randrange(len(parts))
        place += parts[place] in _NUMBERS
        words = " ".join([*parts[:place], rng.choice(FILLERS), *parts[place:]])
    return words


def _few_words(scene: Scene, rng: random.Random) -> str:
    match scene:
        case Landscape() if scene.actors and rng.random() < 0.5:
            figure = rng.choice(scene.actors).figure
        case Studio() | Shapes():
            figure = rng.choice(scene.figures)
        case _:
            whole = caption(scene, rng, complete=False).split()
            return " ".join(whole[: rng.randint(2, 5)])
    if figure.count > 1 and rng.random() < 0.4:
        return plural(noun_of(figure, rng, 0.75))
    return noun_of(figure, rng, 0.75) if figure.count == 1 and rng.random() < 0.6 else numbered(figure, rng, 0.75)
