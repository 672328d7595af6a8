"""The edge engine's process: it has the folder, its registry and its shards, and answers one request after the other.

A process of its own, because no call of the engine lets other threads run: inside the console each search would stop
every page. Started by `edge_process`; ends when the console does, however that ends.
"""

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from console_core.errors import ConsoleError, StoreFull, StoreRefused
from console_core.vectorstore import refusals
from console_core.vectorstore.edge_collections import EdgeCollections, refusal
from console_core.vectorstore.edge_errors import translated
from console_core.vectorstore.edge_folder import EdgeFolder, room_for
from console_core.vectorstore.edge_shard import Rows
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, Outline, Payload, PointId
from console_core.vectorstore.ways import Search

LOOK = 1.0
"""Seconds without a request after which the engine looks whether the console still lives and an index is due."""
IDLE = 3
"""Such looks without a request after which everything is written out, also against a power cut."""

_log = logging.getLogger(__name__)

Hits = list[tuple[PointId, float, Payload]]


class Engine:
    """What the console may ask for. Every public method is a request; arguments and answers are plain data."""

    def __init__(self, folder: EdgeFolder) -> None:
        self._folder = folder
        self._in = EdgeCollections(folder)

    def collections(self) -> list[CollectionInfo]:
        return [self._in.described(name) for name in self._in.entries]

    def describe(self, name: str) -> CollectionInfo:
        return self._in.described(self._in.real(name))

    def outline(self, name: str) -> Outline:
        spec = self._in.entry(name).spec
        return Outline(self._in.real(name), spec.dimension, spec.distance, spec.stamp)

    def spec(self, name: str) -> CollectionSpec:
        """What a collection was made as."""
        return self._in.entry(name).spec

    def aliases(self) -> dict[str, str]:
        return dict(self._in.aliases)

    def refuses_spec(self, spec: CollectionSpec) -> StoreRefused | None:
        return refusal(spec)

    def create(self, name: str, spec: CollectionSpec) -> None:
        self._in.create(name, spec)

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        self._in.stamp(name, stamp)

    def drop(self, name: str) -> None:
        self._in.drop(name)

    def defer(self, name: str, deferred: bool) -> None:
        self._in.defer(name, deferred)

    def set_alias(self, alias: str, to: str, expected: str | None) -> None:
        self._in.must_be_collection(to)
        if alias in self._in.entries:
            raise refusals.bears_a_name(alias, "this store")
        found = self._in.aliases.get(alias)
        if found != expected:
            raise refusals.not_expected(alias, found, expected)
        self._in.point(alias, to)
        read_back = self._in.aliases.get(alias)
        if read_back != to:
            raise refusals.moved_meanwhile(alias, to, read_back)

    def room(self, name: str, ids: Sequence[PointId], capacity: int, remedy: str) -> CollectionSpec:
        """What a collection was made as; refuses points beyond its capacity before any of them is written."""
        shard, asked = self._in.shard(name), set(ids)
        if shard.at_most() + len(asked) <= capacity:
            return shard.spec
        present = shard.count()
        added = len(asked) - len(shard.retrieve(list(asked), False)[0])
        if added and present + added > capacity:
            raise StoreFull(
                f'"{name}" has {present:,} points and would get {added:,} more; this store keeps at most {capacity:,} '
                "in a collection.",
                remedy,
            )
        return shard.spec

    def upsert(
        self, name: str, ids: Sequence[PointId], vectors: NDArray[np.float32] | None, payloads: Sequence[Payload]
    ) -> None:
        room_for(self._folder, 0 if vectors is None else vectors.nbytes)
        shard = self._in.writing(name, ids)
        shard.upsert(ids, vectors, payloads)

    def delete(self, name: str, ids: Sequence[PointId]) -> None:
        room_for(self._folder, 0)
        self._in.writing(name, ids).delete(ids)

    def retrieve(self, name: str, ids: Sequence[PointId], vectors: bool) -> Rows:
        return self._in.shard(name).retrieve(ids, vectors)

    def page(self, name: str, offset: PointId | None, limit: int, vectors: bool) -> tuple[Rows, bool]:
        return self._in.shard(name).page(offset, limit, vectors)

    def count(self, name: str) -> int:
        return self._in.shard(name).count()

    def search(
        self, name: str, vector: NDArray[np.float32], limit: int, where: Mapping[str, Sequence[Any]] | None, way: Search
    ) -> Hits:
        return self._in.shard(name).search(vector, limit, where, way)

    def _tend(self, looks: int) -> None:
        """What is done between requests. `looks` counts those in a row without one."""
        try:
            if looks == IDLE:
                self._in.settle()
            self._in.tend_index()
        except Exception:  # what was asked for is done; a disk that is full tells whoever writes next
            _log.exception("The edge store could not be tended.")

    def _close(self) -> None:
        self._in.close()


def serve(connection: Connection, folder: Path, place: str) -> None:
    """Answer requests until the console closes its end, or is gone.

    The first message says that the folder is open, or why not.
    """
    console = os.getppid()
    try:
        opened = EdgeFolder(folder, place)
        try:
            engine = Engine(opened)
        except BaseException:
            opened.close()
            raise
    except Exception as error:
        connection.send((False, translated(error, place, opening=True)))
        return
    try:
        connection.send((True, version("qdrant-edge-py")))
        _answer(connection, engine, place, lambda: os.getppid() == console)
    finally:
        engine._close()
        opened.close()


def _answer(connection: Connection, engine: Engine, place: str, console_lives: Callable[[], bool]) -> None:
    looks = 0
    while console_lives():
        try:
            if not connection.poll(LOOK):
                looks += 1
                engine._tend(looks)
                continue
            looks = 0
            method, arguments = connection.recv()
        except (EOFError, OSError):  # the console closed its end, or died
            return
        try:
            answer = (True, getattr(engine, method)(*arguments))
        except Exception as error:
            name = arguments[0] if arguments and isinstance(arguments[0], str) else ""
            answer = (False, error if isinstance(error, ConsoleError) else translated(error, place, name))
        try:
            connection.send(answer)
        except OSError:
            return
        engine._tend(looks)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # meant for the console, which ends us in its time
        signal.signal(number, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])), Path(sys.argv[2]), sys.argv[3])
