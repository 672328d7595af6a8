"""Reading ahead: work on several rows at once, answers in the order of the rows."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from console_core.catalog.types import ImageRow
from console_core.errors import ImageError

T = TypeVar("T")


def fetch(
    rows: Iterable[ImageRow], work: Callable[[ImageRow], T], *, workers: int, ahead: int | Callable[[], int]
) -> Generator[tuple[ImageRow, T | ImageError], None, None]:
    """Each row with what `work` made of it, in the order of the rows, from `workers` threads.

    At most `ahead` rows are in work or wait for their turn; a function is asked before each answer, and the first row
    is always taken. An ImageError is an answer; any other exception, of `work`
    or of `rows`, ends the iteration in its turn. However it ends, closed early included, no thread is left behind.
    """
    waiting: deque[tuple[ImageRow, Future[T | ImageError]]] = deque()
    upcoming = iter(rows)
    pool = ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix="fetch")
    broken: Exception | None = None
    try:
        while True:
            try:
                most = max(1, ahead() if callable(ahead) else ahead)
                for row in islice(upcoming, max(0, most - len(waiting))):
                    waiting.append((row, pool.submit(_attempt, work, row)))
            except Exception as error:  # of `rows`: what was taken before is answered first
                broken, upcoming = error, iter(())
            if not waiting:
                break
            yield _next(waiting)
        if broken is not None:
            raise broken
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _attempt(work: Callable[[ImageRow], T], row: ImageRow) -> T | ImageError:
    try:
        return work(row)
    except ImageError as failure:
        _forget_frames(failure)
        return failure


def _forget_frames(failure: BaseException | None) -> None:
    """A failure that is kept as a value must not keep the bytes that its stack frames still refer to."""
    while failure is not None:
        failure.__traceback__ = None
        failure = failure.__cause__ or failure.__context__


def _next(waiting: deque[tuple[ImageRow, Future[T]]]) -> tuple[ImageRow, T]:
    """The answer to the first in the queue; nothing here keeps it, for it may be a large picture."""
    row, future = waiting.popleft()
    return row, future.result()
