"""The index of large collections: built beside them, in a process of its own, while they are searched and written.

The engine builds an index in one call that takes minutes and lets nothing else be done. So once a collection that
has many vectors without an index was left alone for a moment, its files are copied, a further process indexes the copy,
what was written meanwhile is written there too, and the copy takes the collection's place.
"""

import logging
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from console_core.own_process import started
from console_core.vectorstore.edge_folder import RESERVE, EdgeFolder, copy_file, files, size_of
from console_core.vectorstore.edge_registry import Entry
from console_core.vectorstore.edge_shard import Shard
from console_core.vectorstore.edge_words import index_in_force
from console_core.vectorstore.types import REQUEST, PointId

DUE_BYTES = 64_000_000
"""Of vectors without an index, from which on one is built: comparing fewer takes a few milliseconds."""
QUIET = 10.0
"""Seconds without a write after which the files are copied."""
CARRIED = 4 * REQUEST
"""Points that are brought into an indexed copy at a time: more than one request writes, and done long before the next
one's answer is given up."""
AGAIN_AFTER = 600.0
"""Seconds after which an index is built anew where its copy could not take the collection's place."""
_ROOM = 2.5
"""What is free on the disk before a copy is made, as a multiple of the shard."""

_BUILD = "console_core.vectorstore.edge_index_build"

_log = logging.getLogger(__name__)


class Indexing:
    """At most one copy at a time is being indexed. For the engine's thread."""

    def __init__(self, folder: EdgeFolder) -> None:
        self._folder = folder
        self._written: dict[str, float] = {}
        self._settled: dict[str, float] = {}
        self._building: dict[str, _Building] = {}

    def written(self, name: str, ids: Iterable[PointId]) -> None:
        """Take note of points that are about to be written or deleted."""
        self._written[name] = time.monotonic()
        if name in self._building:
            self._building[name].written(ids)

    def at_once(self, name: str) -> None:
        """Do not wait for a quiet moment, and try again where it failed before."""
        self._written[name] = float("-inf")
        self._settled.pop(name, None)

    def status(self, entry: Entry, shard: Shard) -> str:
        """The store's word: yellow while the index is being built, grey while it is wanting."""
        if entry.name in self._building:
            return "yellow"
        return "grey" if _wanting(entry, shard) else "green"

    def tend(self, entry: Entry, shard: Shard) -> Shard | None:
        """Begin what is due; the indexed shard once it has taken the collection's place, else None."""
        building = self._building.get(entry.name)
        if building is not None:
            if not building.over.is_set():
                return None
            if building.done:
                return self._taking_over(building, entry, shard)
            self._given_up(building, entry.name)
            return None
        written = self._written.setdefault(entry.name, time.monotonic())
        if self._settled.get(entry.name) == written or self._building or entry.deferred:
            return None
        if time.monotonic() - written < QUIET:
            return None
        self._settled[entry.name] = written
        if _wanting(entry, shard) and self._has_room(shard):
            shard.flush()
            self._building[entry.name] = _Building(shard.folder, self._folder.building / uuid.uuid4().hex)
        return None

    def _has_room(self, shard: Shard) -> bool:
        needed = _ROOM * size_of(shard.folder) + RESERVE
        free = shutil.disk_usage(self._folder.path).free
        if free < needed:
            _log.warning("No index is built: %.0f MB of disk are free, %.0f needed.", free / 1e6, needed / 1e6)
        return free >= needed

    def _given_up(self, building: "_Building", name: str) -> None:
        if building.overtaken:  # somebody wrote while it was copied; it is due again after the next quiet moment
            self._settled.pop(name, None)
        else:
            _log.warning("The index of %s could not be built: %s", name, building.problem)
        self._forget(name)

    def _taking_over(self, building: "_Building", entry: Entry, shard: Shard) -> Shard | None:
        """Bring some of what was written meanwhile into the indexed shard; the shard once it has all of it."""
        try:
            built = building.opened(self._folder.shards, entry)
            part = list(islice(building.changed, CARRIED))
            for start in range(0, len(part), REQUEST):
                _carry(part[start : start + REQUEST], shard, built)
            building.changed.difference_update(part)
            if building.changed:
                return None
            built.flush()
        except Exception:
            self._settled.pop(entry.name, None)
            self._written[entry.name] = time.monotonic() + AGAIN_AFTER
            self._forget(entry.name)
            raise
        self._folder.registry.move(entry.name, built.folder.name)  # where that fails, the next look tries it again
        del self._building[entry.name]
        self._settled.pop(entry.name, None)
        return built

    def _forget(self, name: str) -> None:
        """Stop building, and delete what was built."""
        building = self._building.pop(name)
        building.stop()
        building.discard()

    def abandon(self, name: str) -> None:
        """Stop building: the collection is being dropped."""
        if name in self._building:
            self._forget(name)

    def close(self) -> None:
        for name in list(self._building):
            self.abandon(name)


def _wanting(entry: Entry, shard: Shard) -> bool:
    """Whether so many vectors are without an index that one is worth building."""
    if not index_in_force(entry.spec)["m"]:
        return False
    return (shard.count() - shard.indexed()) * 4 * entry.spec.dimension >= DUE_BYTES


def _carry(ids: Sequence[PointId], source: Shard, target: Shard) -> None:
    """Make points in one shard what they are in the other."""
    found, rows, has, payloads = source.retrieve(ids, True)
    target.delete([key for key in ids if key not in set(found)])
    whole = [place for place, one in enumerate(has) if one]
    bare = [place for place, one in enumerate(has) if not one]
    if rows is not None and whole:
        target.upsert([found[place] for place in whole], rows[whole], [payloads[place] for place in whole])
    if bare:
        target.upsert([found[place] for place in bare], None, [payloads[place] for place in bare])


class _Building:
    """A copy of a shard that is made and indexed on a thread, which only waits.

    `changed` was written since, and is not in the copy yet.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self.source, self.target = source, target
        self.changed: set[PointId] = set()
        self.overtaken = self.done = False
        self.problem = ""
        self.over = threading.Event()
        self._built: Shard | None = None
        self._copied = self._stopped = False
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="edge-index")
        self._thread.start()

    def written(self, ids: Iterable[PointId]) -> None:
        with self._lock:
            if self._copied:
                self.changed.update(ids)
            else:
                self.overtaken = True

    def opened(self, shards: Path, entry: Entry) -> Shard:
        """The copy, which is indexed, as a shard among the others."""
        if self._built is None:
            self.target = self.target.rename(shards / self.target.name)
            self._built = Shard(self.target, entry.spec)
        return self._built

    def discard(self) -> None:
        """Delete the copy."""
        if self._built is not None:
            with suppress(Exception):  # it is worth nothing any more, and the engine has no exceptions of its own
                self._built.close()
        shutil.rmtree(self.target, ignore_errors=True)

    def stop(self) -> None:
        with self._lock:
            self._stopped = self.overtaken = True
            if self._process is not None:
                self._process.kill()
        self._thread.join()

    def _run(self) -> None:
        try:
            self.done = self._copy() and self._index()
        except OSError as error:
            self.problem = str(error)
        finally:
            self.over.set()

    def _copy(self) -> bool:
        for file in files(self.source):
            if self.overtaken:
                return False
            copy = self.target / file.relative_to(self.source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy_file(file, copy)
        for folder in (one for one in self.source.rglob("*") if one.is_dir()):
            (self.target / folder.relative_to(self.source)).mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._copied = not self.overtaken
        return self._copied

    def _index(self) -> bool:
        with self._lock:
            if self._stopped:
                return False
            self._process = started(_BUILD, str(self.target))
        code = self._process.wait()
        self.problem = f"its process ended with status {code}" if code else ""
        return code == 0
