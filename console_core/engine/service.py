"""What an engine process answers beside its pipelines: the models themselves."""

from typing import Protocol

from console_core.embedding.types import Embedder


class Models(Protocol):
    """Models by key; each is loaded when first asked for."""

    def get(self, key: str) -> Embedder: ...


class Service:
    """Calls by name, see `engine.process.EngineProcess.call`."""

    def __init__(self, models: Models) -> None:
        self._models = models
