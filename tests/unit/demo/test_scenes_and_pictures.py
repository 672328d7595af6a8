"""From a seed to a scene, a picture and a caption."""

import random
from collections import Counter

import numpy as np
import pytest

from console_core.demo.atlas import sprite
from console_core.demo.captions import caption
from console_core.demo.painting.render import render
from console_core.demo.palette import COLOURS
from console_core.demo.phrases import plural, with_article
from console_core.demo.plan import plan
from console_core.demo.scene import Chart, Landscape, Shapes, Studio, figures, kind
from console_core.demo.vocabulary import HEADS, LIVES_IN, SAILS_ON, THINGS


def test_a_seed_always_gives_the_same_scene_and_pixels() -> None:
    for seed in range(40, 48):
        assert plan(seed) == plan(seed)
        assert render(plan(seed), 64).tobytes() == render(plan(seed), 64).tobytes()


def test_different_seeds_give_different_pictures() -> None:
    pictures = {render(plan(seed), 48).tobytes() for seed in range(60)}
    assert len(pictures) == 60


def test_the_kinds_of_scenes_keep_their_proportions() -> None:
    shares = Counter(kind(plan(seed)) for seed in range(4000))
    for name, share in (("landscape", 0.42), ("object", 0.34), ("shape", 0.11), ("chart", 0.13)):
        assert shares[name] / 4000 == pytest.approx(share, abs=0.03)


def test_every_thing_has_a_sprite_of_its_own() -> None:
    assert len(THINGS) == 163
    assert len({sprite(name).tobytes() for name in THINGS}) == 163
    assert all(min(sprite(name).size) >= 40 for name in THINGS)


def test_the_edge_of_a_sprite_has_the_colour_of_the_thing_and_is_not_dark() -> None:
    pixels = np.asarray(sprite("egg")).astype(float)
    alpha = pixels[..., 3]
    edge, inside = pixels[(alpha > 60) & (alpha < 200), 0], pixels[alpha == 255, 0]
    assert np.median(edge) > 0.9 * np.median(inside)


def test_a_tinted_sprite_has_the_colour_that_it_is_named_by() -> None:
    def mean(colour: str) -> list[float]:
        pixels = np.asarray(sprite("car", colour)).astype(float)
        return [float(level) for level in pixels[pixels[..., 3] > 200][:, :3].mean(0)]

    red, green, blue = mean("red"), mean("green"), mean("blue")
    assert red[0] > red[1] + 40
    assert red[0] > red[2] + 40
    assert green[1] > green[0] + 20
    assert blue[2] > blue[0] + 40
    assert set(COLOURS) >= {figure.colour for seed in range(500) for figure in figures(plan(seed))} - {""}


def test_everything_that_stands_in_a_landscape_belongs_there() -> None:
    for seed in range(3000):
        scene = plan(seed)
        if not isinstance(scene, Landscape):
            continue
        for actor in scene.actors:
            allowed = {"land": LIVES_IN, "water": SAILS_ON}.get(actor.habitat)
            if allowed is not None:
                assert actor.figure.name in allowed[scene.terrain]


def test_no_head_lies_on_a_table() -> None:
    for seed in range(3000):
        scene = plan(seed)
        if isinstance(scene, Studio) and scene.pattern == "table":
            assert not any(figure.name in HEADS for figure in scene.figures)


def test_a_complete_caption_names_every_figure_and_its_number() -> None:
    scene = next(s for s in map(plan, range(5000)) if isinstance(s, Shapes) and s.figures[0].count == 3)
    words = caption(scene, random.Random(1))
    assert "three" in words
    assert scene.background in words


def test_captions_of_charts_say_form_and_direction() -> None:
    scene = next(s for s in map(plan, range(5000)) if isinstance(s, Chart) and (s.form, s.trend) == ("bar", "falling"))
    for seed in range(20):
        words = caption(scene, random.Random(seed))
        assert any(form in words for form in ("bar chart", "bar graph", "column chart"))
        assert any(way in words for way in ("decline", "falling", "down", "decreasing", "dropping"))


def test_loose_captions_leave_details_out() -> None:
    scene = next(s for s in map(plan, range(5000)) if isinstance(s, Landscape) and s.actors and s.weather == "rain")
    lengths = {len(caption(scene, random.Random(seed), complete=False).split()) for seed in range(60)}
    complete = len(caption(scene, random.Random(0)).split())
    assert min(lengths) < complete


def test_nouns_get_their_article_and_plural() -> None:
    assert plural("cup of coffee") == "cups of coffee"
    assert plural("wolf") == "wolves"
    assert plural("cherries") == "cherries"
    assert plural("strawberry") == "strawberries"
    assert plural("donkey") == "donkeys"
    assert plural("bus") == "buses"
    assert with_article("apple") == "an apple"
    assert with_article("ufo") == "a ufo"
    assert with_article("scissors") == "scissors"
