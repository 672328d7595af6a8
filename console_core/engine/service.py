"""What an engine process answers beside its pipelines: the models themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.loaded import Resident
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Embedder, Fingerprint, ModelCard, Vectors


class Served(Protocol):
    """Models by key, each loaded when first asked for; see `embedding.loaded.LoadedModels`."""

    def get(self, key: str) -> Embedder: ...

    def loading(self) -> list[str]: ...

    def residents(self) -> list[Resident]: ...

    def unload(self, key: str) -> bool: ...

    def release(self, key: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What does not change about a loaded model."""

    card: ModelCard
    fingerprint: Fingerprint
    device: str
    preprocessing: Preprocessing
    batch: int
    largest_batch: int
    passes: int


class Service:
    """Calls by name, see `engine.process.EngineProcess.call`. What is asked here is a query and goes before runs."""

    def __init__(self, models: Served) -> None:
        self._models = models

    def facts(self, key: str) -> Facts:
        model = self._models.get(key)
        return Facts(
            model.card,
            model.fingerprint,
            model.device,
            model.preprocessing,
            model.batch,
            model.largest_batch,
            model.passes,
        )

    def embed_images(self, key: str, pixels: NDArray[np.uint8]) -> Vectors:
        return self._models.get(key).embed_images(pixels)

    def embed_texts(self, key: str, texts: Sequence[str]) -> Vectors:
        return self._models.get(key).embed_texts(texts)

    def loading(self) -> list[str]:
        return self._models.loading()

    def residents(self) -> list[Resident]:
        return self._models.residents()

    def unload(self, key: str) -> bool:
        return self._models.unload(key)

    def release(self, key: str) -> bool:
        return self._models.release(key)
