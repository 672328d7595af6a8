"""The words of the catalog: a row, a slice of rows, and the two protocols that a catalog and an image store fulfil."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, Self

JsonValue = str | int | float | bool | list[Any] | dict[str, Any] | None
UNTOLD = 1024 * 1024
"""Bytes of a picture that an image store may read before anybody could know how many there are."""


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One picture that the catalog says exists.

    `key` identifies it for ever and orders the catalog. `candidates` are its paths, the one to try first leading.
    `revision` changes whenever the row says that the picture or its payload changed. `payload` is what a point
    of this picture carries for the application that searches. `facets` are the values that a slice filters it by.
    """

    key: str
    candidates: tuple[str, ...]
    payload: Mapping[str, JsonValue]
    revision: str
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """A subset of a catalog: rows whose facets have one of the given values, optionally only these keys.

    A facet value is text; a NULL in the catalog is the facet value "".
    """

    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[str, ...] | None = None

    @property
    def is_everything(self) -> bool:
        return not self.filters and self.keys is None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The slice from what `dataclasses.asdict` and JSON made of it."""
        filters = {facet: tuple(values) for facet, values in data["filters"].items()}
        return cls(filters, None if data["keys"] is None else tuple(data["keys"]))


EVERYTHING = Slice()


@dataclass(frozen=True, slots=True)
class CatalogInfo:
    """What a person wants to know about a catalog. `facets` are the names that a slice may filter by; `tenant` is the
    one of them that says whose a picture is, "" where none does, and `updated_at` the column that tells edits, "" where
    none does."""

    kind: str
    location: str
    facets: tuple[str, ...]
    details: Mapping[str, str]
    tenant: str = ""
    updated_at: str = ""


class ImageCatalog(Protocol):
    """A read-only, ordered list of pictures. Safe to use from several threads. Memory is bounded by one page."""

    def info(self) -> CatalogInfo: ...

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of rows in the slice, optionally of those behind a key."""
        ...

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Rows in ascending key order, strictly behind `after`, read page by page by key and never by offset."""
        ...

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The rows of these keys that exist, in the order asked for."""
        ...

    def check_keys(self) -> None:
        """Look at all keys: `rows` is complete only where none is missing and all are different and of one type.

        Raises:
            KeysUnusable: naming the first that are not.
            CatalogUnavailable
        """
        ...

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its values with their number of rows (at most 200 values a facet, the commonest)."""
        ...

    def close(self) -> None: ...


class ImageStore(Protocol):
    """Where bytes are. Safe to use from several threads. Picklable: another process opens another one of the same."""

    @property
    def location(self) -> str:
        """Where that is, for people."""
        ...

    @property
    def readers(self) -> int:
        """How many threads are worth reading from it at a time: few where each reads as fast as its disk gives, many
        where each mostly waits for an answer."""
        ...

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        """All bytes at a path. Before they are read, `make_room` is told how many, where that is known by then; else,
        once, the most that there may be.

        Raises:
            ImageMissing, ImageForbidden, ImageTooLarge, ImageTimeout, ImageUnavailable, ImageUnreadable,
            ImageUnsupported, ImageEmpty: this picture cannot be had. Its `path` is the one that was asked for.
        """
        ...

    def changed_at(self, path: str) -> datetime | None:
        """When what is at a path was last written or put there, in UTC; None where that cannot be told cheaply.

        A later moment does not mean that the bytes are others; an earlier one than a reading means that they are not.
        """
        ...

    def trouble(self, root: str) -> tuple[str, str]:
        """Why nothing can be read from a root, as the end of a sentence, and what to do; ("", "") where all is well.

        It asks the disk or the server, and waits for the answer.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Safe to call twice; nothing is read afterwards."""
        ...
