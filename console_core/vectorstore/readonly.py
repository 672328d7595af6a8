"""A store that cannot be changed, for dry runs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from console_core.errors import StoreError, StoreReadOnly
from console_core.vectorstore.sharing import Sharing, sharing_of
from console_core.vectorstore.switching import AnnouncesSwitch, Switching
from console_core.vectorstore.types import (
    CollectionInfo,
    CollectionSpec,
    Hit,
    ModelStamp,
    Outline,
    Point,
    PointId,
    StoreInfo,
    Vector,
    VectorStore,
)
from console_core.vectorstore.ways import Search


class ReadOnlyStore:
    """Another store, without its writes: each raises `StoreReadOnly` and changes nothing."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def info(self) -> StoreInfo:
        return self._store.info()

    def collections(self) -> list[CollectionInfo]:
        return self._store.collections()

    def describe(self, name: str) -> CollectionInfo:
        return self._store.describe(name)

    def outline(self, name: str) -> Outline:
        return self._store.outline(name)

    def aliases(self) -> dict[str, str]:
        return self._store.aliases()

    def create(self, name: str, spec: CollectionSpec) -> None:
        _refuse(f'create the collection "{name}"')

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        _refuse(f'stamp the collection "{name}"')

    def drop(self, name: str) -> None:
        _refuse(f'drop the collection "{name}"')

    def defer_index(self, name: str) -> None:
        _refuse(f'defer the index of "{name}"')

    def restore_index(self, name: str) -> None:
        _refuse(f'restore the index of "{name}"')

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        _refuse(f'write {len(points):,} points to "{name}"')

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        _refuse(f'delete {len(ids):,} points of "{name}"')

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        return self._store.retrieve(name, ids, vectors=vectors)

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = 256, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        return self._store.page(name, after=after, limit=limit, vectors=vectors)

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = 256) -> Iterator[Point]:
        return self._store.scroll(name, vectors=vectors, page_size=page_size)

    def count(self, name: str) -> int:
        return self._store.count(name)

    def search(
        self,
        name: str,
        vector: Vector,
        *,
        limit: int = 10,
        where: Mapping[str, Sequence[Any]] | None = None,
        way: Search = Search.USUAL,
    ) -> list[Hit]:
        return self._store.search(name, vector, limit=limit, where=where, way=way)

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        _refuse(f'point the alias "{alias}" to "{to}"')

    def switching(self, alias: str) -> Switching | None:
        return self._store.switching(alias) if isinstance(self._store, AnnouncesSwitch) else None

    def sharing(self, name: str) -> Sharing | None:
        return sharing_of(self._store, name)

    def refuses_writes(self, name: str) -> StoreError | None:
        return self._store.refuses_writes(name)

    def refuses_spec(self, spec: CollectionSpec) -> StoreError | None:
        return self._store.refuses_spec(spec)

    def size_on_disk(self) -> int | None:
        return self._store.size_on_disk()

    def close(self) -> None:
        """Nothing: the store belongs to whoever opened it."""


def _refuse(what: str) -> NoReturn:
    raise StoreReadOnly(f"This is a dry run: it may not {what}.", "Start the run itself to make changes.")
