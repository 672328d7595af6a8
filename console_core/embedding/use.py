"""Since when something is not in use."""

import threading
from time import monotonic
from types import TracebackType


class Use:
    """In use within any of its with-blocks; from several threads at once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._users = 0
        self._since = monotonic()

    def __enter__(self) -> None:
        with self._guard:
            self._users += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._guard:
            self._users -= 1
            self._since = monotonic()

    def touch(self) -> None:
        """It was used at this moment."""
        with self:
            pass

    @property
    def idle(self) -> float | None:
        """Seconds since it was last used; None while it is."""
        with self._guard:
            return None if self._users else monotonic() - self._since
