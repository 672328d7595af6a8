"""A collection is stamped with the model that made it, and its own vectors are asked whether that is true."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import console_core.demo
from console_core.commands import Actor, command
from console_core.console import Console
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards, from_settings
from console_core.errors import NotAllowed, Refused
from console_core.migration.stamp import SAMPLE, agreement
from console_core.settings import ModelSettings
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point
from tests.conftest import OPERATOR

DEMO_CLIP = Path(console_core.demo.__file__).parent / "models" / "demo-clip"


@pytest.fixture
def unknown(console: Console) -> Console:
    """A console with the collection "old", made by demo-clip before anybody recorded models."""
    console.store.create("old", CollectionSpec(128))
    points = console.store.scroll("images", vectors=True)
    console.store.upsert("old", [Point(point.id, point.vector, {"caption": "x"}) for point in points])
    return console


@pytest.fixture(scope="module")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> LoadedModels:
    """A model of demo-clip's architecture and dimension with other weights."""
    folder = tmp_path_factory.mktemp("models") / "impostor"
    shutil.copytree(DEMO_CLIP, folder)
    weights = load_file(folder / "open_clip_model.safetensors")
    dice = np.random.default_rng(5)
    changed = {
        name: dice.permutation(values.ravel()).reshape(values.shape) if values.ndim > 1 else values
        for name, values in weights.items()
    }
    save_file(changed, folder / "open_clip_model.safetensors")
    return LoadedModels(ModelCards([from_settings(ModelSettings("impostor", f"local-dir:{folder}"))]))


def test_the_model_that_made_a_collection_is_recorded(unknown: Console) -> None:
    recorded = command(unknown, OPERATOR, "stamp", collection="old", model="demo-clip")
    assert recorded == ModelStamp("demo-clip", unknown.models.get("demo-clip").fingerprint.digest)
    assert unknown.store.describe("old").stamp == recorded
    entry = unknown.ledger.journal(limit=1)[0]
    assert (entry.actor, entry.action, entry.subject, entry.outcome) == ("olga", "stamp", "old", "done")


def test_a_model_of_another_dimension_is_refused(unknown: Console) -> None:
    with pytest.raises(Refused, match="makes vectors of 192 numbers, and old has 128"):
        command(unknown, OPERATOR, "stamp", collection="old", model="demo-siglip")
    assert unknown.store.describe("old").stamp is None


@pytest.mark.parametrize("unchecked", [False, True])
def test_another_model_of_the_same_dimension_is_refused_by_the_vectors_themselves(
    unknown: Console, impostor: LoadedModels, unchecked: bool
) -> None:
    unknown.models = impostor
    with pytest.raises(Refused, match=f"old was not made by .*{SAMPLE} of its pictures"):
        command(unknown, OPERATOR, "stamp", collection="old", model="impostor", unchecked=unchecked)
    assert unknown.store.describe("old").stamp is None
    assert unknown.ledger.journal(limit=1)[0].outcome == "refused"


def test_the_right_model_agrees_with_every_vector(unknown: Console) -> None:
    embedder = unknown.models.get("demo-clip")
    found = agreement(unknown.store, unknown.catalog, unknown.images, embedder, "old")
    assert found.compared == SAMPLE
    assert found.lowest > 0.9999


def forget_pictures(console: Console) -> None:
    for file in console.settings.image_roots[0].iterdir():
        file.unlink()


def make_strangers(console: Console) -> None:
    console.store.drop("old")
    console.store.create("old", CollectionSpec(128))
    console.store.upsert("old", [Point(10_000 + n, np.eye(128, dtype=np.float32)[n], {}) for n in range(4)])


@pytest.mark.parametrize("lose", [forget_pictures, make_strangers])
def test_a_claim_that_cannot_be_checked_needs_to_be_made_on_purpose(
    unknown: Console, lose: Callable[[Console], None]
) -> None:
    lose(unknown)
    with pytest.raises(Refused, match="old") as refused:
        command(unknown, OPERATOR, "stamp", collection="old", model="demo-clip")
    assert "unchecked" in refused.value.remedy
    assert unknown.store.describe("old").stamp is None
    recorded = command(unknown, OPERATOR, "stamp", collection="old", model="demo-clip", unchecked=True)
    assert unknown.store.describe("old").stamp == recorded


def test_an_empty_collection_is_stamped_on_its_dimension_alone(console: Console) -> None:
    console.store.create("empty", CollectionSpec(128))
    command(console, OPERATOR, "stamp", collection="empty", model="demo-clip")
    stamp = console.store.describe("empty").stamp
    assert stamp is not None
    assert stamp.model == "demo-clip"


def test_only_an_admin_stamps(unknown: Console) -> None:
    with pytest.raises(NotAllowed, match="needs admin"):
        command(unknown, Actor("otto", "operator"), "stamp", collection="old", model="demo-clip")
    assert unknown.store.describe("old").stamp is None
