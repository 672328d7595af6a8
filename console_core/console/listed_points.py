"""The store's collections as what a catalog lists: the one place where the two rooms meet."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from console_core.catalog.points import ListedPoint
from console_core.errors import CatalogUnavailable, CollectionNotFound, StoreError
from console_core.vectorstore.provenance import application_payload, point_id, provenance
from console_core.vectorstore.types import Point, VectorStore


class StorePoints:
    """Points by the keys that they were written under, where those make their ids; otherwise by their ids as text."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def collection(self, name: str) -> str:
        with _translated(name):
            return self._store.aliases().get(name, name)

    def count(self, collection: str) -> int:
        with _translated(collection):
            return self._store.count(collection)

    def page(self, collection: str, after: str | None, limit: int) -> tuple[list[ListedPoint], bool]:
        behind = None if after is None else point_id(after)  # a key that a page had
        with _translated(collection):
            points, following = self._store.page(collection, after=behind, limit=limit)
        return [_listed(point) for point in points], following is not None

    def get(self, collection: str, keys: Sequence[str]) -> list[ListedPoint]:
        wanted = dict.fromkeys(keys)
        with _translated(collection):
            points = self._store.retrieve(collection, list(dict.fromkeys(map(point_id, filter(_is_text, wanted)))))
        return [listed for listed in map(_listed, points) if listed.key in wanted]

    def place(self, key: str) -> tuple[int, int]:
        if not _is_text(key):
            return 2, 0
        identifier = point_id(key)
        return (0, identifier) if isinstance(identifier, int) else (1, uuid.UUID(identifier).int)


def _listed(point: Point) -> ListedPoint:
    made = provenance(point.payload)
    own = made is not None and bool(made.key) and point_id(made.key) == point.id
    return ListedPoint(made.key if made and own else str(point.id), application_payload(point.payload))


def _is_text(key: str) -> bool:
    """Whether a point can have it: no lone surrogates."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except CollectionNotFound as error:
        raise CatalogUnavailable(
            f"The catalog is the collection {name}, and there is none.",
            "Name an existing collection or alias as location in [catalog].",
        ) from error
    except StoreError as error:
        raise CatalogUnavailable(f"The catalog is the collection {name}: {error.message}", error.remedy) from error
