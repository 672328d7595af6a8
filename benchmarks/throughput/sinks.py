"""Where vectors go: a real store, or one that acknowledges and forgets."""

from collections.abc import Sequence
from typing import Any, cast

from console_core.settings import StoreSettings
from console_core.vectorstore.opening import open_store
from console_core.vectorstore.types import CollectionSpec, Point, StoreInfo, VectorStore


class Nothing:
    """A store that keeps nothing, so that nothing but the pipeline is measured."""

    def info(self) -> StoreInfo:
        return StoreInfo("none", "nowhere", "")

    def create(self, name: str, spec: CollectionSpec) -> None:
        return

    def drop(self, name: str) -> None:
        return

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        return len(points)

    def close(self) -> None:
        return


def sink(wanted: str) -> VectorStore:
    """`none`, or a store by the URL that console.toml would name."""
    if wanted == "none":
        return cast(VectorStore, cast(Any, Nothing()))
    return open_store(StoreSettings(url=wanted))
