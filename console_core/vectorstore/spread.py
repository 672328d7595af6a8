"""Points from everywhere in a collection, without reading all of it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from console_core.vectorstore.types import Point, PointId, VectorStore

PAGES = 12
PAGE = 32
MOST_QUESTIONS = 80
"""Requests to find where a collection ends, and again to look into its gaps."""

_INTEGERS, _UUIDS = 2**63, 2**128


def spread(store: VectorStore, name: str, *, pages: int = PAGES, page: int = PAGE) -> Iterator[list[Point]]:
    """Pages of points with their vectors: the first, the last, and others from places between that are far apart.

    All points where they fill no more than `pages` pages. Integers and UUIDs are looked at separately, because all
    integers come before all UUIDs. No point comes twice; memory is bounded by one page.
    """
    if store.count(name) <= pages * page:
        found, after = store.page(name, limit=page, vectors=True)
        yield found
        while after is not None:
            found, after = store.page(name, after=after, limit=page, vectors=True)
            yield found
        return
    kinds = list(_kinds(store, name))
    for kind in kinds:
        yield from kind.pages(max(pages // len(kinds), 2), page)


def _kinds(store: VectorStore, name: str) -> "Iterator[_Kind]":
    for after, end in ((None, _INTEGERS), (_INTEGERS - 1, _UUIDS)):
        found, _ = store.page(name, after=after, limit=1)
        is_integer = end == _INTEGERS
        if found and isinstance(found[0].id, int) == is_integer:
            yield _Kind(store, name, _number(found[0].id), end, is_integer)


@dataclass(frozen=True, slots=True)
class _Kind:
    """The points of a collection whose ids are integers, or those whose ids are UUIDs, as places on a line."""

    store: VectorStore
    name: str
    first: int
    end: int
    is_integer: bool

    def pages(self, number: int, size: int) -> Iterator[list[Point]]:
        """The first page, the last one, and others that halve the widest gap between those seen so far."""
        gaps: list[tuple[int, int]] = []
        at = self.first
        for after in (self.first - 1, self._last_page(size)):
            found = self._page(max(after, at - 1), size, vectors=True)
            if found:
                gaps.append((at, _number(found[0].id)))
                at = _number(found[-1].id) + 1
                yield found
        wanted = number - 2
        for _ in range(MOST_QUESTIONS):
            gaps.sort(key=lambda gap: gap[1] - gap[0])
            if not wanted or not gaps or gaps[-1][1] <= gaps[-1][0]:
                return
            start, end = gaps.pop()
            middle = (start + end) // 2
            inside = [point for point in self._page(middle - 1, size, vectors=True) if _number(point.id) < end]
            gaps.append((start, middle))
            if inside:
                gaps.append((_number(inside[-1].id) + 1, end))
                wanted -= 1
                yield inside

    def _last_page(self, size: int) -> int:
        """A place behind which the last points are, and no more of them than fit a page."""
        low, high, step = self.first - 1, self.end - 1, max(self.end >> 50, 2 * self.store.count(self.name))
        for _ in range(MOST_QUESTIONS):
            middle = min(low + step, (low + high) // 2)
            if middle <= low:
                break
            found = self._page(middle, size)
            if not found:
                high, step = middle, high
            elif len(found) < size:
                return middle
            else:
                low, step = _number(found[-1].id) - 1, 4 * step
        return low

    def _page(self, after: int, size: int, *, vectors: bool = False) -> list[Point]:
        identifier = self._id(after)
        if identifier is None and not self.is_integer:  # the UUIDs begin where the integers end
            identifier = _INTEGERS - 1
        points, _ = self.store.page(self.name, after=identifier, limit=size, vectors=vectors)
        return [point for point in points if isinstance(point.id, int) == self.is_integer]

    def _id(self, number: int) -> PointId | None:
        if number < 0:
            return None
        return min(number, self.end - 1) if self.is_integer else str(uuid.UUID(int=min(number, self.end - 1)))


def _number(identifier: PointId) -> int:
    return identifier if isinstance(identifier, int) else uuid.UUID(identifier).int
