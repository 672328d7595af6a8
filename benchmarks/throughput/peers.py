"""How others do it, on the same files and the same device: written here after what their sources show.

- naive: one picture after the other, read, decoded, embedded and written, as in most migration guides.
- sentence-transformers: a list is cut into batches of 32, each is preprocessed, embedded and written in turn.
- DataLoader: worker processes decode and normalise with Pillow while the main process embeds, as clip-retrieval does.

As in a program of theirs, torch computes on all cores meanwhile: the console gives each of its threads one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.throughput.devices import Simulated
from console_core.embedding.device import usable_cores
from console_core.embedding.files import LOCAL
from console_core.embedding.folder import assembled
from console_core.embedding.precision import Precision, dtype
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Embedder, Vectors
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore


@dataclass(frozen=True, slots=True)
class Theirs:
    """A model as others have it: open_clip's own transforms, and the bare forward pass over normalised pixels."""

    transform: Callable[[Image.Image], torch.Tensor]
    forward: Callable[[torch.Tensor], Vectors]
    dimension: int
    on_card: bool

    def pixels(self, path: str) -> torch.Tensor:
        with Image.open(path) as image:
            return self.transform(image.convert("RGB"))


class _Files(Dataset[Any]):
    def __init__(self, paths: Sequence[str], model: Theirs) -> None:
        self._paths, self._model = paths, model

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, place: int) -> tuple[int, torch.Tensor]:
        return place, self._model.pixels(self._paths[place])


def theirs(model: Embedder, precision: Precision) -> Theirs:
    """The same model in the precision that a peer would use."""
    transform, dimension = _transform(model.preprocessing), model.card.dimension
    if isinstance(model, Simulated):
        return Theirs(transform, lambda pixels: model.forward(len(pixels)), dimension, on_card=False)
    device, kind = model.device.partition(",")[0], dtype(precision)
    with assembled(model.card, random_weights=True) as folder:
        bare = open_clip.create_model(f"{LOCAL}{folder.path}", pretrained_text=False).eval().to(device, kind)

    def forward(pixels: torch.Tensor) -> Vectors:
        with torch.inference_mode():
            vectors = bare.encode_image(pixels.to(device, kind), normalize=True)
        found: Vectors = vectors.float().cpu().numpy()
        return found

    return Theirs(transform, forward, dimension, on_card=device.startswith("cuda"))


def _transform(sizes: Preprocessing) -> Callable[[Image.Image], torch.Tensor]:
    configured = PreprocessCfg(
        size=(sizes.height, sizes.width),
        mean=sizes.mean,
        std=sizes.deviation,
        interpolation=sizes.interpolation,
        resize_mode=sizes.resize_mode,
        fill_color=sizes.fill,
    )
    made: Callable[[Image.Image], torch.Tensor] = image_transform_v2(configured, is_train=False)
    return made


def naive(paths: Sequence[str], model: Theirs, store: VectorStore) -> None:
    for place, path in enumerate(paths):
        _write(store, [place], model.forward(model.pixels(path).unsqueeze(0)))


def sentence_transformers(paths: Sequence[str], model: Theirs, store: VectorStore) -> None:
    for start in range(0, len(paths), 32):
        part = paths[start : start + 32]
        pixels = torch.stack([model.pixels(path) for path in part])
        _write(store, range(start, start + len(part)), model.forward(pixels))


def data_loader(paths: Sequence[str], model: Theirs, store: VectorStore, workers: int) -> None:
    loader = DataLoader(
        _Files(paths, model),
        batch_size=64,
        num_workers=workers,
        prefetch_factor=2,
        pin_memory=model.on_card,
        multiprocessing_context="fork",
    )
    for places, pixels in loader:
        _write(store, places.tolist(), model.forward(pixels))


def measured(
    peer: Callable[..., None], paths: Sequence[str], *, model: Theirs, store: VectorStore, **more: Any
) -> float:
    """Pictures a second of a peer."""
    store.create("peer", CollectionSpec(model.dimension))
    torch.set_num_threads(usable_cores())
    began = time.perf_counter()
    peer(paths, model, store, **more)
    taken = time.perf_counter() - began
    torch.set_num_threads(1)
    store.drop("peer")
    return len(paths) / taken


def _write(store: VectorStore, places: Sequence[int], vectors: Vectors) -> None:
    rows = np.asarray(vectors, dtype=np.float32)
    store.upsert(
        "peer", [Point(int(place), row, {"place": int(place)}) for place, row in zip(places, rows, strict=True)]
    )
