"""Which pictures the demo shows: chosen so that every suggestion and every thing has enough right answers."""

import math
import random
from collections import Counter
from collections.abc import Iterator

from console_core.demo.plan import plan
from console_core.demo.queries import ACCEPTANCE, SHOWCASE
from console_core.demo.scene import Chart, Landscape, Scene, Shapes, figures, kind

FULL = 1200
_FIRST_SEED = 20_000_000
_SEEDS_PER_PICTURE = 50
_PER_SUGGESTION = 8
_PER_ACCEPTANCE_QUERY = 5
_PER_TAG = {"thing": 5, "coloured": 1, "sky": 6, "weather": 3, "shape": 1, "chart": 4, "form": 6}
_SHARE = {"landscape": 0.42, "object": 0.34, "shape": 0.11, "chart": 0.13}


def select(pictures: int = FULL) -> list[Scene]:
    """That many different scenes, always the same ones, in mixed order.

    In the full gallery every suggestion has at least eight right answers, every acceptance query and every
    thing five. Smaller galleries keep the proportions.
    """
    scale = min(1.0, pictures / FULL)
    scenes = [plan(_FIRST_SEED + i) for i in range(_SEEDS_PER_PICTURE * pictures)]
    chosen = {scene.seed: scene for scene in _by_query(scenes, scale)}
    chosen |= {scene.seed: scene for scene in _by_tag(scenes, scale, chosen)}
    chosen |= {scene.seed: scene for scene in _by_share(scenes, pictures - len(chosen))}
    mixed = list(chosen.values())[:pictures]
    random.Random(pictures).shuffle(mixed)
    return mixed


def _by_query(scenes: list[Scene], scale: float) -> Iterator[Scene]:
    """The first scenes that answer each query."""
    quotas = [(query, max(1, round(_PER_SUGGESTION * scale))) for query in SHOWCASE]
    quotas += [(query, int(_PER_ACCEPTANCE_QUERY * scale)) for query in ACCEPTANCE]
    open_quotas = {index: quota for index, (_, quota) in enumerate(quotas) if quota}
    for scene in scenes:
        answered = [index for index in open_quotas if quotas[index][0].is_relevant(scene)]
        if answered:
            yield scene
        for index in answered:
            open_quotas[index] -= 1
            if not open_quotas[index]:
                del open_quotas[index]
        if not open_quotas:
            return


def _by_tag(scenes: list[Scene], scale: float, chosen: dict[int, Scene]) -> Iterator[Scene]:
    """Scenes that add something of which there is not enough among the chosen."""
    seen = Counter(tag for scene in chosen.values() for tag in _tags(scene))
    quotas = {family: max(1, round(number * scale)) for family, number in _PER_TAG.items()}
    for scene in scenes:
        if scene.seed in chosen:
            continue
        tags = list(_tags(scene))
        if any(seen[tag] < quotas[tag.partition(":")[0]] for tag in tags):
            seen.update(tags)
            yield scene


def _tags(scene: Scene) -> Iterator[str]:
    for figure in figures(scene):
        family = "shape" if isinstance(scene, Shapes) else "coloured"
        if not isinstance(scene, Shapes):
            yield f"thing:{figure.name}"
        if figure.colour:
            yield f"{family}:{figure.colour} {figure.name}"
    match scene:
        case Landscape():
            yield f"sky:{scene.terrain} {scene.time}"
            yield f"weather:{scene.terrain} {scene.weather}"
        case Chart():
            yield f"form:{scene.form} {scene.dark}"
            if scene.form in ("bar", "line", "area"):
                yield f"chart:{scene.form} {scene.trend}"


def _by_share(scenes: list[Scene], pictures: int) -> Iterator[Scene]:
    """Anything, in the usual proportions of the four kinds."""
    left = {name: math.ceil(share * pictures) for name, share in _SHARE.items()}
    for scene in reversed(scenes):
        if left[kind(scene)] > 0:
            left[kind(scene)] -= 1
            yield scene
