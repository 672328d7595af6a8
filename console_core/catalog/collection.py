"""The catalog that a collection's own payload is: for applications that keep nothing about pictures elsewhere."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any

from console_core.catalog.facet_counter import commonest
from console_core.catalog.listing import unknown_facet
from console_core.catalog.points import ListedPoint, ListedPoints
from console_core.catalog.types import EVERYTHING, CatalogInfo, ImageRow, JsonValue, Slice
from console_core.errors import CatalogInvalid
from console_core.settings import CatalogSettings

PAGE = 1000


class CollectionCatalog:
    """The points of a collection, in the store's order: integer ids, then UUIDs. Memory is bounded by one page.

    Where an alias is named, each question is about the collection that it leads to when it is asked. Payload fields are
    those named, with those of paths, facets and the tenant, because a collection that is built of them may be the
    catalog one day; or all. Values stay as they are, of any structure.
    """

    def __init__(self, settings: CatalogSettings, points: ListedPoints, *, page: int = PAGE) -> None:
        """Nothing is asked yet.

        Raises:
            CatalogInvalid: it is not said which fields hold paths.
        """
        if not settings.paths:
            raise CatalogInvalid(
                f"It is not said which payload fields of {settings.location} hold the paths of pictures.",
                "Set paths in [catalog].",
            )
        self._settings = settings
        self._points = points
        self._page = page
        self._facets = settings.slices_by
        told = (*settings.carried, *settings.paths, *settings.facets, settings.updated_at)
        self._fields = frozenset(filter(None, told)) if settings.payload else None

    def info(self) -> CatalogInfo:
        settings = self._settings
        details = {
            "collection": self._points.collection(settings.location),
            "paths": ", ".join(settings.paths),
            "payload": ", ".join(sorted(self._fields)) if self._fields is not None else "all fields",
            "updated at": settings.updated_at or "not known",
        }
        return CatalogInfo("collection", settings.location, self._facets, details, settings.tenant)

    def count(self, part: Slice = EVERYTHING, *, after: str | None = None) -> int:
        """The exact number of points in the slice, optionally of those behind a key: these are read."""
        if part.is_everything and after is None:
            return self._points.count(self._collection())
        return sum(1 for _ in self.rows(part, after=after))

    def rows(self, part: Slice = EVERYTHING, *, after: str | None = None) -> Iterator[ImageRow]:
        """Points in the store's order, strictly behind the point of `after`."""
        for name in part.filters:
            if name not in self._facets:
                raise unknown_facet(name, self._facets)
        collection = self._collection()
        listed = self._all(collection, after) if part.keys is None else self._chosen(collection, part.keys, after)
        return (row for row in map(self._row, listed) if all(row.facets[n] in part.filters[n] for n in part.filters))

    def get(self, keys: Sequence[str]) -> list[ImageRow]:
        """The points of these keys that exist, in the order asked for."""
        found = {row.key: row for row in map(self._row, self._points.get(self._collection(), keys))} if keys else {}
        return [found[key] for key in keys if key in found]

    def check_keys(self) -> None:
        """Nothing to find: a point's id is its own, and orders it."""

    def facets(self) -> Mapping[str, Mapping[str, int]]:
        """For each facet its commonest values, at most 200, with their number of points; all points are read."""
        return commonest((row.facets for row in self.rows()), self._facets) if self._facets else {}

    def close(self) -> None:
        """Nothing is held open: the store is not the catalog's."""

    def _collection(self) -> str:
        return self._points.collection(self._settings.location)

    def _all(self, collection: str, after: str | None) -> Iterator[ListedPoint]:
        there_are_more = True
        while there_are_more:
            found, there_are_more = self._points.page(collection, after, self._page)
            yield from found
            after = found[-1].key if found else after

    def _chosen(self, collection: str, keys: Iterable[str], after: str | None) -> Iterator[ListedPoint]:
        place = self._points.place
        wanted = iter(sorted({key for key in keys if after is None or place(key) > place(after)}, key=place))
        while some := list(islice(wanted, self._page)):
            yield from self._points.get(collection, some)

    def _row(self, point: ListedPoint) -> ImageRow:
        told = point.payload
        fields = self._fields
        payload = dict(told) if fields is None else {name: told[name] for name in told if name in fields}
        paths = [path for name in self._settings.paths for path in _paths(told.get(name))]
        candidates = tuple(dict.fromkeys(paths))
        said = json.dumps([candidates, payload], sort_keys=True, default=str)
        revision = blake2b(said.encode(), digest_size=8).hexdigest()
        return ImageRow(point.key, candidates, payload, revision, {n: _text(told.get(n)) for n in self._facets})


def _paths(value: Any) -> Iterator[str]:
    """A field may hold one path or several."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and one.strip():
            yield one


def _text(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
