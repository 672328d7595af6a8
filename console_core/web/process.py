"""The one Console of this process.

It is held on a module that has no file: editing a watched file, "Clear caches" and a new browser tab all leave it
alone, so that a run never loses its owner and never gets a second one.
"""

import os
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from console_core import settings
from console_core.console import Console, open_console
from console_core.errors import ConsoleError
from console_core.web.incidents import incident

RETRY_AFTER = 1.0
"""Seconds between two tries to open what could not be opened."""

LETS_FINISH = 10.0
"""Seconds that a change of settings waits, before the Console is closed, for those who hold it."""

_HOLDER = "_embedding_console_process"


class _State(ModuleType):
    """The lock, the Console, or why there is none."""

    def __init__(self) -> None:
        super().__init__(_HOLDER)
        self.lock = threading.RLock()
        self.console: Console | None = None
        self.problem: ConsoleError | None = None
        self.tried_at = 0.0
        self.stopped = False
        self.generation = 0
        self.opening = 0
        self.held = threading.Condition()
        self.holders = Counter[int]()


def _state() -> _State:
    return sys.modules.setdefault(_HOLDER, _State())  # type: ignore[return-value]


def console() -> Console:
    """The Console, opened when it is first asked for.

    Raises:
        ConsoleError: it cannot be opened. It is tried again when asked again, at most once a second.
    """
    state = _state()
    if state.console is not None:
        return state.console
    with state.lock:
        if state.stopped:
            raise ConsoleError("The console is shutting down.", "Start it again, then reload this page.")
        if state.console is None:
            if state.problem is not None and time.monotonic() - state.tried_at < RETRY_AFTER:
                raise state.problem.with_traceback(None)
            with _opening(state):
                state.console = _open(state)
        return state.console


@contextmanager
def _opening(state: _State) -> Iterator[None]:
    """For others to know that there will be a Console soon; under the lock."""
    state.opening += 1
    try:
        yield
    finally:
        state.opening -= 1


def _open(state: _State) -> Console:
    try:
        opened = open_console(
            settings.read(settings.workspace_folder(None)),
            owner_name=f"the console on {socket.gethostname()}, process {os.getpid()}",
            with_worker=True,
        )
    except ConsoleError as error:
        state.problem, state.tried_at = error, time.monotonic()
        raise
    except Exception as error:
        number = incident("opening the workspace", error)
        state.problem = ConsoleError(
            f"The workspace could not be opened (incident {number}).", "The server's log says why, under this number."
        )
        state.tried_at = time.monotonic()
        raise state.problem from error
    state.problem = None
    return opened


def allow() -> None:
    """Let the Console be opened again after a `stop`, by whoever asks for it first."""
    _state().stopped = False


def start() -> None:
    """Open the Console now. What prevents it is kept, and shown by the pages and by /readyz."""
    allow()
    try:
        console()
    except ConsoleError:
        return


def stop() -> None:
    """Stop the worker at its next checkpoint and close everything. Nothing opens it again before `start`."""
    state = _state()
    with state.lock:
        state.stopped = True
        opened, state.console, state.problem = state.console, None, None
        if opened is not None:
            opened.close()


def reopen(undo: Callable[[], None]) -> Console:
    """Close the Console at the next checkpoints of its runs, and open it anew from the settings as they are now.

    Whoever asks for it meanwhile waits; those who hold it finish first, if they do within LETS_FINISH. Where it cannot
    be opened, `undo` is called and it is opened once more.

    Raises:
        ConsoleError: why it could not be opened; unless `problem` says otherwise, it is open as before.
    """
    state = _state()
    with state.lock:
        if state.stopped:
            raise ConsoleError("The console is shutting down.", "Start it again, then reload this page.")
        with _opening(state):
            former = _taken_away(state)
            state.generation += 1
            _close(former)
            try:
                state.console = _open(state)
            except ConsoleError as error:
                undo()
                state.console = _open(state)
                raise error.with_traceback(None) from None
            return state.console


def _taken_away(state: _State) -> Console | None:
    """The Console, which nobody gets any more and nobody holds, or not for much longer."""
    with state.held:
        former, state.console = state.console, None
        if former is not None:
            state.held.wait_for(lambda: not state.holders[id(former)], LETS_FINISH)
        return former


def hold() -> Console | None:
    """The Console if it is open, which a change of settings closes only after `let_go`; never waits and never opens it.

    For what ends soon: a change waits for LETS_FINISH at most.
    """
    state = _state()
    with state.held:
        if state.console is not None:
            state.holders[id(state.console)] += 1
        return state.console


def let_go(console: Console) -> None:
    """What `hold` gave is needed no more."""
    state = _state()
    with state.held:
        state.holders[id(console)] -= 1
        if state.holders[id(console)] <= 0:
            del state.holders[id(console)]
            state.held.notify_all()


def is_opening() -> bool:
    """Whether a thread is opening the Console, for the first time or anew."""
    return _state().opening > 0


def _close(console: Console | None) -> None:
    """Close it and free its models, which the next would load a second time beside them.

    What cannot be let go of must not keep the next from opening: it says itself what it misses.
    """
    try:
        if console is not None:
            console.close()
            for key in console.models.resident():
                console.models.unload(key)
    except Exception as error:
        incident("closing the workspace", error)


def generation() -> int:
    """How often the Console was opened anew; who remembers parts of an earlier one must let go of them."""
    return _state().generation


def poll() -> Console | None:
    """The Console, opened if need be, but None at once while another thread is opening it.

    Raises:
        ConsoleError: it cannot be opened.
    """
    lock = _state().lock
    if not lock.acquire(blocking=False):
        return None
    try:
        return console()
    finally:
        lock.release()


def opened() -> Console | None:
    """The Console if it is open; never waits and never opens it."""
    return _state().console


def problem() -> ConsoleError | None:
    """Why the last try to open it failed."""
    return _state().problem
