"""What a catalog asks of a collection whose payload tells which pictures there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class ListedPoint:
    """A point without its vector: the key of its picture, and what applications wrote on it."""

    key: str
    payload: Mapping[str, Any]


class ListedPoints(Protocol):
    """A store's collections as lists of pictures. Safe to use from several threads.

    Keys are those that the points were written under where they say so, and else the points' ids as text. Every error
    of the store arrives as CatalogUnavailable.
    """

    def collection(self, name: str) -> str:
        """The collection that a name, its own or an alias, leads to now."""
        ...

    def count(self, collection: str) -> int:
        """The exact number of points."""
        ...

    def page(self, collection: str, after: str | None, limit: int) -> tuple[list[ListedPoint], bool]:
        """Points in the store's order strictly behind a key, and whether there are more behind these."""
        ...

    def get(self, collection: str, keys: Sequence[str]) -> list[ListedPoint]:
        """Those of the points that exist, in the order asked for."""
        ...

    def place(self, key: str) -> tuple[int, int]:
        """Where the point of a key comes in the order of every collection: compare two."""
        ...
