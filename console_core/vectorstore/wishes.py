"""Settings that a store noted but could not put in force: another store may."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from console_core.vectorstore.types import CollectionInfo, VectorStore

Settings = Mapping[str, Any]


@runtime_checkable
class NotesWishes(Protocol):
    """A store that keeps what index and quantization a collection was made with, without having them."""

    def wishes(self, name: str) -> tuple[Settings, Settings]:
        """The index and the quantization that were wished for; empty where none were."""
        ...


def settings_of(store: VectorStore, info: CollectionInfo) -> tuple[Settings, Settings]:
    """Index and quantization of a collection: in force, or else wished for."""
    if isinstance(store, NotesWishes):
        index, quantization = store.wishes(info.name)
        return info.index or index, info.quantization or quantization
    return info.index, info.quantization
