"""The collections of an edge store, inside the engine's process: made, described, dropped, opened when first used."""

import shutil
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from console_core.errors import CollectionExists, StoreRefused
from console_core.vectorstore import refusals
from console_core.vectorstore.edge_folder import EdgeFolder, room_for
from console_core.vectorstore.edge_index import Indexing
from console_core.vectorstore.edge_registry import Entry
from console_core.vectorstore.edge_shard import Shard
from console_core.vectorstore.edge_words import index_in_force, shard_config
from console_core.vectorstore.provenance import application_payload
from console_core.vectorstore.types import CollectionInfo, CollectionSpec, ModelStamp, PointId

SAMPLE = 64
"""Points that the payload fields of a collection are read from."""


class EdgeCollections:
    """`entries` and `aliases` are the registry's, as they stand."""

    def __init__(self, folder: EdgeFolder) -> None:
        self._folder, self._registry = folder, folder.registry
        self._open: dict[str, Shard] = {}
        self._left: list[Path] = []
        self._indexing = Indexing(folder)
        self._read()

    def _read(self) -> None:
        self.entries = self._registry.collections()
        self.aliases = self._registry.aliases()

    def real(self, name: str) -> str:
        """The collection that a name means."""
        found = self.aliases.get(name, name)
        if found not in self.entries:
            raise refusals.not_found(name, self._folder.place)
        return found

    def entry(self, name: str) -> Entry:
        return self.entries[self.real(name)]

    def shard(self, name: str) -> Shard:
        """A collection's shard, opened where it was not yet."""
        entry = self.entry(name)
        if entry.name not in self._open:
            self._open[entry.name] = Shard(self._folder.shards / entry.shard, entry.spec)
        return self._open[entry.name]

    def writing(self, name: str, ids: Sequence[PointId]) -> Shard:
        """A collection's shard, into which points with these ids are about to be written, or deleted from it."""
        shard = self.shard(name)
        self._indexing.written(self.real(name), ids)
        return shard

    def must_be_collection(self, name: str) -> None:
        if name in self.entries:
            return
        if name in self.aliases:
            raise refusals.is_an_alias(name, self.aliases[name])
        raise refusals.not_found(name, self._folder.place)

    def described(self, name: str) -> CollectionInfo:
        entry, shard = self.entries[name], self.shard(name)
        (_, _, _, payloads), _ = shard.page(None, SAMPLE, False)
        return CollectionInfo(
            name=name,
            dimension=entry.spec.dimension,
            distance=entry.spec.distance,
            points=shard.count(),
            status=self._indexing.status(entry, shard),
            stamp=entry.spec.stamp,
            aliases=tuple(sorted(alias for alias, target in self.aliases.items() if target == name)),
            index=index_in_force(entry.spec),
            quantization=entry.spec.quantization,
            payload_fields=tuple(sorted({key for payload in payloads for key in application_payload(payload)})),
            vector_name=entry.spec.vector_name,
            index_deferred=entry.deferred,
        )

    def create(self, name: str, spec: CollectionSpec) -> None:
        """The name counts once the shard is there: a crash between leaves a folder that the next opening deletes."""
        target = self.aliases.get(name)
        if target or name in self.entries:
            what = f'an alias of "{target}"' if target else "a collection already"
            raise CollectionExists(f'"{name}" is {what}.', "Choose another name; nothing was changed.")
        room_for(self._folder, 0)
        identifier = uuid.uuid4().hex
        self._registry.begin(name, identifier, spec)
        path = self._folder.shards / identifier
        try:
            path.mkdir()
            shard = Shard(path, spec, new=True)
        except BaseException as error:
            self._registry.forget(name)
            shutil.rmtree(path, ignore_errors=True)
            if isinstance(error, TypeError | KeyError):
                raise _not_this_engines(error) from error
            raise
        self._registry.finish(name)
        self._open[name] = shard
        self._read()

    def drop(self, name: str) -> None:
        self.must_be_collection(name)
        pointing = sorted(alias for alias, target in self.aliases.items() if target == name)
        if pointing:
            raise refusals.searched_through(name, pointing)
        shard = self.entries[name].shard
        self._indexing.abandon(name)
        if (opened := self._open.pop(name, None)) is not None:
            opened.close()
        self._registry.forget(name)
        self._read()
        self._left.append(self._folder.shards / shard)

    def stamp(self, name: str, stamp: ModelStamp) -> None:
        self._changed(lambda: self._registry.stamp(self.real(name), stamp))

    def defer(self, name: str, deferred: bool) -> None:
        real = self.real(name)
        if deferred and real in self.aliases.values():  # searches of it must stay as fast as they are
            return
        self._changed(lambda: self._registry.defer(real, deferred))
        if not deferred:
            self._indexing.at_once(real)

    def point(self, alias: str, to: str) -> None:
        self._changed(lambda: self._registry.point(alias, to))

    def _changed(self, change: Callable[[], None]) -> None:
        try:
            change()
        finally:
            self._read()

    def settle(self) -> None:
        """Write everything out, and delete the files of what is gone: large ones take their time."""
        for shard in self._open.values():
            shard.flush()
        for path in self._left:
            shutil.rmtree(path, ignore_errors=True)  # what stays is deleted at the next opening
        self._left.clear()

    def tend_index(self) -> None:
        """Begin to index what is due, and take over what has been indexed."""
        for name, shard in list(self._open.items()):
            built = self._indexing.tend(self.entries[name], shard)
            if built is None:
                continue
            self._open[name] = built
            self._read()
            shard.close()
            self._left.append(shard.folder)

    def close(self) -> None:
        self._indexing.close()
        self.settle()
        for shard in self._open.values():
            shard.close()


def refusal(spec: CollectionSpec) -> StoreRefused | None:
    """Why the engine has no such collection; None where nothing speaks against it."""
    try:
        shard_config(spec)
    except (TypeError, KeyError, ValueError) as error:
        return _not_this_engines(error)
    return None


def _not_this_engines(error: Exception) -> StoreRefused:
    return StoreRefused(
        f"These settings are not those of this engine: {error}.",
        "Use m, ef_construct, full_scan_threshold, and int8, product, binary or turbo.",
    )
