"""Runs that travel together share one decoding: which of them are on their way in this process."""

import threading
from collections.abc import Callable, Collection

from console_core.catalog.types import ImageStore
from console_core.embedding.preprocessing import Mode
from console_core.embedding.types import Embedder
from console_core.engine.seat import Seat
from console_core.engine.shared import Shared


class Convoys:
    """Convoys by their ids; each is forgotten when its last run has left it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[str, tuple[Shared, list[str]]] = {}

    def join(
        self,
        convoy: str,
        run: str,
        expected: Callable[[], Collection[str]],
        images: ImageStore,
        embedder: Embedder,
        mode: Mode,
        *,
        left: int,
        pictures: int = 0,
    ) -> Seat:
        """A run's seat in its convoy; see `Shared.join`."""
        with self._lock:
            shared, members = self._shared.setdefault(convoy, (Shared(images, mode, expected), []))
            members.append(run)
        try:
            return shared.join(run, embedder, left=left, pictures=pictures, closed=lambda: self._left(convoy, run))
        except BaseException:
            self._left(convoy, run)
            raise

    def _left(self, convoy: str, run: str) -> None:
        with self._lock:
            members = self._shared[convoy][1]
            members.remove(run)
            if not members:
                del self._shared[convoy]
