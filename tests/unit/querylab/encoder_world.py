"""Real pictures with captions on disk, a catalog of them, a store, the demo's two models, and ways to get it wrong."""

import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.catalog.local_files import LocalFiles
from console_core.catalog.sql import SqlCatalog
from console_core.demo.captions import caption
from console_core.demo.cards import DEMO_CARDS, MODELS
from console_core.demo.painting.render import render
from console_core.demo.plan import plan
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loading import load
from console_core.embedding.types import Embedder, ModelCard, Vectors
from console_core.querylab.encoder_check import EncoderCheck, EncoderPlan
from console_core.querylab.encoder_report import EncoderReport
from console_core.runs.types import Counts
from console_core.settings import CatalogSettings, StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, ModelStamp, Point, VectorStore

PICTURES = 56
CLIP, SIGLIP = "demo-clip", "demo-siglip"
CARDS = {card.key: card for card in DEMO_CARDS}
_FIRST = 30_000_000
"""The seed of the first scene: none of these is among those that the models were trained on."""
_FITTED = 32
"""Numbers of the small transformer's vectors."""
_CONFIGURATION, _WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


@dataclass
class World:
    """`pictures` are the files as they are read back; keys are 1, 2, 3 …"""

    folder: Path
    store: VectorStore
    catalog: SqlCatalog
    images: LocalFiles
    pictures: list[Image.Image]
    models: dict[str, TorchEmbedder] = field(default_factory=dict)
    vectors: dict[str, Vectors] = field(default_factory=dict)

    @classmethod
    def build(cls, folder: Path) -> "World":
        root = folder / "images"
        root.mkdir()
        rng, rows = random.Random(3), []
        for key in range(1, PICTURES + 1):
            scene = plan(_FIRST + key)
            render(scene, 128).crop((0, 0, 128, 100)).save(root / f"{key}.jpg", quality=95)
            rows.append((key, f"{key}.jpg", caption(scene, rng)))
        with sqlite3.connect(folder / "catalog.db") as database:
            database.execute("CREATE TABLE images (id INTEGER PRIMARY KEY, path TEXT, caption TEXT)")
            database.executemany("INSERT INTO images VALUES (?, ?, ?)", rows)
        database.close()
        settings = CatalogSettings(
            kind="sql",
            location=f"sqlite:///{folder / 'catalog.db'}",
            table="images",
            key="id",
            paths=("path",),
            payload=("caption",),
        )
        pictures = [Image.open(root / f"{key}.jpg").convert("RGB") for key in range(1, PICTURES + 1)]
        store = open_store(StoreSettings(url=f"local:{folder / 'store'}"))
        return cls(folder, store, SqlCatalog(settings), LocalFiles((root,)), pictures)

    def close(self) -> None:
        self.catalog.close()
        self.store.close()

    def model(self, key: str) -> TorchEmbedder:
        """A demo model as it should be; nobody changes it."""
        if key not in self.models:
            self.models[key] = load(CARDS[key], "cpu")
        return self.models[key]

    def right(self, key: str) -> Vectors:
        """The vectors of all pictures by a demo model."""
        if key not in self.vectors:
            self.vectors[key] = self.embedded(self.model(key))
        return self.vectors[key]

    def embedded(
        self, embedder: Embedder, prepare: Callable[[Image.Image], NDArray[np.uint8]] | None = None
    ) -> Vectors:
        prepare = prepare or embedder.preprocessing.exact
        return embedder.embed_images([prepare(picture) for picture in self.pictures])

    def stored(
        self,
        name: str,
        vectors: NDArray[np.float32],
        stamp: ModelStamp,
        *,
        ids: Sequence[int] = (),
        distance: str = "cosine",
    ) -> str:
        """A collection of these vectors, as an application writes it; its name."""
        self.store.create(name, CollectionSpec(vectors.shape[1], distance, stamp))
        keys = ids or range(1, len(vectors) + 1)
        points = [Point(key, vector, {}) for key, vector in zip(keys, vectors, strict=True)]
        self.store.upsert(name, points, as_is=distance != "cosine")
        return name

    def checked(self, collection: str, embedder: Embedder, *, captions: str | None = None) -> EncoderReport:
        """The report of a check, driven to its end and read back from what the ledger would keep."""
        check = EncoderCheck(
            EncoderPlan(collection, embedder.card.key, captions),
            catalog=self.catalog,
            images=self.images,
            store=self.store,
            embedder=lambda: embedder,
            page_size=20,
        )
        *_, last = check.steps("", Counts())
        assert last.counts.pending == 0
        return EncoderReport.from_json(json.loads(json.dumps(last.result)))


def stamp_of(embedder: Embedder) -> ModelStamp:
    return ModelStamp(embedder.card.key, embedder.fingerprint.digest)


def changed_model(folder: Path, card: ModelCard, change: Callable[[dict[str, Any]], object]) -> TorchEmbedder:
    """A demo model whose folder has another configuration."""
    return load(_folder_of(folder, card, change), "cpu")


def other_weights(folder: Path, card: ModelCard) -> TorchEmbedder:
    """A model of the same architecture with weights that another training could have given: what it says of pictures
    is the same up to a little noise, in other numbers."""
    import torch
    from safetensors.torch import load_file, save_file

    other = _folder_of(folder, card, lambda _: None)
    place = folder / _WEIGHTS

    tensors = {name: tensor.float() for name, tensor in load_file(MODELS / card.key / _WEIGHTS).items()}
    generator = torch.Generator().manual_seed(5)
    turned = torch.linalg.qr(torch.randn(card.dimension, card.dimension, generator=generator))[0]
    for name in ("visual.attnpool.c_proj.weight", "visual.attnpool.c_proj.bias"):
        tensors[name] = (turned @ tensors[name]).contiguous()
    for name, tensor in tensors.items():
        if tensor.dim() > 1:
            tensors[name] = tensor + 0.1 * tensor.std() * torch.randn(tensor.shape, generator=generator)
    place.unlink()
    save_file(tensors, place)
    return load(other, "cpu")


def vision_transformer(folder: Path, world: World, *, says: bool = True) -> TorchEmbedder:
    """A small model whose picture tower has activations, which that of no demo model has. They are QuickGELU, and the
    configuration `says` so or not. Its layers are random; the last one of each tower is fitted to these pictures and
    captions in closed form, so that pictures are as far apart as a trained model has them, and captions find them."""
    import torch
    from safetensors.torch import save_file

    text = {"context_length": 24, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
    vision = {"image_size": 32, "layers": 4, "width": 64, "head_width": 32, "patch_size": 8}
    config: dict[str, Any] = {
        "model_cfg": {"embed_dim": _FITTED, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"},
    }
    folder.mkdir()
    (folder / _CONFIGURATION).write_text(json.dumps(config))
    card = ModelCard("tiny-vit", "Tiny ViT", "CLIP", f"local-dir:{folder}", "", _FITTED, 32)
    torch.manual_seed(4)
    drawn = load(card, "cpu", random_weights=True)
    model, tokenizer = drawn._forward.model, drawn._tokenizer
    assert tokenizer is not None
    pixels = np.stack([drawn.preprocessing.exact(picture) for picture in world.pictures])
    with torch.no_grad():
        model.visual.proj.data = torch.eye(64)
        model.text_projection.data = torch.eye(64)
        seen = model.encode_image(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1)
        _, spread, directions = torch.linalg.svd(seen, full_matrices=False)
        model.visual.proj.data = (directions[:_FITTED].T / spread[:_FITTED]).contiguous()
        answers = torch.nn.functional.normalize(seen @ model.visual.proj, dim=1)
        said = model.encode_text(tokenizer([str(row.payload["caption"]) for row in world.catalog.rows()]))
        model.text_projection.data = torch.linalg.lstsq(said, answers, driver="gelsd").solution.contiguous()
    save_file({name: tensor.clone() for name, tensor in model.state_dict().items()}, folder / _WEIGHTS)
    config["model_cfg"]["quick_gelu"] = says
    (folder / _CONFIGURATION).write_text(json.dumps(config))
    return load(card, "cpu")


def _folder_of(folder: Path, card: ModelCard, change: Callable[[dict[str, Any]], object]) -> ModelCard:
    folder.mkdir()
    for file in (MODELS / card.key).iterdir():
        if file.name != _CONFIGURATION:
            (folder / file.name).symlink_to(file)
    config = json.loads((MODELS / card.key / _CONFIGURATION).read_text())
    change(config)
    (folder / _CONFIGURATION).write_text(json.dumps(config))
    return replace(card, architecture=f"local-dir:{folder}")
