"""One image store of several places of different kinds."""

from collections.abc import Callable, Mapping
from datetime import datetime

from console_core.catalog.types import ImageStore
from console_core.catalog.web_addresses import is_address, outside
from console_core.errors import ImageError


class MixedImages:
    """An image store that gives each path to the store it belongs to: addresses by their scheme, absolute paths to that
    of folders, and relative ones to that of the first root.

    Of any number of threads.
    """

    def __init__(self, stores: Mapping[str, ImageStore]) -> None:
        """`stores` by what their paths begin with, as `https` or `s3`, and "" for folders; that of the first root
        first."""
        self._stores = dict(stores)
        self._different = tuple(dict.fromkeys(self._stores.values()))

    @property
    def location(self) -> str:
        """All roots, those of the first one's kind first."""
        return ", ".join(store.location for store in self._different)

    @property
    def readers(self) -> int:
        return max(store.readers for store in self._different)

    def read(self, path: str, make_room: Callable[[int], object] | None = None) -> bytes:
        """All bytes at a path; see `ImageStore`.

        Raises:
            ImageOutside: besides what each store raises, a path of a kind of which there is no root.
        """
        return self._of(path).read(path, make_room)

    def changed_at(self, path: str) -> datetime | None:
        """As the store it belongs to tells it."""
        try:
            return self._of(path).changed_at(path)
        except ImageError:
            return None

    def trouble(self, root: str) -> tuple[str, str]:
        """See `ImageStore`."""
        return self._of(root).trouble(root)

    def close(self) -> None:
        """Let go of all connections. Safe to call twice."""
        for store in self._different:
            store.close()

    def _of(self, path: str) -> ImageStore:
        if not path.startswith("/") and not is_address(path):
            return self._different[0]
        scheme = "" if path.startswith("/") else path.partition("://")[0].lower()
        store = self._stores.get(scheme)
        if store is None:
            raise outside(path, self.location)
        return store
