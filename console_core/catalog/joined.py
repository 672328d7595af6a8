"""The workspace's catalog together with what was ingested beside it, for a collection that holds pictures of both."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from console_core.catalog.collection import CollectionCatalog
from console_core.catalog.intake import FACETS, PREFIX
from console_core.catalog.intake_catalog import IntakeCatalog
from console_core.catalog.listing import commonest
from console_core.catalog.not_ingested import NotIngested
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageCatalog, ImageRow, Slice


class JoinedCatalog:
    """All rows of the first catalog, in its order, then those that were ingested. A key tells whose it is.

    Where the first is a collection, what was ingested into that is listed once, as what was ingested.

    A slice filters by the facets of the first; where what was ingested has one of them not, none of it is in the slice.
    """

    def __init__(self, first: ImageCatalog, ingested: IntakeCatalog) -> None:
        """Closing it closes what was ingested; the first catalog is its owner's."""
        self._first = NotIngested(first) if isinstance(first, CollectionCatalog) else first
        self._ingested = ingested

    def info(self) -> CatalogInfo:
        first, ingested = self._first.info(), self._ingested.info()
        return replace(first, details={**first.details, "ingested beside it": ingested.location})

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The number of rows in the slice, optionally of those behind a key."""
        own, beside = self._behind(after)
        first = self._first.count(part, after=own) if beside is None else 0
        return first + (self._ingested.count(part, after=beside) if self._fits(part) else 0)

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """The rows of the first catalog strictly behind `after`, then those that were ingested."""
        own, beside = self._behind(after)
        first = self._first.rows(part, after=own) if beside is None else iter(())
        return chain(first, self._told(self._ingested.rows(part, after=beside)) if self._fits(part) else ())

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The rows of these keys that exist, in the order asked for."""
        own = [key for key in keys if not key.startswith(PREFIX)]
        beside = [key for key in keys if key.startswith(PREFIX)]
        parts = (self._first.get(own) if own else [], self._told(self._ingested.get(beside)) if beside else ())
        found = {row.key: row for row in chain(*parts)}
        return [found[key] for key in keys if key in found]

    def check_keys(self) -> None:
        """See `ImageCatalog.check_keys`."""
        self._first.check_keys()

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """Those of the first catalog, with what was ingested counted where it has them."""
        counted, beside = self._first.facets(), self._ingested.facets()
        return {name: commonest(Counter(values) + Counter(beside.get(name, {}))) for name, values in counted.items()}

    def close(self) -> None:
        self._ingested.close()

    def _behind(self, after: str | None) -> tuple[str | None, str | None]:
        """The key behind which the first catalog goes on, and that of what was ingested; the latter ends the former."""
        return (None, after) if after is not None and after.startswith(PREFIX) else (after, None)

    def _told(self, rows: Iterable[ImageRow]) -> Iterator[ImageRow]:
        """Rows that were ingested, with those of their facets that the first catalog has too."""
        names = self._first.info().facets
        return (replace(row, facets={name: row.facets[name] for name in names if name in row.facets}) for row in rows)

    def _fits(self, part: Slice) -> bool:
        return set(part.filters) <= set(FACETS)
