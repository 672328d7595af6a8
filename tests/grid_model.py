"""A model without weights, for tests of what is done with models: its vector is the picture's colours on a grid."""

import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from console_core.embedding.loaded import Resident
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Fingerprint, ModelCard, Pixels, Vectors
from console_core.embedding.wiring import Fact, Otherwise, Part
from console_core.engine.messages import Version
from console_core.errors import DeviceLost, DeviceOutOfMemory, ModelOutputInvalid

SIDE = 4


class Small(Preprocessing):
    """Squashes a picture to the grid with Pillow alone, so that torch is not needed."""

    def exact(self, image: Image.Image) -> Pixels:
        pixels: Pixels = np.asarray(image.convert("RGB").resize((self.width, self.height)))
        return pixels

    def quick(self, picture: NDArray[np.uint8]) -> Pixels:
        return self.exact(Image.fromarray(picture))


class Grid:
    """An embedder of 48 numbers. It counts the pictures that it embedded, and chokes on pure magenta, or on
    everything."""

    card = ModelCard("grid", "Grid", "test", "grid", "", 3 * SIDE * SIDE, SIDE, has_text=False)
    fingerprint = Fingerprint("0123456789abcdef")
    device = "cpu, float32"
    batch = largest_batch = 16
    passes = 2
    notes: tuple[str, ...] = ()
    preprocessing: Preprocessing = Small(SIDE, SIDE, "squash", "bicubic", 0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))

    def __init__(self) -> None:
        self.embedded = 0
        self.broken = False

    def slab(self, rows: int) -> NDArray[np.uint8]:
        return np.empty((rows, SIDE, SIDE, 3), dtype=np.uint8)

    def expect(self, pictures: int) -> None:
        pass

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        rows = np.stack(list(pixels)).astype(np.float32) / 255
        magenta = (rows == (1, 0, 1)).all(axis=(1, 2, 3))
        if self.broken or magenta.any():
            raise ModelOutputInvalid("The model answered with numbers that are not finite.")
        self.embedded += len(rows)
        flat = rows.transpose(0, 3, 1, 2).reshape(len(rows), -1) - 0.5 + 0.01
        vectors: Vectors = (flat / np.linalg.norm(flat, axis=1, keepdims=True)).astype(np.float32)
        return vectors

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        raise NotImplementedError


class Negative(Grid):
    """Its vectors point the other way."""

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        negative: Vectors = -super().embed_images(pixels)
        return negative


class Open(Grid):
    """It can be looked into, and its vectors otherwise point the other way."""

    card = replace(Grid.card, key="open")
    facts = (Fact(Part.ACTIVATION, "GELU", "QuickGELU", "a test", fits=False),)

    def wiring(self) -> tuple[Fact, ...]:
        return self.facts

    def embed_otherwise(self, pixels: Sequence[Pixels] | NDArray[np.uint8], way: Otherwise) -> Vectors | None:
        if not way.activation:
            return None
        negative: Vectors = -self.embed_images(pixels)
        return negative

    def embed_texts_otherwise(self, texts: Sequence[str], way: Otherwise) -> Vectors | None:
        return np.ones((len(texts), 48), dtype=np.float32) if way.activation else None


class Deadly(Grid):
    """Pure green ends its process."""

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        if (np.stack(list(pixels)) == (0, 255, 0)).all(axis=(1, 2, 3)).any():
            os._exit(9)
        return super().embed_images(pixels)


class Forgetful(Grid):
    """Its device has no memory."""

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        raise DeviceOutOfMemory("Not even one picture fits.")


class Fragile(Grid):
    """It loses its device once, while a mark is there."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self._mark = mark

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        if self._mark.exists():
            self._mark.unlink()
            raise DeviceLost("The device stopped working.")
        return super().embed_images(pixels)


class Unkept(Exception):
    """It can be sent, and not be put together again where it arrives."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


class Unsent(Exception):
    """It cannot be sent."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.lock = threading.Lock()


class Failing(Grid):
    """It fails in its own way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        raise self._error


class Riddle:
    """It can be sent, and not be put together again."""

    def __reduce__(self) -> tuple[type[Unkept], tuple[str]]:
        return Unkept, ("one",)


def versions(*keys: str) -> list[Version]:
    """Such models as an engine is asked for them."""
    return [Version(key, Grid.fingerprint.digest) for key in keys]


class GridModels:
    """Such models by key, for an engine."""

    def __init__(self, *, deadly: bool = False) -> None:
        self._deadly = deadly

    def loading(self) -> list[str]:
        return []

    def residents(self) -> list[Resident]:
        return []

    def unload(self, key: str) -> bool:
        return False

    release = unload

    def get(self, key: str) -> Grid:
        if key.startswith("loses its device"):
            return Fragile(Path(key.removeprefix("loses its device while ").removesuffix(" is there")))
        if key == "unkept":
            return Failing(Unkept("one", "the other"))
        if key == "unsent":
            return Failing(Unsent("a lock and more"))
        named = {"grid": Deadly if self._deadly else Grid, "negative": Negative, "open": Open, "no memory": Forgetful}
        return named[key]()


class Riddles(GridModels):
    """What is loading cannot be told; what is in memory arrives as something that nobody can read."""

    def loading(self) -> list[str]:
        return [threading.Lock()]  # type: ignore[list-item]

    def residents(self) -> list[Resident]:
        return [Riddle()]  # type: ignore[list-item]


class Changing(GridModels):
    """The fingerprint of its models is in a file."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def get(self, key: str) -> Grid:
        model = super().get(key)
        model.fingerprint = Fingerprint(self._file.read_text())
        return model
