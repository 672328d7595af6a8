"""The demo's two trained models, and 24 of its pictures embedded by both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import console_core.demo
from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.embedding.loaded import LoadedModels
from console_core.embedding.registry import ModelCards, from_settings
from console_core.embedding.types import Embedder
from console_core.settings import ModelSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.provenance import Provenance, point_id
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore
from tests.unit.querylab.encoder_world import World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Pictures with captions, and a store in which each test makes collections of its own names."""
    made = World.build(tmp_path_factory.mktemp("encoder"))
    yield made
    made.close()


CLIP, SIGLIP = "demo-clip", "demo-siglip"
PICTURES = 24


@dataclass
class Lab:
    """A store with the collections "by-clip" and "by-siglip" of the same pictures, and the alias "images"."""

    store: VectorStore
    models: LoadedModels

    def fill(self, name: str, model: str, keys: Sequence[str]) -> None:
        embedder = self.models.get(model)
        self.store.create(name, CollectionSpec(embedder.card.dimension, stamp=stamp(embedder)))
        pictures = [embedder.preprocessing.exact(render(plan(int(key)), 160)) for key in keys]
        made = zip(keys, embedder.embed_images(pictures), strict=True)
        digest = embedder.fingerprint.digest
        points = []
        for key, vector in made:
            payload = {"seed": int(key), "even": int(key) % 2 == 0}
            origin = Provenance(key, "1", "", digest, "", "")
            points.append(Point(point_id(key), vector, {**payload, **origin.as_payload()}))
        self.store.upsert(name, points)


def stamp(embedder: Embedder) -> ModelStamp:
    return ModelStamp(embedder.card.key, embedder.fingerprint.digest)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = Path(console_core.demo.__file__).parent / "models"
    cards = [from_settings(ModelSettings(key, f"local-dir:{folder / key}")) for key in (CLIP, SIGLIP)]
    store = open_store(StoreSettings(url=f"local:{tmp_path_factory.mktemp('lab')}"))
    lab = Lab(store, LoadedModels(ModelCards(cards), "cpu"))
    keys = [str(seed) for seed in range(PICTURES)]
    lab.fill("by-clip", CLIP, keys)
    lab.fill("by-siglip", SIGLIP, keys)
    store.set_alias("images", "by-clip", expected=None)
    yield lab
    store.close()
