"""Whose turn it is on a device. A person who searches goes first; a run takes what is left.

What a thread asks of a model is a query, unless it says that it works in the background:

    with background():
        vectors = embedder.embed_images(slab)
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

NICENESS = 10
"""Of a background thread. The system gives a query's thread nine tenths of a core that both want."""
BESIDE = -1
"""The place of a query that runs beside the passes, and not in one of their places."""

_in_background: ContextVar[bool] = ContextVar("in_background", default=False)
_rows: ContextVar[int | None] = ContextVar("rows", default=None)


@contextmanager
def background(rows: int | None = None) -> Iterator[None]:
    """What this thread asks of models within the block belongs to a run: queries go before it. `rows` says that it asks
    for so many pictures at once at most.

    Enter it in each thread that embeds for a run. On Linux the thread also gets a lower priority of the operating
    system, and with it the threads that it starts. Only a privileged process may raise a priority again: elsewhere the
    thread keeps the lower one after the block, so let it be a thread of the run's own.
    """
    tokens = _in_background.set(True), _rows.set(rows)
    before = _lowered()
    try:
        yield
    finally:
        _in_background.reset(tokens[0])
        _rows.reset(tokens[1])
        if before is not None:
            _set_niceness(before)


def in_background() -> bool:
    """Whether this thread works for a run."""
    return _in_background.get()


def most_rows(limit: int) -> int:
    """The most pictures that this thread asks for at once, where a model takes `limit` at once."""
    return min(limit, _rows.get() or limit)


def _lowered() -> int | None:
    """Lower this thread's priority; what it was before, where that changed."""
    if sys.platform != "linux":  # elsewhere it is the priority of a process
        return None
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    return before if before < NICENESS and _set_niceness(NICENESS) else None


def _set_niceness(niceness: int) -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
    except OSError:  # not allowed
        return False
    return True


@dataclass(eq=False, slots=True)
class _Waiting:
    go: threading.Lock = field(default_factory=threading.Lock)
    place: int = BESIDE


class Turn:
    """So many forward passes at once, in the order of asking, queries before the passes of runs.

    Python's own lock lets a loop that releases and takes it at once starve everyone else: a query would wait for
    a whole run. Without `queries_wait` a query takes no place and waits for nobody, which suits a CPU, where the
    system shares the cores out by priority.
    """

    def __init__(self, passes: int = 1, *, queries_wait: bool = True) -> None:
        self.passes = passes
        self._queries_wait = queries_wait
        self._guard = threading.Lock()
        self._free = list(reversed(range(passes)))
        self._queries: deque[_Waiting] = deque()
        self._runs: deque[_Waiting] = deque()

    @contextmanager
    def taken(self) -> Iterator[int]:
        """Wait for a place and hold it: its number below `passes`, or BESIDE. Not to be nested."""
        if not self._queries_wait and not in_background():
            yield BESIDE
            return
        place = self._take(self._runs if in_background() else self._queries)
        try:
            yield place
        finally:
            self._pass_on(place)

    def waiting(self) -> int:
        """How many threads wait for a place."""
        with self._guard:
            return len(self._queries) + len(self._runs)

    def _take(self, queue: deque[_Waiting]) -> int:
        with self._guard:
            if self._free:
                return self._free.pop()
            mine = _Waiting()
            mine.go.acquire()
            queue.append(mine)
        try:
            mine.go.acquire()
        except BaseException:  # KeyboardInterrupt while waiting: leave the queue, or pass the place on
            with self._guard:
                given = mine not in queue
                if not given:
                    queue.remove(mine)
            if given:
                self._pass_on(mine.place)
            raise
        return mine.place

    def _pass_on(self, place: int) -> None:
        with self._guard:
            waiting = self._queries or self._runs
            if waiting:
                first = waiting.popleft()
                first.place = place
                first.go.release()
            else:
                self._free.append(place)
