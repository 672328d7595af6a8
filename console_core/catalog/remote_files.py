"""Pictures that a server has, of whatever kind it is: how many transfers there are at a time, and on which threads."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from fsspec.asyn import get_loop

from console_core.catalog.local_files import MEBIBYTE
from console_core.catalog.names import told
from console_core.catalog.transfer import Gate, Limits, Source, Transfer
from console_core.errors import ImageUnavailable
from console_core.settings import ImageSettings

T = TypeVar("T")


class RemoteFiles:
    """The image store of roots on servers of one kind: relative paths start from the first, none leads outside all.

    Of any number of threads, which wait while the transfers run on the loop of fsspec. There are at most `at_once` of
    them; one whose reader waits for memory is not counted, and goes on from where it was. Pickled, it is opened anew,
    once in each process.
    """

    def __init__(self, source: Callable[[ImageSettings], Source], settings: ImageSettings) -> None:
        self._make, self._settings = source, settings
        self._source = source(settings)
        self._limits = Limits(settings.timeout, settings.retries, settings.largest * MEBIBYTE)
        self._slots = threading.BoundedSemaphore(settings.at_once)
        self._gate = Gate()
        self._closed = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened, (self._make, self._settings)

    @property
    def location(self) -> str:
        """The roots."""
        return ", ".join(self._source.roots)

    @property
    def readers(self) -> int:
        return self._settings.at_once

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        """All bytes at a path; see `ImageStore`. What breaks off is gone on with, and what comes to nothing is tried
        again, as often as the settings say."""
        transfer = Transfer(self._source, path, self._source.locate(path), self._limits, self._gate)
        try:
            with self._slots:
                self._run(path, transfer.begin())
            if make_room is not None:
                size = transfer.received if transfer.complete else transfer.size
                make_room(self._limits.most if size is None else size)
            if not transfer.complete:
                with self._slots:
                    self._run(path, transfer.finish())
            return transfer.picture()
        finally:
            if not transfer.complete and not self._closed:
                self._run(path, transfer.hang_up())

    def changed_at(self, path: str) -> datetime | None:
        """None: it would cost a question to the server for each picture, and whoever asks, asks for all of them."""
        return None

    def trouble(self, root: str) -> tuple[str, str]:
        """See `ImageStore`."""
        return self._run(root, self._source.trouble(root))

    def close(self) -> None:
        """Let go of the connections. Safe to call twice."""
        if not self._closed:
            self._run("", self._source.close())
            self._closed = True

    def _run(self, path: str, work: Coroutine[Any, Any, T]) -> T:
        if self._closed:
            work.close()
            raise ImageUnavailable(
                f"{told(path)} was asked for after the console had closed.", "Start it again.", path=path
            )
        future = asyncio.run_coroutine_threadsafe(work, get_loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


_OPEN: WeakValueDictionary[tuple[object, ImageSettings], RemoteFiles] = WeakValueDictionary()
_OPENING = threading.Lock()


def _opened(source: Callable[[ImageSettings], Source], settings: ImageSettings) -> RemoteFiles:
    """The one of this process, for all pipelines in it: its limits hold for them together."""
    with _OPENING:
        found = _OPEN.get((source, settings))
        if found is None:
            found = _OPEN[source, settings] = RemoteFiles(source, settings)
        return found
