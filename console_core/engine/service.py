"""What an engine process answers beside its pipelines: the models themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.loaded import Resident
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.types import Embedder, Fingerprint, ModelCard, Vectors
from console_core.embedding.wiring import Fact, Inspectable, Otherwise
from console_core.engine.messages import Version
from console_core.errors import FingerprintMismatch


class Served(Protocol):
    """Models by key, each loaded when first asked for; see `embedding.loaded.LoadedModels`."""

    def get(self, key: str) -> Embedder: ...

    def loading(self) -> list[str]: ...

    def residents(self) -> list[Resident]: ...

    def unload(self, key: str) -> bool: ...

    def release(self, key: str) -> bool: ...


def version_of(models: Served, wanted: Version) -> Embedder:
    """The model, loaded now if need be, as it was when it was asked for.

    Raises:
        FingerprintMismatch: its weights or settings changed since.
        ModelError: as `get`.
    """
    model = models.get(wanted.key)
    found = model.fingerprint.digest
    if found != wanted.fingerprint:
        raise FingerprintMismatch(
            f"The model {wanted.key} was loaded anew and has the fingerprint {found}, but what is under way was begun "
            f"with {wanted.fingerprint}: its weights or settings changed since.",
            "Put the old weights back and resume, or cancel this run and plan a new one.",
        )
    return model


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

    def embed_images(self, model: Version, pixels: NDArray[np.uint8]) -> Vectors:
        return version_of(self._models, model).embed_images(pixels)

    def embed_texts(self, model: Version, texts: Sequence[str]) -> Vectors:
        return version_of(self._models, model).embed_texts(texts)

    def wiring(self, model: Version) -> tuple[Fact, ...]:
        found = version_of(self._models, model)
        return found.wiring() if isinstance(found, Inspectable) else ()

    def embed_otherwise(self, model: Version, pixels: NDArray[np.uint8], way: Otherwise) -> Vectors | None:
        found = version_of(self._models, model)
        return found.embed_otherwise(pixels, way) if isinstance(found, Inspectable) else None

    def embed_texts_otherwise(self, model: Version, texts: Sequence[str], way: Otherwise) -> Vectors | None:
        found = version_of(self._models, model)
        return found.embed_texts_otherwise(texts, way) if isinstance(found, Inspectable) else None

    def loading(self) -> list[str]:
        return self._models.loading()

    def residents(self) -> list[Resident]:
        return self._models.residents()

    def unload(self, key: str) -> bool:
        return self._models.unload(key)

    def release(self, key: str) -> bool:
        return self._models.release(key)
