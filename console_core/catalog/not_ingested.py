"""A collection that is the catalog, without the pictures that were ingested into it."""

from collections.abc import Iterator, Mapping, Sequence

from console_core.catalog.facet_counter import commonest
from console_core.catalog.intake import PREFIX
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageCatalog, ImageRow, Slice


class NotIngested:
    """Those rows whose keys are not of pictures that were ingested: which of these there are, and what they are called,
    is told by their folders and lists, and not by points that were made of them.

    Counting reads every point. Memory is bounded as that of the catalog is.
    """

    def __init__(self, catalog: ImageCatalog) -> None:
        """Closing it closes nothing: the catalog is its owner's."""
        self._catalog = catalog

    def info(self) -> CatalogInfo:
        return self._catalog.info()

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of rows in the slice, optionally of those behind a key."""
        return sum(1 for _ in self.rows(part, after=after))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Rows in the catalog's order, strictly behind `after`."""
        return (row for row in self._catalog.rows(part, after=after) if not row.key.startswith(PREFIX))

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The rows of these keys that exist, in the order asked for."""
        return self._catalog.get([key for key in keys if not key.startswith(PREFIX)])

    def check_keys(self) -> None:
        """See `ImageCatalog.check_keys`."""
        self._catalog.check_keys()

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of rows; all rows are read."""
        names = self._catalog.info().facets
        return commonest((row.facets for row in self.rows()), names) if names else {}

    def close(self) -> None:
        """Nothing is held open."""
