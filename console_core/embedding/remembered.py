"""What took long to find out, kept in a file over restarts."""

import json
import logging
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

log = logging.getLogger(__name__)

V = TypeVar("V")


class Remembered(ABC, Generic[V]):
    """Values by key, kept in a file; without one only in this process. Safe from several threads.

    The file may be damaged or deleted at any time: then it is found out again.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._guard = threading.Lock()
        self._known: dict[str, V] | None = None

    def get(self, key: str) -> V | None:
        with self._guard:
            return self._all().get(key)

    def put(self, key: str, value: V) -> None:
        with self._guard:
            self._write({**self._all(), key: value})

    def forget(self, key: str) -> None:
        """It is not true any more."""
        with self._guard:
            if key in self._all():
                self._write({name: value for name, value in self._all().items() if name != key})

    @abstractmethod
    def _valid(self, read: Any) -> V | None:
        """A value as it was read from JSON; None where it is none."""

    def _all(self) -> Mapping[str, V]:
        if self._known is None:
            read = _read(self._file) if self._file else {}
            self._known = {key: value for key, one in read.items() if (value := self._valid(one)) is not None}
        return self._known

    def _write(self, known: dict[str, V]) -> None:
        self._known = known
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            beside.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
            beside.replace(self._file)
        except OSError as error:  # a full or read-only disk: it is found out again by the next process
            log.warning("nothing can be remembered in %s: %s", self._file, error)


def _read(file: Path) -> dict[str, Any]:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
