"""Qdrant inside this process, in a folder: for demos, tests and small collections.

The embedded engine is not made for several threads (it loses acknowledged points), forgets to normalise what it
loads, and accepts what a server refuses. So every call, reads included, goes through one lock, and everything is
checked and normalised before it is written.
"""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from qdrant_client import QdrantClient, models

from console_core.errors import StoreError, StoreFull, StoreUnavailable
from console_core.vectorstore import qdrant_words as words
from console_core.vectorstore import refusals
from console_core.vectorstore.embedded_folder import alone, copied
from console_core.vectorstore.provenance import FIELD
from console_core.vectorstore.qdrant_errors import translated
from console_core.vectorstore.qdrant_named_writing import FillsVectors
from console_core.vectorstore.traffic import Traffic
from console_core.vectorstore.types import CollectionSpec, Point, PointId, StoreInfo
from console_core.vectorstore.vectors import canonical
from console_core.vectorstore.ways import Search

CAPACITY = 20_000
"""Points in one collection. Beyond it, opening takes seconds and memory grows out of proportion."""

OUTGROWN = (
    "Move to the larger embedded store, which is good for 1,000,000 points: stop the console and run "
    "`embedding-console store move --to edge:qdrant-edge --set`. Connect a Qdrant server for more points than that."
)
_MEMORY_PER_NUMBER, _DISK_PER_NUMBER = 80, 9
"""Bytes, measured: of memory at the moment when the store is opened again."""

LIMITS = (
    f"It keeps at most {CAPACITY:,} points in a collection.",
    "Only one process can open it at a time.",
    "It compares every vector: there is no index (HNSW) to tune, and index settings are only noted.",
    "It does not quantize; quantization settings are only noted.",
    "It has no snapshots.",
    "What it acknowledged survives a crash of the process, but the last seconds may not survive a power cut.",
)
_VERSION = version("qdrant-client")
"""Looked up once: a thread that looks while another one changes `sys.path` finds nothing."""
_UNTUNED = "This version of qdrant-client does not let the console tune its files: writing is slower by far."

T = TypeVar("T")


class QdrantEmbedded(FillsVectors):
    """The embedded engine in a folder, which is made if it is missing."""

    def __init__(self, folder: Path, traffic: Traffic | None = None, *, dry: bool = False) -> None:
        """Open the folder, reading all collections into memory.

        `dry` opens a copy of it instead, and deletes that when it is closed: opening makes files, folds logs in and
        clears out what other versions left. What is told of the store is told of the folder itself.

        Raises:
            StoreUnavailable: another process has it open, or it cannot be read or written, or not be copied.
        """
        self._folder = folder
        self._tuned = True
        self._closed = False
        place = f"The embedded store at {folder}"
        with ExitStack() as opened:
            at = opened.enter_context(copied(folder, place)) if dry else folder
            super().__init__(_open(at, place), place, traffic)
            self._copy = opened.pop_all()
        with self._alone:
            for name in self._names():
                self._tune(name)

    def _ask(self, call: Callable[[], T], *, name: str = "", again: bool = True) -> T:
        with self._alone:
            if self._closed:
                raise StoreUnavailable(f"{self._place} is closed.", "Open it again.")
            return super()._ask(call, name=name, again=again)

    def info(self) -> StoreInfo:
        return StoreInfo(
            kind="Qdrant, embedded",
            location=str(self._folder),
            version=_VERSION,
            limits=LIMITS if self._tuned else (*LIMITS, _UNTUNED),
            capacity=CAPACITY,
            embedded=True,
            answered=not self._closed,
            outgrown=OUTGROWN,
            memory_per_number=_MEMORY_PER_NUMBER,
            disk_per_number=_DISK_PER_NUMBER,
            indexed_up_to=0,
        )

    def create(self, name: str, spec: CollectionSpec) -> None:
        with self._alone:
            super().create(name, spec)
            if self._vector(name) is None:  # another vector of the same points stays as it is, to the last bit
                self._tune(name)

    def _settings(self, spec: CollectionSpec) -> dict[str, Any]:
        """Index and quantization settings are checked and noted; this engine would drop them silently."""
        words.index_config(spec.index)
        words.quantization_config(spec.quantization)
        noted = words.stamped(None, spec.stamp)[FIELD] if spec.stamp else {}
        wishes = {"index": dict(spec.index), "quantization": dict(spec.quantization)}
        noted |= {f"wished_{name}": wish for name, wish in wishes.items() if wish}
        return {"metadata": {FIELD: noted} if noted else None}

    def _wishes(self, metadata: Mapping[str, Any] | None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        noted = (metadata or {}).get(FIELD, {})
        return noted.get("wished_index", {}), noted.get("wished_quantization", {})

    def _index(self, config: models.CollectionConfig, vector_name: str) -> Mapping[str, Any]:
        return {}

    def _params(self, way: Search, config: models.CollectionConfig, vector_name: str) -> None:
        """Nothing: it compares every whole vector in any case."""

    def _quantization(self, config: models.CollectionConfig, vector_name: str) -> Mapping[str, Any]:
        return {}

    def _cannot_change_vectors(self) -> StoreError | None:
        return None

    @property
    def _tells_vectors(self) -> bool:
        return True

    def _make_room(self, name: str, ids: Sequence[PointId]) -> None:
        with self._alone:
            present, asked = self.count(name), set(ids)
            if present + len(asked) <= CAPACITY:
                return
            known = self._ask(lambda: self._client.retrieve(name, list(asked), with_payload=False), name=name)
            added = len(asked) - len(known)
            if added and present + added > CAPACITY:
                raise StoreFull(
                    f'"{name}" has {present:,} points and would get {added:,} more; the embedded store keeps at most '
                    f"{CAPACITY:,} in a collection.",
                    OUTGROWN,
                )

    def _write(self, name: str, points: Sequence[Point], vectors: models.BatchVectorStruct) -> None:
        with self._alone:
            self._make_room(name, [canonical(point.id) for point in points])
            super()._write(name, points, vectors)

    def defer_index(self, name: str) -> None:
        """Nothing: this engine has no index."""
        self._config(name)

    def restore_index(self, name: str) -> None:
        """Nothing: this engine has no index."""
        self._config(name)

    def refuses_writes(self, name: str) -> StoreError | None:
        collections, name = self._folder / "collection", self._collection_of(name)
        paths = (self._folder, collections, collections / name, collections / name / "storage.sqlite")
        return refusals.read_only(paths, self._place)

    def size_on_disk(self) -> int | None:
        return sum(_size(file) for file in self._folder.rglob("*"))

    def close(self) -> None:
        """Close the folder for other processes, after the call that is under way."""
        with self._alone:
            if not self._closed:
                self._closed = True
                with self._copy:
                    super().close()

    def _tune(self, name: str) -> None:
        """Write through a log instead of with four disk flushes a point, and mend what loading forgot.

        Both reach into the engine's private parts; where those have changed, the store works slower.
        """
        try:
            engine: Any = self._client._client
            collection = engine.collections[name]
            connection = collection.storage.storage
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            collection.LARGE_DATA_THRESHOLD = sys.maxsize  # the capacity is guarded here, without a warning
            for vector_name, params in collection.vectors_config.items():
                cosine = params.distance == models.Distance.COSINE
                collection.vectors[vector_name] = _as_written(collection.vectors[vector_name], cosine)
        except (AttributeError, KeyError, TypeError):
            self._tuned = False
        except Exception as error:
            raise translated(error, self._place, name) from error


def _open(folder: Path, place: str) -> QdrantClient:
    try:
        with alone(folder, place):  # the engine loads everything before it looks at its lock, and then gives up
            pass
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            # Calls come one at a time from any thread; some builds of SQLite would insist on the same thread.
            return QdrantClient(path=str(folder), force_disable_check_same_thread=True)
    except StoreError:
        raise
    except Exception as error:
        found = translated(error, place)
        if isinstance(found, StoreUnavailable | StoreFull):
            raise found from error
        raise StoreUnavailable(
            f"{place} cannot be opened: {error}.", "Restore the folder from a backup, or choose another one."
        ) from error


def _as_written(vectors: Any, cosine: bool) -> Any:
    """Float32 and, where the distance is the cosine, of length 1: a point reads the same before and after a restart.

    Rows that are not finite, which other writers may have left, become zero; they would rank first in every search.
    """
    rows = np.asarray(vectors, dtype=np.float32)
    rows[~np.isfinite(rows).all(axis=1)] = 0
    if cosine and len(rows):
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:  # a log that was folded in meanwhile
        return 0
