"""The models of an engine process, as those who ask for models see them: like models of this process."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from console_core.embedding.folder import assembled
from console_core.embedding.loaded import Resident
from console_core.embedding.preprocessing import Preprocessing
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder, Fingerprint, ModelCard, Pixels, Vectors
from console_core.embedding.wiring import Fact, Otherwise
from console_core.engine.messages import Version
from console_core.engine.process import EngineProcess
from console_core.engine.service import Facts
from console_core.errors import EngineStopped, NoTextTower


class EngineModels:
    """As `embedding.loaded.LoadedModels`, whose one copy of each model is in the engine process. What is held on this
    side keeps none in memory there: one that left it is loaded again when it is next asked.

    `get`, `unload` and `release` raise EngineStopped where the process dies meanwhile; the next call starts another.
    Looking at what is in memory starts none, and finds nothing where it died.
    """

    def __init__(self, cards: ModelCards, engine: EngineProcess, unload_after: float) -> None:
        self.cards = cards
        self.engine = engine
        self.unload_after = unload_after

    def get(self, key: str) -> Embedder:
        """The model, loaded there now if need be. Raises as `LoadedModels.get`."""
        facts: Facts = self.engine.call("facts", self.cards.get(key).key)
        return RemoteEmbedder(facts, self.engine)

    def check(self, key: str) -> None:
        """Look whether a model could be loaded from the files on this machine. Raises as `LoadedModels.check`."""
        with assembled(self.cards.get(key), download=False):
            pass

    def resident(self) -> list[str]:
        """Keys of the models in memory."""
        return [one.card.key for one in self.residents()]

    def loading(self) -> list[str]:
        """Keys of the models that are being loaded at this moment."""
        loading: list[str] = self._known("loading")
        return loading

    def residents(self) -> list[Resident]:
        """What is known of the models in memory; there is none where no process runs."""
        residents: list[Resident] = self._known("residents")
        return residents

    def unload(self, key: str) -> bool:
        """Forget a model, so that its memory is freed once nobody uses it; False where it was not loaded."""
        return self.engine.pid is not None and bool(self.engine.call("unload", self.cards.get(key).key))

    def release(self, key: str) -> bool:
        """Forget a model unless somebody uses it."""
        return self.engine.pid is not None and bool(self.engine.call("release", self.cards.get(key).key))

    def close(self) -> None:
        """End the process."""
        self.engine.close()

    def _known(self, method: str) -> list:  # type: ignore[type-arg]
        """What the process says, without starting one to ask it."""
        if self.engine.pid is None:
            return []
        try:
            return list(self.engine.call(method))
        except EngineStopped:
            return []


class RemoteEmbedder:
    """A model in the engine process; see `embedding.types.Embedder`.

    Whoever holds it does not keep it in memory there. What it is asked after it was loaded anew with other weights
    raises FingerprintMismatch.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, facts: Facts, engine: EngineProcess) -> None:
        self._facts = facts
        self.engine = engine

    @property
    def card(self) -> ModelCard:
        return self._facts.card

    @property
    def fingerprint(self) -> Fingerprint:
        return self._facts.fingerprint

    @property
    def version(self) -> Version:
        return Version(self.card.key, self.fingerprint.digest)

    @property
    def device(self) -> str:
        return self._facts.device

    @property
    def preprocessing(self) -> Preprocessing:
        return self._facts.preprocessing

    @property
    def batch(self) -> int:
        """As it was when the model was asked for."""
        return self._facts.batch

    @property
    def largest_batch(self) -> int:
        return self._facts.largest_batch

    @property
    def passes(self) -> int:
        return self._facts.passes

    def slab(self, rows: int) -> NDArray[np.uint8]:
        size = self._facts.preprocessing
        return np.empty((rows, size.height, size.width, 3), dtype=np.uint8)

    def expect(self, pictures: int) -> None:
        """Nothing to prepare on this side."""

    def embed_images(self, pixels: Sequence[Pixels] | NDArray[np.uint8]) -> Vectors:
        if not len(pixels):
            return np.empty((0, self.card.dimension), dtype=np.float32)
        vectors: Vectors = self.engine.call("embed_images", self.version, np.asarray(pixels))
        return vectors

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        if not self.card.has_text:
            raise NoTextTower(f"{self.card.title} cannot embed texts.", "Search by picture, or choose another model.")
        if not len(texts):
            return np.empty((0, self.card.dimension), dtype=np.float32)
        vectors: Vectors = self.engine.call("embed_texts", self.version, list(texts))
        return vectors

    def wiring(self) -> tuple[Fact, ...]:
        facts: tuple[Fact, ...] = self.engine.call("wiring", self.version)
        return facts

    def embed_otherwise(self, pixels: Sequence[Pixels] | NDArray[np.uint8], way: Otherwise) -> Vectors | None:
        vectors: Vectors | None = self.engine.call("embed_otherwise", self.version, np.asarray(pixels), way)
        return vectors

    def embed_texts_otherwise(self, texts: Sequence[str], way: Otherwise) -> Vectors | None:
        vectors: Vectors | None = self.engine.call("embed_texts_otherwise", self.version, list(texts), way)
        return vectors
