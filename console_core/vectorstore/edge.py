"""Qdrant's engine in a process of its own, in a folder: for 20,000 to a million points without a server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console_core.errors import CollectionNotFound, StoreError, StoreRefused, StoreUnavailable
from console_core.vectorstore import refusals
from console_core.vectorstore.edge_folder import RESERVE, copy_file, size_of
from console_core.vectorstore.edge_process import EdgeProcess
from console_core.vectorstore.embedded_folder import copied
from console_core.vectorstore.paging import pages
from console_core.vectorstore.sharing import AT, Sharing, splits
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.tuning import OF_QDRANT
from console_core.vectorstore.types import (
    REQUEST,
    CollectionInfo,
    CollectionSpec,
    Hit,
    ModelStamp,
    Outline,
    Payload,
    Point,
    PointId,
    StoreInfo,
    Vector,
)
from console_core.vectorstore.vectors import canonical, plain_vectors, successor, unit_query, unit_vectors
from console_core.vectorstore.ways import Search

CAPACITY = 1_000_000
"""Points in one collection, up to which it was measured."""

OUTGROWN = "Connect a Qdrant server: set url in [store] of console.toml to http://host:6333."
_MEMORY_PER_NUMBER, _DISK_PER_NUMBER = 5, 15
"""Bytes, measured: on the disk 5 to 7, and 15 to 18 while a collection is being indexed and its files are there three
times. The engine's own memory is small (118 MB for a million vectors of 512 numbers), but searches are quick only while
the vectors' files stay in the machine's memory."""

LIMITS = (
    f"It keeps at most {CAPACITY:,} points in a collection.",
    "Only one process can open it at a time.",
    "It answers one request at a time.",
    "A large collection is indexed 10 s after the last write, in the background: for minutes, with a second copy on "
    "the disk. Until then every search compares all vectors that are not indexed yet, which is exact and slower.",
    "It has no snapshots.",
    "A collection has one vector, and no named one is added beside it.",
    f"It stops writing when less than {RESERVE / 1e6:,.0f} MB of its disk are free.",
    "It does not notice when the disk gives back other bytes than were written; a verification does.",
    "What it acknowledged survives a crash of the process, but the last seconds may not survive a power cut.",
)
_NEARER_IS_LESS = frozenset({"euclid", "manhattan"})


class EdgeStore:
    """A whole `VectorStore` over the engine's process."""

    def __init__(self, folder: Path, traffic: Traffic | None = None, *, timeout: float = 30, dry: bool = False) -> None:
        """Open the folder, which is made if it is missing. `timeout` is in seconds for one answer.

        `dry` opens a copy of it instead, and deletes that when it is closed. What is told of the store is told of the
        folder itself.

        Raises:
            StoreUnavailable: another process has it open, or it cannot be read or written, or not be copied.
        """
        self._folder = folder
        self._place = f"The embedded store at {folder}"
        self._traffic = traffic or Traffic()
        with ExitStack() as opened:
            at = opened.enter_context(copied(folder, self._place, copy_file)) if dry else folder
            self._engine = EdgeProcess(at, self._place, timeout)
            self._copy = opened.pop_all()

    @property
    def engine_pid(self) -> int:
        """The engine's process; 0 where there is none at the moment."""
        return self._engine.pid

    def info(self) -> StoreInfo:
        return StoreInfo(
            kind="Qdrant Edge, embedded",
            location=str(self._folder),
            version=self._engine.version,
            limits=LIMITS,
            capacity=CAPACITY,
            embedded=True,
            answered=self._engine.answered,
            outgrown=OUTGROWN,
            memory_per_number=_MEMORY_PER_NUMBER,
            disk_per_number=_DISK_PER_NUMBER,
            quantizations=OF_QDRANT,
        )

    def collections(self) -> list[CollectionInfo]:
        found: list[CollectionInfo] = self._engine.ask("collections")
        return found

    def describe(self, name: str) -> CollectionInfo:
        found: CollectionInfo = self._engine.ask("describe", name)
        return found

    def outline(self, name: str) -> Outline:
        found: Outline = self._engine.ask("outline", name)
        return found

    def aliases(self) -> dict[str, str]:
        found: dict[str, str] = self._engine.ask("aliases")
        return found

    def create(self, name: str, spec: CollectionSpec) -> None:
        _refuse_unknown_settings(spec)
        self._engine.ask("create", name, spec)

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        self._engine.ask("stamp", name, stamp)

    def drop(self, name: str) -> None:
        self._engine.ask("drop", name)

    def defer_index(self, name: str) -> None:
        """Build no index until `restore_index`, so that a load has the machine and the disk for itself."""
        self._engine.ask("defer", name, True)

    def restore_index(self, name: str) -> None:
        """Have the index built in the background, beginning now."""
        self._engine.ask("defer", name, False)

    def upsert(self, name: str, points: Sequence[Point], *, as_is: bool = False) -> int:
        if not points:
            return 0
        ids = [canonical(point.id) for point in points]
        spec: CollectionSpec = self._engine.ask("room", name, ids, CAPACITY, OUTGROWN)
        bare = [point for point in points if as_is and spec.vector_name and point.vector is None]
        whole = [point for point in points if not bare or point.vector is not None]
        vectors = (plain_vectors if as_is else unit_vectors)(whole, spec.dimension, name)
        for start in range(0, len(whole), REQUEST):
            part = slice(start, start + REQUEST)
            self._write(name, whole[part], vectors[part])
        for start in range(0, len(bare), REQUEST):
            self._write(name, bare[start : start + REQUEST], None)
        return len(points)

    def _write(self, name: str, points: Sequence[Point], vectors: NDArray[np.float32] | None) -> None:
        ids = [canonical(point.id) for point in points]
        self._engine.ask("upsert", name, ids, vectors, [dict(point.payload) for point in points])

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        wanted = [canonical(identifier) for identifier in ids]
        for start in range(0, len(wanted), REQUEST):
            self._engine.ask("delete", name, wanted[start : start + REQUEST])

    def retrieve(self, name: str, ids: Sequence[PointId], *, vectors: bool = False) -> list[Point]:
        wanted = [canonical(identifier) for identifier in ids]
        found: dict[PointId, Point] = {}
        for start in range(0, max(len(wanted), 1), REQUEST):
            answer = self._engine.ask("retrieve", name, wanted[start : start + REQUEST], vectors)
            found.update((point.id, point) for point in _points(*answer))
        return [found[identifier] for identifier in wanted if identifier in found]

    def page(
        self, name: str, *, after: PointId | None = None, limit: int = REQUEST, vectors: bool = False
    ) -> tuple[list[Point], PointId | None]:
        # The engine's offset is the first id of the page itself, so the page starts at the next id that could exist.
        offset = None if after is None else successor(canonical(after))
        if after is not None and offset is None:
            return [], None
        answer, more = self._engine.ask("page", name, offset, limit, vectors)
        points = _points(*answer)
        return points, points[-1].id if points and more else None

    def scroll(self, name: str, *, vectors: bool = False, page_size: int = REQUEST) -> Iterator[Point]:
        return chain.from_iterable(pages(self, name, size=page_size, vectors=vectors))

    def count(self, name: str) -> int:
        return int(self._engine.ask("count", name))

    def search(
        self,
        name: str,
        vector: Vector,
        *,
        limit: int = 10,
        where: Mapping[str, Sequence[Any]] | None = None,
        way: Search = Search.USUAL,
    ) -> list[Hit]:
        spec = self._spec(name)
        query = unit_query(vector, spec.dimension, name)
        if limit < 1 or (where and not all(where.values())):
            return []
        with self._traffic.search():
            wanted = {field: list(values) for field, values in (where or {}).items()}
            found = self._engine.ask("search", name, query, limit, wanted, way)
        sign = -1.0 if spec.distance in _NEARER_IS_LESS else 1.0
        return [Hit(identifier, sign * score, payload) for identifier, score, payload in found]

    def set_alias(self, alias: str, to: str, *, expected: str | None) -> None:
        try:
            self._engine.ask("set_alias", alias, to, expected)
        except StoreUnavailable as error:  # it may have been done all the same
            try:
                done = self.aliases().get(alias) == to
            except StoreUnavailable as second:
                raise refusals.not_known(alias, to, second) from error
            if not done:
                raise

    def _spec(self, name: str) -> CollectionSpec:
        spec: CollectionSpec = self._engine.ask("spec", name)
        return spec

    def sharing(self, name: str) -> Sharing | None:
        """What a second named vector of a collection would be, which this store refuses."""
        for home, vector in splits(name):
            if self._there(home) and not self._there(name):
                refused = StoreRefused(
                    f"{self._place} keeps one vector for each point of a collection, so {home} cannot have {vector} "
                    "beside the one that it has.",
                    f'Build a parallel collection: give it a name that does not begin with "{home}{AT}".',
                )
                return Sharing(home, vector, (), refused, embedded=True)
        return None

    def _there(self, name: str) -> bool:
        try:
            self._spec(name)
        except CollectionNotFound:
            return False
        return True

    def refuses_writes(self, name: str) -> StoreError | None:
        return refusals.read_only((self._folder, self._folder / "registry.db", self._folder / "shards"), self._place)

    def refuses_spec(self, spec: CollectionSpec) -> StoreError | None:
        try:
            _refuse_unknown_settings(spec)
        except StoreRefused as error:
            return error
        found: StoreError | None = self._engine.ask("refuses_spec", spec)
        return found

    def size_on_disk(self) -> int | None:
        return size_of(self._folder)

    def close(self) -> None:
        """Close the folder for other processes, after the call that is under way."""
        with self._copy:
            self._engine.close()


def _refuse_unknown_settings(spec: CollectionSpec) -> None:
    """The engine's settings are those of a server: one place says what they may be."""
    from console_core.vectorstore import qdrant_words as words  # its client takes a second to import

    words.vector_params(spec)
    words.index_config(spec.index)
    words.quantization_config(spec.quantization)


def _points(
    ids: Sequence[PointId], rows: NDArray[np.float32] | None, has: Sequence[bool], payloads: Sequence[Payload]
) -> list[Point]:
    if rows is None:
        return [Point(identifier, None, payload) for identifier, payload in zip(ids, payloads, strict=True)]
    return [
        Point(identifier, row if there else None, payload)
        for identifier, row, there, payload in zip(ids, rows, has, payloads, strict=True)
    ]
