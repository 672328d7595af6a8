"""The samples of a store's collections, drawn seldom, and kept so that each query finds the same one."""

import json
import os
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from console_core.querylab.calibration import Draw, Sample, draw, read
from console_core.vectorstore.types import CollectionInfo, VectorStore

AT_ONCE = 20_000
"""Points up to which a collection's sample is drawn when a query first needs it, which takes a second or two; that of a
larger one is drawn by whoever gives it to `keep`."""
MUCH = 0.1
"""The share by which a collection may grow or shrink before its sample is drawn again."""
FRESH = 600.0
"""Seconds after which a sample's vectors are read again: a repair may have replaced some."""
_IN_MEMORY = 6
"""Samples with their vectors in memory, 8 MB each where vectors have 1,000 numbers."""


@dataclass(frozen=True, slots=True)
class _Held:
    drawn: Draw
    sample: Sample
    at: float


class Samples:
    """What was drawn is kept in a folder, one small file for each collection: its ids and of how many points they are.

    A file that is lost is drawn again, and is then the same. Safe to use from several threads and processes.
    """

    def __init__(self, store: VectorStore, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.RLock] = {}

    def of(self, info: CollectionInfo) -> Sample | None:
        """The sample of a collection; None where it must be drawn first and that would take long.

        Raises:
            StoreError
        """
        held = self._in_memory(info)
        if held is not None:
            return held
        with self._alone_at(
            info.name
        ):  # one of those who need it reads it; whoever needs another collection's does not wait
            held = self._in_memory(info)
            return held if held is not None else self._read_or_drawn(info)

    def needs_drawing(self, info: CollectionInfo) -> bool:
        """Whether `of` gives nothing until somebody draws the sample and has it kept. Does not ask the store."""
        return info.points > AT_ONCE and not _fits(self._kept(info.name), info)

    def keep(self, name: str, drawn: Draw) -> None:
        """Have this drawn sample for the collection of this name from now on.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._file(name)
        beside = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}")
        said = {"collection": name, "points": drawn.points, "fingerprint": drawn.fingerprint, "ids": drawn.ids}
        beside.write_text(json.dumps(said), encoding="utf-8")
        with self._alone_at(name):  # whoever found none, or an old one, does not delete this one
            beside.replace(file)
        with self._lock:
            self._held.pop(name, None)

    def forget(self, name: str) -> None:
        """Let go of what was drawn of a collection that is none any more."""
        with self._lock:
            self._held.pop(name, None)
        with suppress(OSError):
            self._file(name).unlink(missing_ok=True)

    def _alone_at(self, name: str) -> threading.RLock:
        """The lock of those who read, draw or keep the sample of one collection."""
        with self._lock:
            return self._at_work.setdefault(name, threading.RLock())

    def _in_memory(self, info: CollectionInfo) -> Sample | None:
        with self._lock:
            held = self._held.get(info.name)
            if held is None or not _fits(held.drawn, info) or time.monotonic() - held.at >= FRESH:
                return None
            self._held.move_to_end(info.name)
            return held.sample

    def _read_or_drawn(self, info: CollectionInfo) -> Sample | None:
        drawn = self._kept(info.name)
        sample = read(self._store, info, drawn) if drawn and _fits(drawn, info) else None
        if drawn is None or sample is None or len(sample.ids) < (1 - MUCH) * len(drawn.ids):
            if info.points > AT_ONCE:
                if drawn is not None:
                    self.forget(info.name)  # `needs_drawing` then says so
                return None
            drawn = draw(self._store, info)
            with suppress(OSError):  # a full disk costs a later start the drawing, and this query nothing
                self.keep(info.name, drawn)
            sample = read(self._store, info, drawn)
        with self._lock:
            self._held[info.name] = _Held(drawn, sample, time.monotonic())
            self._held.move_to_end(info.name)
            while len(self._held) > _IN_MEMORY:
                self._held.popitem(last=False)
        return sample

    def _kept(self, name: str) -> Draw | None:
        """What was drawn of a collection; None where there is nothing, or nothing that can be read."""
        try:
            told = json.loads(self._file(name).read_text(encoding="utf-8"))
            return Draw(tuple(told["ids"]), int(told["points"]), str(told["fingerprint"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _file(self, name: str) -> Path:
        said = f"{self._store.info().location}\0{name}"
        return self._folder / f"{blake2b(said.encode(), digest_size=12).hexdigest()}.json"


def _fits(drawn: Draw | None, info: CollectionInfo) -> bool:
    """Whether a sample still is one of what the collection has."""
    if drawn is None or drawn.fingerprint != (info.stamp.fingerprint if info.stamp else ""):
        return False
    return abs(info.points - drawn.points) <= MUCH * drawn.points
