"""Writing behind: one batch is written while the next one is made."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

from console_core.embedding.turns import background

Batch = TypeVar("Batch")
Answer = TypeVar("Answer")


class WriteBehind(Generic[Batch, Answer]):
    """Writes batches on threads of its own, `at_once` at a time, and answers in the order in which they were given.

    These threads work in the background, so that they take no processor from a query. Leaving the block waits for what
    is being written; what has not begun is dropped.
    """

    def __init__(self, write: Callable[[Batch], Answer], at_once: int) -> None:
        self._write, self._at_once = write, at_once
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="write")
        self._pending: deque[tuple[Batch, Future[Answer]]] = deque()

    def __enter__(self) -> "WriteBehind[Batch, Answer]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, batch: Batch, *, wait: bool) -> Iterator[tuple[Batch, Answer]]:
        """Begin to write a batch; gives those that are written by now, and with `wait` all of them.

        Raises:
            whatever writing one of them raised, after those before it were given.
        """
        self._pending.append((batch, self._pool.submit(self._write_quietly, batch)))
        while self._pending and (wait or len(self._pending) > self._at_once or self._pending[0][1].done()):
            yield self._next()

    def rest(self) -> Iterator[tuple[Batch, Answer]]:
        """Those that are not given yet."""
        while self._pending:
            yield self._next()

    def _write_quietly(self, batch: Batch) -> Answer:
        with background():
            return self._write(batch)

    def _next(self) -> tuple[Batch, Answer]:
        batch, answer = self._pending.popleft()
        return batch, answer.result()
