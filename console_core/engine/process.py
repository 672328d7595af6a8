"""The engine as a process of its own, as the console sees it: it is started when needed, and anew when it died."""

import contextlib
import itertools
import logging
import os
import queue
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from console_core.engine import child
from console_core.engine.messages import Call, Close, Finished, Open, Reply, Submit
from console_core.engine.service import Served
from console_core.errors import EngineStopped
from console_core.own_process import connected

log = logging.getLogger(__name__)

_PATIENCE = 5.0
"""Seconds in which the process may end by itself."""

Inbox = queue.SimpleQueue[Finished | EngineStopped]


class EngineProcess:
    """One process with models, used from any thread. `load` makes its models; it is called there.

    A call to a process that has died, or dies meanwhile, raises EngineStopped; the next one starts another.
    """

    def __init__(self, load: Callable[[], Served]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._life: _Life | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        life = self._life
        return life.process.pid if life is not None and life.ended is None else None

    def call(self, method: str, *arguments: Any) -> Any:
        """What the engine's `Service` answers.

        Raises:
            EngineStopped: the process ended before it answered.
            ConsoleError: what the method raised there.
        """
        return self._running().ask(lambda number: Call(number, method, arguments))[1]

    def open(self, make: Callable[[int], Open], inbox: Inbox) -> "tuple[_Life, int, Any]":
        """Open a pipeline whose messages go to `inbox`: the process's life, the pipeline's number, its shape."""
        life = self._running()
        number, shape = life.ask(make, inbox)
        return life, number, shape

    def close(self) -> None:
        """End the process. Safe to call twice; nothing starts it again."""
        with self._lock:
            self._closed = True
            life, self._life = self._life, None
        if life is not None:
            life.end()

    def _running(self) -> "_Life":
        with self._lock:
            if self._closed:
                raise EngineStopped("The engine is closed.", "Start the console again.")
            if self._life is None or self._life.ended is not None:
                self._life = _Life(self._load)
            return self._life


class _Life:
    """One process from its start to its end."""

    def __init__(self, load: Callable[[], Served]) -> None:
        try:
            self.process, self._connection = connected("console_core.engine.child")
        except OSError as error:
            raise EngineStopped(
                f"The engine's process does not start: {error}.",
                "Check the memory and the number of processes that are left on this machine, then try again.",
            ) from error
        with contextlib.suppress(OSError):  # what became of the process is told by what listens to it
            self._connection.send(load)
        self.ended: EngineStopped | None = None
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._inboxes: dict[int, Inbox] = {}
        self._listener = threading.Thread(target=self._listen, name="engine-replies", daemon=True)
        self._listener.start()

    def ask(self, make: Callable[[int], Call | Open], inbox: Inbox | None = None) -> tuple[int, Any]:
        """Ask, and wait for the answer; returns the number under which was asked, too."""
        answer: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
            if inbox is not None:
                self._inboxes[number] = inbox
            ended = self.ended
        if ended is not None:
            raise ended
        try:
            self.post(make(number))
            return number, answer.result()
        except BaseException:
            with self._lock:
                self._waiting.pop(number, None)
                self._inboxes.pop(number, None)
            raise

    def post(self, message: Call | Open | Submit | Close) -> None:
        """Send; whether it arrives is told by what comes back."""
        with contextlib.suppress(OSError), self._lock:
            self._connection.send(message)

    def forget(self, number: int) -> None:
        """Close a pipeline."""
        with self._lock:
            self._inboxes.pop(number, None)
        self.post(Close(number))

    def end(self) -> None:
        """End the process and everything that waits for it."""
        self._hang_up()
        self._listener.join()
        with self._lock:
            self._connection.close()

    def _hang_up(self) -> None:
        """Let both ends see the end. Closing ours would not while the listener waits at it."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    def _reap(self) -> int:
        """The exit code of the process, which is ended where it does not end by itself."""
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def _listen(self) -> None:
        unreadable = ""
        try:
            while True:
                match self._connection.recv():
                    case Reply() as reply:
                        self._reply(reply)
                    case Finished() as finished:
                        with self._lock:
                            inbox = self._inboxes.get(finished.pipeline)
                        if inbox is not None:
                            inbox.put(finished)
        except (EOFError, OSError):
            pass
        except BaseException as error:  # parts of an answer raise what they like where they are put together
            log.exception("an answer of the engine's process cannot be read")
            unreadable = f"its answer cannot be read ({type(error).__name__})"
        self._hang_up()
        self._bury(unreadable)

    def _reply(self, reply: Reply) -> None:
        with self._lock:
            answer = self._waiting.pop(reply.number, None)
        if answer is None:  # nobody waits for it any more
            return
        if reply.error is not None:
            answer.set_exception(reply.error)
        else:
            answer.set_result(reply.value)

    def _bury(self, cause: str) -> None:
        code = self._reap()
        ended = EngineStopped(
            f"The engine's process ended: {cause or _cause(code)}.",
            "Resume the run: it goes on behind its last checkpoint, with a new process.",
        )
        with self._lock:
            self.ended = ended
            waiting, self._waiting = self._waiting, {}
            inboxes, self._inboxes = self._inboxes, {}
        for answer in waiting.values():
            answer.set_exception(ended)
        for inbox in inboxes.values():
            inbox.put(ended)


def _cause(code: int) -> str:
    if code == child.DEVICE_LOST:
        return "its device stopped working"
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    killed = ", as the system does when memory is out" if name == "SIGKILL" else ""
    return f"killed by {name}{killed}"
