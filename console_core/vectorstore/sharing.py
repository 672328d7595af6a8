"""Stores in which a collection can be one of several vectors that the same points have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from console_core.errors import StoreError
from console_core.vectorstore.types import VectorStore

AT = "@"
"""Between the names of a collection and of its vector."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """A collection whose points also have other vectors, there or yet to be made.

    It is the vector `vector` of the store's own collection `home`; for the name under which one is searched it is that
    one. `left_alone` are vectors of `home` that the console neither reads nor writes. `refused` says why the store
    cannot add or drop a vector there, None where nothing is known that speaks against it. `embedded`: the store is one
    in this process, and no server.
    """

    home: str
    vector: str
    left_alone: tuple[str, ...]
    refused: StoreError | None
    embedded: bool


@runtime_checkable
class SharesPoints(Protocol):
    """A store that has such collections."""

    def sharing(self, name: str) -> Sharing | None:
        """What a collection of this name, an alias too, shares its points with; None where it has points of its own.

        Raises:
            StoreError
        """
        ...


def splits(name: str) -> Iterator[tuple[str, str]]:
    """The ways to read a name as that of a collection and of its vector, the longest collection first."""
    at = len(name)
    while (at := name.rfind(AT, 0, at)) > 0:
        yield name[:at], name[at + 1 :]


def sharing_of(store: VectorStore, name: str) -> Sharing | None:
    """The same of any store.

    Raises:
        StoreError
    """
    return store.sharing(name) if isinstance(store, SharesPoints) else None
