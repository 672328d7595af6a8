"""What forward passes run on: a real model with random weights, or a device that takes a stated time."""

import threading
import time
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg

from console_core.embedding import architectures
from console_core.embedding.device import Placement, place
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.loading import load
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.registry import parse
from console_core.embedding.types import Embedder, Fingerprint, Pixels, Vectors

OVERHEAD = 0.004
"""Seconds that launching a batch takes on the simulated device, whatever is in it."""


class Simulated:
    """A model that sleeps as long as a device would be busy, without Python's lock. It sees pictures as the real one
    does; its vectors are noise."""

    batch = largest_batch = 64
    passes = 2
    notes = ()
    fingerprint = Fingerprint("0" * 12)

    def __init__(self, model: str, rate: float) -> None:
        self.card = parse(model)
        fed = architectures.common_preprocessing(self.card.architecture) or {}
        self.preprocessing = Preprocessing.of(asdict(PreprocessCfg(size=self.card.image_size, **fed)))
        self.device = f"simulated, {rate:,.0f} pictures/s"
        self._rate, self._turn = rate, threading.Lock()
        self._noise = np.random.default_rng(1).standard_normal((self.batch, self.card.dimension)).astype(np.float32)

    def slab(self, rows: int) -> NDArray[np.uint8]:
        return np.empty((rows, self.preprocessing.height, self.preprocessing.width, 3), dtype=np.uint8)

    def expect(self, pictures: int) -> None:
        return

    def forward(self, pictures: int) -> Vectors:
        """The vectors of so many pictures, after the time that they take."""
        with self._turn:
            time.sleep(OVERHEAD + pictures / self._rate)
        return self._noise[:pictures]

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        return np.concatenate([self.forward(len(part)) for part in _parts(pixels, self.batch)])

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError


def _parts(pixels: Sequence[Pixels] | NDArray[np.uint8], size: int) -> list[Sequence[Pixels] | NDArray[np.uint8]]:
    return [pixels[start : start + size] for start in range(0, len(pixels), size)]


def embedder(model: str, device: str, precision: str) -> Embedder:
    """A model of open_clip with random weights on "auto", "cpu" or "cuda", or simulated on `fake:<rate>`."""
    kind, _, rate = device.partition(":")
    if kind == "fake":
        return Simulated(model, float(rate))
    return real(model, device, precision)


def real(model: str, device: str, precision: str) -> TorchEmbedder:
    """The model with random weights; `precision` "auto" is what the console would choose."""
    found = place(device)
    chosen = found if precision == "auto" else Placement(found.device, precision, found.batch)  # type: ignore[arg-type]
    with torch.random.fork_rng():
        torch.manual_seed(20261)  # the same weights each time, so that precisions can be compared
        return load(parse(model), chosen, random_weights=True)
