"""The training program makes folders that the console loads like any other model."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.demo.train.architecture import RECIPES
from console_core.demo.train.dataset import Dataset, is_held_out, render_dataset, typed
from console_core.demo.train.loop import train
from console_core.embedding.loading import load
from console_core.embedding.types import ModelCard


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return render_dataset(48, workers=1)


def test_held_out_combinations_are_some_and_never_trained_on(dataset: Dataset) -> None:
    share = sum(is_held_out(plan(seed)) for seed in range(2000)) / 2000
    assert 0.04 < share < 0.2
    assert not any(map(is_held_out, dataset.scenes))
    assert dataset.pictures.shape == (48, 96, 96, 3)
    assert np.array_equal(dataset.pictures[5], np.asarray(render(dataset.scenes[5], 96)))


def test_people_type_many_things_for_one_picture(dataset: Dataset) -> None:
    rng = random.Random(0)
    for scene in dataset.scenes[:8]:
        words = {typed(scene, rng) for _ in range(60)}
        assert len(words) > 10
        assert min(len(text.split()) for text in words) <= 3


@pytest.mark.parametrize("key", sorted(RECIPES))
def test_a_trained_folder_loads_and_its_loss_has_fallen(key: str, dataset: Dataset, tmp_path: Path) -> None:
    recipe = replace(RECIPES[key], batch=16)
    said: list[str] = []
    losses = train(recipe, dataset, tmp_path, seconds=4, seed=1, report=said.append)
    assert min(losses[-3:]) < losses[0]
    assert said[-1].startswith(str(tmp_path))
    card = ModelCard(key, key, "test", f"local-dir:{tmp_path}", "", recipe.dimension, recipe.image_size)
    embedder = load(card, "cpu")
    vectors = embedder.embed_images([embedder.preprocessing.exact(render(dataset.scenes[0], 96))])
    assert vectors.shape == (1, recipe.dimension)
    texts = embedder.embed_texts(["a red car", "the moon over a city"])
    assert texts.shape == (2, recipe.dimension)
    assert not np.allclose(texts[0], texts[1])
