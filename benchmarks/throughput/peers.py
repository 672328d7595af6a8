"""How others do it, on the same files and the same device: written here after what their sources show.

- naive: one picture after the other, read, decoded, embedded and written, as in most migration guides.
- sentence-transformers: a list is cut into batches of 32, each is preprocessed, embedded and written in turn.
- DataLoader: worker processes decode and normalise with Pillow while the main process embeds, as clip-retrieval does.
"""

import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image
from torch.utils.data import DataLoader, Dataset

from benchmarks.throughput.devices import Simulated
from console_core.embedding.types import Embedder, Vectors
from console_core.vectorstore.types import CollectionSpec, Point, VectorStore

PREPROCESS = image_transform_v2(PreprocessCfg(size=224), is_train=False)
Forward = Callable[[torch.Tensor], Vectors]


class _Files(Dataset[Any]):
    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, place: int) -> tuple[int, torch.Tensor]:
        return place, _pixels(self._paths[place])


def _pixels(path: str) -> torch.Tensor:
    with Image.open(path) as image:
        pixels: torch.Tensor = PREPROCESS(image.convert("RGB"))
        return pixels


def forward_of(model: Embedder, dtype: torch.dtype) -> Forward:
    """The bare forward pass of a model over normalised pixels, in the precision that a peer would use."""
    if isinstance(model, Simulated):
        return lambda pixels: model.forward(len(pixels))
    device = model.device.partition(",")[0]
    bare = open_clip.create_model(model.card.architecture, device=device).eval().to(dtype)

    def forward(pixels: torch.Tensor) -> Vectors:
        with torch.inference_mode():
            vectors = bare.encode_image(pixels.to(device, dtype), normalize=True)
        found: Vectors = vectors.float().cpu().numpy()
        return found

    return forward


def naive(paths: Sequence[str], forward: Forward, store: VectorStore) -> None:
    for place, path in enumerate(paths):
        _write(store, [place], forward(_pixels(path).unsqueeze(0)))


def sentence_transformers(paths: Sequence[str], forward: Forward, store: VectorStore) -> None:
    for start in range(0, len(paths), 32):
        part = paths[start : start + 32]
        _write(store, range(start, start + len(part)), forward(torch.stack([_pixels(path) for path in part])))


def data_loader(paths: Sequence[str], forward: Forward, store: VectorStore, workers: int) -> None:
    loader = DataLoader(
        _Files(paths), batch_size=64, num_workers=workers, prefetch_factor=2, multiprocessing_context="fork"
    )
    for places, pixels in loader:
        _write(store, places.tolist(), forward(pixels))


def measured(peer: Callable[..., None], paths: Sequence[str], *, store: VectorStore, **more: Any) -> float:
    """Pictures a second of a peer."""
    store.create("peer", CollectionSpec(512))
    began = time.perf_counter()
    peer(paths, store=store, **more)
    taken = time.perf_counter() - began
    store.drop("peer")
    return len(paths) / taken


def clip_retrieval() -> str:
    """Why clip-retrieval is not measured here: it is tried in an environment of its own each time."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    ours = importlib.metadata.version("open_clip_torch")
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run([uv, "venv", "--quiet", folder], check=True, capture_output=True, timeout=120)
            subprocess.run(
                [uv, "pip", "install", "--quiet", "--python", f"{folder}/bin/python", "clip-retrieval"],
                check=True,
                capture_output=True,
                timeout=600,
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", b"") or str(error).encode()
            return f"not measured: it does not install ({said.decode(errors='replace').strip().splitlines()[-1][:120]})"
    return f"not measured: it installs (beside its own open_clip, ours is {ours}), but wants weights from a hub"


def _write(store: VectorStore, places: Sequence[int], vectors: Vectors) -> None:
    rows = np.asarray(vectors, dtype=np.float32)
    store.upsert(
        "peer", [Point(int(place), row, {"place": int(place)}) for place, row in zip(places, rows, strict=True)]
    )
