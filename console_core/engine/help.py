"""Workers that help while somebody has nothing to do, and sleep otherwise: awake they would take Python's lock."""

import threading

SHARE = 4
"""Pieces of work for each helper that one call is worth."""


class Help:
    """Calls for the help of so many workers. Calling again while a call is being answered adds nothing to it."""

    def __init__(self, workers: int) -> None:
        self._changed = threading.Condition()
        self._worth = SHARE * workers
        self._wanted = 0
        self._closed = False

    def call(self) -> None:
        with self._changed:
            self._wanted = self._worth
            self._changed.notify_all()

    def awaited(self) -> bool:
        """Wait until one more piece of work is wanted of a helper; False after `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._wanted)
            self._wanted -= 1
            return not self._closed

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
