"""The words of the vector store: points, collections, and the protocol that every store fulfils."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from console_core.errors import StoreError
from console_core.vectorstore.store_info import StoreInfo as StoreInfo
from console_core.vectorstore.ways import Search

PointId = int | str
"""An unsigned integer below 2**63, or a UUID in its canonical lower-case form."""

Vector = NDArray[np.float32]
"""Shape (dimension,), float32."""

Payload = Mapping[str, Any]

REQUEST = 256
"""Points in one request to a store, for writing and for reading."""


@dataclass(frozen=True, slots=True)
class Point:
    """One vector with what belongs to it. `vector` is None where it was not asked for."""

    id: PointId
    vector: Vector | None
    payload: Payload


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer to a search: the higher the score, the nearer."""

    id: PointId
    score: float
    payload: Payload


@dataclass(frozen=True, slots=True)
class ModelStamp:
    """Which model made a collection: the card's key and the fingerprint's digest.

    `preprocess` is the mode in which its pictures were decoded and resized (exact, fast, turbo), "" where that is not
    recorded. It makes no other model: vectors of all modes may meet in one search.
    """

    model: str
    fingerprint: str
    preprocess: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """What a new collection shall be. `index` and `quantization` are the store's own settings as plain data.

    `vector_name` is "" for the usual unnamed vector.
    """

    dimension: int
    distance: str = "cosine"
    stamp: ModelStamp | None = None
    index: Mapping[str, Any] = field(default_factory=dict)
    quantization: Mapping[str, Any] = field(default_factory=dict)
    vector_name: str = ""


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """What a collection is.

    `points` is exact. `vector_name` is "" for the usual unnamed vector. `status` is the store's own word (green,
    yellow, grey, red). `index` and `quantization` are in force, not merely accepted: empty where the store has
    none. `payload_fields` come from a sample of points. `problem` says why the collection cannot be migrated as it
    stands (it also has sparse vectors, for example), and is "" where it can. `limits` are those that the store enforces
    on requests to it (`max_points_count`, `upsert_max_batchsize`, …); empty where it enforces none. `index_deferred`:
    what is written is not indexed until `restore_index`; `index` are then the settings that will be in force again.
    `wished_index` and `wished_quantization` are what it was made with, from a store that notes more than it can put in
    force; empty from the others.
    """

    name: str
    dimension: int
    distance: str
    points: int
    status: str
    stamp: ModelStamp | None
    aliases: tuple[str, ...]
    index: Mapping[str, Any]
    quantization: Mapping[str, Any]
    payload_fields: tuple[str, ...]
    vector_name: str = ""
    problem: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)
    index_deferred: bool = False
    wished_index: Mapping[str, Any] = field(default_factory=dict)
    wished_quantization: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outline:
    """What a search must know of a collection."""

    name: str
    dimension: int
    distance: str
    stamp: ModelStamp | None


class VectorStore(Protocol):
    """A place that keeps collections. Safe to use from several threads.

    Some stores have collections that share their points with others (see `sharing`). There a point of one collection is
    a vector, with the payload that was written with it; what others have of that point stays as it is.

    Wherever a collection's name is asked for, an alias will do, except in `create`, `drop` and as the target of
    `set_alias`. All vendor errors arrive as `StoreError` with a remedy.
    """

    def info(self) -> StoreInfo:
        """What is known of the store now; asks nobody, so it neither waits nor fails. `collections` learns more."""
        ...

    def collections(self) -> list[CollectionInfo]:
        """All collections, by name."""
        ...

    def describe(self, name: str) -> CollectionInfo:
        """One collection; its `name` is the real one where an alias was given.

        Raises:
            CollectionNotFound
        """
        ...

    def outline(self, name: str) -> Outline:
        """A part of what `describe` says, and raises; where there is a stamp, no point is counted or read for it."""
        ...

    def aliases(self) -> dict[str, str]:
        """Alias → collection."""
        ...

    def create(self, name: str, spec: CollectionSpec) -> None:
        """Make an empty collection.

        Raises:
            CollectionExists: the name is a collection's or an alias'.
        """
        ...

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        """Record which model made a collection."""
        ...

    def drop(self, name: str) -> None:
        """Delete a collection and its points.

        Raises:
            AliasConflict: an alias points to it.
        """
        ...

    def defer_index(self, name: str) -> None:
        """Do not index what is written from now on, so that a large load is fast; harmless where that is so already.

        The settings in force are noted with the collection itself, so that any process can restore them later, also
        after a crash. Searches stay right, and may be slow. Nothing is deferred where the store has no index or could
        not keep the note, and where an alias leads to the collection: `CollectionInfo.index_deferred` tells.

        Raises:
            CollectionNotFound, StoreRefused, StoreUnavailable
        """
        ...

    def restore_index(self, name: str) -> None:
        """Put the index settings in force again that `defer_index` noted, and have the index built.

        Harmless where nothing is deferred, and when it is done twice. A store that builds in the background returns at
        once; another returns when the index stands, which may take minutes.

        Raises:
            CollectionNotFound, StoreFull, StoreRefused, StoreUnavailable: still deferred; ask again.
        """
        ...

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        """Write points, replacing those with the same id; returns how many were acknowledged as durable.

        Vectors are checked (finite, not zero, the collection's length) and normalised to float32 of length 1
        before anything is written. With `as_is`, for giving back what was stored before, they are written as they
        are: of any length in space, zero too, and where the collection's vector has a name a point may lack it.

        Raises:
            VectorInvalid, DimensionMismatch, StoreFull, StoreRefused, StoreUnavailable
        """
        ...

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        """Delete points; ids without a point are passed over. Returns once the store acknowledged it as durable.

        Raises:
            StoreRefused, StoreUnavailable
        """
        ...

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        """Those of the points that exist, in the order asked for."""
        ...

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = 256, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        """A page of points in id order, and the `after` of the next page (None on the last)."""
        ...

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = 256) -> Iterator[Point]:
        """All points, page by page."""
        ...

    def count(self, name: str) -> int:
        """The exact number of points."""
        ...

    def search(
        self,
        name: str,
        vector: Vector,
        *,
        limit: int = 10,
        where: Mapping[str, Sequence[Any]] | None = None,
        way: Search = Search.USUAL,
    ) -> list[Hit]:
        """The nearest points, best first; `where` keeps points whose payload field has one of the values.

        `way` is how they are looked for; `Search.EXACT` finds what comparing every vector finds, in every store.

        Raises:
            DimensionMismatch: the query vector has another length.
        """
        ...

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        """Point an alias to a collection in one atomic call, after checking that it now points to `expected`
        (None: that it does not exist), and read it back.

        Raises:
            AliasConflict: it points elsewhere, or bears a collection's name.
            CollectionNotFound: there is no collection `to`.
        """
        ...

    def refuses_writes(self, name: str) -> StoreError | None:
        """Why a collection, there or yet to be made, could not be written: as far as it can be known without a write.

        None where nothing is known that speaks against it.
        """
        ...

    def refuses_spec(self, spec: CollectionSpec) -> StoreError | None:
        """Why no collection can be made to this specification: as far as it can be known without making one.

        None where nothing is known that speaks against it.
        """
        ...

    def size_on_disk(self) -> int | None:
        """Bytes that the store takes on this machine's disk; None where it cannot be known."""
        ...

    def close(self) -> None: ...
