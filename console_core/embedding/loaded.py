"""The models that are in memory. Each is loaded once, however many threads ask, and goes when nobody needs it."""

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from console_core.embedding.batch_size import BatchSizes
from console_core.embedding.device import place, release_memory
from console_core.embedding.embedder import TorchEmbedder
from console_core.embedding.folder import assembled
from console_core.embedding.loading import load
from console_core.embedding.memory import Memory, memory_of
from console_core.embedding.precision import Wanted
from console_core.embedding.registry import ModelCards
from console_core.embedding.types import Embedder, ModelCard
from console_core.errors import DeviceOutOfMemory, ModelNotLoadable

UNLOAD_AFTER = 900
"""Seconds without use after which a model leaves the memory."""
_RESTED = 60
"""Where memory is short, a model stays for so many seconds after its last use unless another one is to be loaded."""
_LOADING = 2
"""So many times its file's size a model takes while it is loaded: as the file has it, and as the device wants it."""


@dataclass(frozen=True, slots=True)
class Resident:
    """A model in memory, for people. `device` says the precision too, `memory` are bytes, `idle` seconds since its last
    use, None while it is used."""

    card: ModelCard
    device: str
    memory: int
    batch: int
    passes: int
    idle: float | None
    notes: tuple[str, ...]


class Models(Protocol):
    """Models by key, wherever they are; every method does what that of `LoadedModels` does."""

    cards: ModelCards
    unload_after: float

    def get(self, key: str) -> Embedder: ...

    def check(self, key: str) -> None: ...

    def resident(self) -> list[str]: ...

    def loading(self) -> list[str]: ...

    def residents(self) -> list[Resident]: ...

    def unload(self, key: str) -> bool: ...

    def release(self, key: str) -> bool: ...

    def close(self) -> None: ...


class LoadedModels:
    """Models by key, one copy of each on one device, loaded when first asked for. Safe from several threads.

    One that was not used for `unload_after` seconds (0: never) leaves the memory; where memory gets short the one that
    was not used for longest leaves it first. A model that anybody still holds is in use: it stays.
    """

    def __init__(
        self,
        cards: ModelCards,
        device: str = "auto",
        *,
        precision: Wanted = "auto",
        unload_after: float = UNLOAD_AFTER,
        cache: Path | None = None,
        memory: Callable[[str], Memory] = memory_of,
    ) -> None:
        """`cache` is a folder in which batch sizes that suited the device are remembered."""
        self.cards = cards
        self.unload_after = unload_after
        self._device, self._precision = device, precision
        self._sizes = BatchSizes(cache / "batch_sizes.json" if cache else None)
        self._memory = memory
        self._guard = threading.Lock()
        self._models: dict[str, Future[TorchEmbedder]] = {}
        self._closing = threading.Event()
        self._watch: threading.Thread | None = None
        self._placed = "cpu"

    def get(self, key: str) -> Embedder:
        """The model, loaded now if need be; threads that ask meanwhile wait for the same load and get the same error.

        It stays in memory as long as the caller holds it. A load that failed is tried anew by the next call.

        Raises:
            ModelUnknown: no such card, architecture or tag.
            ModelNotLoadable: its files are missing or wrong.
            DeviceOutOfMemory: it does not fit beside what is in use.
            DeviceLost: the device does not work any more.
        """
        return self._got(key)

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

    def residents(self) -> list[Resident]:
        """What is known of the models in memory."""
        with self._guard:
            return [_resident(future.result()) for future in self._models.values() if _is_loaded(future)]

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

    def tidy(self) -> list[str]:
        """Let go of models that were not used for long, and of more where memory is short; their keys."""
        idle = [key for key, unused in self._unused() if 0 < self.unload_after <= unused]
        return [*filter(self.release, idle), *self._make_room(0, rested=_RESTED)]

    def release(self, key: str) -> bool:
        """Forget a model unless somebody holds it: then nothing would be freed, and a second copy be loaded."""
        key = self.cards.get(key).key
        with self._guard:
            future = self._models.get(key)
            if future is None or not _is_loaded(future):
                return False
            del self._models[key]
            left = weakref.ref(future.result())
            del future
            held = left()
            if held is not None:
                self._models[key] = Future()
                self._models[key].set_result(held)
                return False
        release_memory()
        return True

    def close(self) -> None:
        """Look no more after what is unused. Models stay, and can still be had."""
        self._closing.set()
        if self._watch is not None:
            self._watch.join()

    def _got(self, key: str) -> TorchEmbedder:
        card = self.cards.get(key)
        with self._guard:
            found = self._models.get(card.key)
            mine = found is None
            future = self._models.setdefault(card.key, Future()) if found is None else found
        if mine:
            try:
                future.set_result(self._load(card))
            except BaseException as error:
                with self._guard:
                    if self._models.get(card.key) is future:
                        del self._models[card.key]
                future.set_exception(error)
            else:
                self._begin_watch()
        embedder = future.result()
        embedder.use.touch()
        return embedder

    def _load(self, card: ModelCard) -> TorchEmbedder:
        placement = place(self._device, self._precision)
        self._placed = placement.device
        self._make_room(_LOADING * _size(card))
        try:
            return load(card, placement, sizes=self._sizes)
        except DeviceOutOfMemory:
            if not [key for key, _ in self._unused() if self.release(key)]:
                raise
        return load(card, placement, sizes=self._sizes)

    def _make_room(self, wanted: int, rested: float = 0) -> list[str]:
        """Let go of unused models, the longest unused first, until so much is available beside the reserve."""
        gone: list[str] = []
        for key, unused in self._unused():
            memory = self._memory(self._placed)
            if unused < rested or memory.available >= wanted + memory.reserve:
                break
            if self.release(key):
                gone.append(key)
        return gone

    def _unused(self) -> list[tuple[str, float]]:
        """Keys of loaded models that nothing is asked of, and for how long, the longest unused first."""
        with self._guard:
            found = [(key, future.result().use.idle) for key, future in self._models.items() if _is_loaded(future)]
        return sorted(((key, idle) for key, idle in found if idle is not None), key=lambda one: -one[1])

    def _begin_watch(self) -> None:
        with self._guard:
            if self.unload_after and self._watch is None and not self._closing.is_set():
                arguments = (weakref.ref(self), self._closing, min(30.0, self.unload_after / 4))
                self._watch = threading.Thread(target=_watch, args=arguments, name="models", daemon=True)
                self._watch.start()


def _watch(models: "weakref.ref[LoadedModels]", closing: threading.Event, interval: float) -> None:
    """Tidy now and then, until the models are closed or gone."""
    while not closing.wait(interval):
        known = models()
        if known is None:
            return
        known.tidy()
        del known


def _is_loaded(future: "Future[TorchEmbedder]") -> bool:
    return future.done() and future.exception() is None


def _resident(embedder: TorchEmbedder) -> Resident:
    return Resident(
        embedder.card,
        embedder.device,
        embedder.memory,
        embedder.batch,
        embedder.passes,
        embedder.use.idle,
        embedder.notes,
    )


def _size(card: ModelCard) -> int:
    """Bytes of a model's file; 0 where it is not on this machine yet."""
    try:
        with assembled(card, download=False) as folder:
            return folder.weights.stat().st_size if folder.weights else 0
    except (ModelNotLoadable, OSError):
        return 0
