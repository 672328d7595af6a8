"""The engine's process as seen from the console: started when it is needed, asked over a pipe, started again."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock
from typing import Any, NoReturn

from console_core.errors import StoreFull, StoreUnavailable
from console_core.own_process import connected

OPENING = 600.0
"""Seconds that opening the folder may take, its log read again."""
_FULL = 50_000_000
_ENGINE = "console_core.vectorstore.edge_engine"


class EdgeProcess:
    """Requests from any thread, one after the other: the engine could not work on two at once."""

    def __init__(self, folder: Path, place: str, timeout: float) -> None:
        """Start the engine on a folder. `timeout` is in seconds for one answer.

        Raises:
            StoreUnavailable, StoreFull: the folder cannot be opened.
        """
        self._folder, self._place, self._timeout = folder, place, timeout
        self._alone = RLock()
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = self._pending = False
        self._home = os.getpid()
        self.version = ""
        self.answered: bool | None = None
        self._start()

    @property
    def pid(self) -> int:
        """The engine's process; 0 where there is none at the moment."""
        return self._process.pid if self._process is not None else 0

    def ask(self, method: str, *arguments: Any) -> Any:
        """The answer to a request of `edge_engine.Engine`.

        Raises:
            StoreUnavailable: the engine died or did not answer in time; the next request starts it again.
            StoreError: what the engine raised.
        """
        with self._alone:
            if self._closed or os.getpid() != self._home:
                raise StoreUnavailable(f"{self._place} is closed.", "Open it again.")
            if self._connection is None:
                self._start()
            assert self._connection is not None
            try:
                self._pending = True
                self._connection.send((method, arguments))
                return self._answer(self._timeout)
            except (EOFError, OSError) as error:
                self._died(error)
            except BaseException:
                if self._pending:  # its answer would be taken for the next one's
                    self._end()
                raise

    def _answer(self, patience: float) -> Any:
        assert self._connection is not None
        if not self._connection.poll(patience):
            self._end()
            self.answered = False
            raise StoreUnavailable(
                f"{self._place} did not answer within {patience:,.0f} s, so its engine was stopped.",
                "Try again: it is started anew, and what was acknowledged is kept. Check the load of machine and disk, "
                "or raise timeout in [store] of console.toml.",
            )
        good, answer = self._connection.recv()
        self._pending = False
        if good:
            self.answered = True
            return answer
        if isinstance(answer, StoreUnavailable):
            self.answered = False
        raise answer

    def _start(self) -> None:
        try:
            self._process, self._connection = connected(_ENGINE, str(self._folder), self._place)
        except OSError as error:
            raise StoreUnavailable(
                f"{self._place} cannot be opened: its engine does not start: {error}.",
                "Check the memory and the number of processes that are left on this machine.",
            ) from error
        try:
            self.version = self._answer(OPENING)
        except (EOFError, OSError) as error:
            self._died(error)
        except BaseException:
            self._end()
            raise

    def _died(self, cause: Exception) -> NoReturn:
        code = self._end()
        self.answered = False
        free = shutil.disk_usage(next(one for one in (self._folder, *self._folder.parents) if one.exists())).free
        if code == -signal.SIGBUS or free < _FULL:
            raise StoreFull(
                f"{self._place} has no space left: {free / 1e6:,.0f} MB are free, and its engine ended ({_why(code)}).",
                "Free disk space or add some, then resume; what was acknowledged is kept.",
            ) from cause
        raise StoreUnavailable(
            f"{self._place} does not answer: its engine ended ({_why(code)}).",
            "Try again: it is started anew, and what was acknowledged is kept. Where it ends again, look whether the "
            "machine runs out of memory.",
        ) from cause

    def _end(self) -> int:
        """Let go of the engine, at once; its exit status."""
        self._pending = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is None:
            return 0
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process = None
        return code

    def close(self) -> None:
        """After the request that is under way; everything is written out. Harmless when repeated."""
        with self._alone:
            self._closed = True
            if self._connection is not None and os.getpid() == self._home:
                self._connection.close()
                self._connection = None
                if self._process is not None:
                    self._process.wait()
                    self._process = None


def _why(code: int) -> str:
    names: Mapping[int, str] = {-signal.SIGKILL: "killed, by a person or for want of memory"}
    if code in names:
        return names[code]
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
