"""The models that are in memory. Each is loaded once, however many threads ask for it."""

import threading
from concurrent.futures import Future

from console_core.embedding.device import release_memory
from console_core.embedding.folder import assembled
from console_core.embedding.openclip import load
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder


class LoadedModels:
    """Models by key, loaded onto one device when first asked for, kept until unloaded. Safe from several threads."""

    def __init__(self, cards: ModelCards, device: str = "auto") -> None:
        self.cards = cards
        self._device = device
        self._guard = threading.Lock()
        self._models: dict[str, Future[Embedder]] = {}

    def get(self, key: str) -> Embedder:
        """The model, loaded now if need be; threads that ask meanwhile wait for the same load and get the same error.

        A load that failed is tried anew by the next call.

        Raises:
            ModelUnknown: no such card, architecture or tag.
            ModelNotLoadable: its files are missing or wrong.
            DeviceOutOfMemory: it does not fit beside what is loaded.
        """
        card = self.cards.get(key)
        with self._guard:
            found = self._models.get(card.key)
            mine = found is None
            future = self._models.setdefault(card.key, Future()) if found is None else found
        if mine:
            try:
                future.set_result(load(card, self._device))
            except BaseException as error:
                with self._guard:
                    if self._models.get(card.key) is future:
                        del self._models[card.key]
                future.set_exception(error)
        return future.result()

    def check(self, key: str) -> None:
        """Look whether a model could be loaded from the files on this machine. Loads nothing, downloads nothing.

        Raises:
            ModelUnknown: no such card, architecture or tag.
            ModelNotLoadable: a file is missing.
        """
        with assembled(self.cards.get(key), download=False):
            pass

    def resident(self) -> list[str]:
        """Keys of the models in memory."""
        with self._guard:
            return [key for key, future in self._models.items() if future.done()]

    def loading(self) -> list[str]:
        """Keys of the models that are being loaded at this moment."""
        with self._guard:
            return [key for key, future in self._models.items() if not future.done()]

    def unload(self, key: str) -> bool:
        """Forget a model, so that its memory is freed once nobody uses it; False where it was not loaded."""
        card = self.cards.get(key)
        with self._guard:
            found = self._models.pop(card.key, None)
        if found is None:
            return False
        del found
        release_memory()
        return True
