"""A whole collection, page by page."""

from collections.abc import Iterator

from console_core.vectorstore.types import Point, PointId, VectorStore


def pages(
    store: VectorStore, name: str, *, size: int, vectors: bool = False, after: PointId | None = None
) -> Iterator[list[Point]]:
    """All points behind `after` in id order, at most `size` at a time; at least one page, empty where nothing is.

    Raises:
        CollectionNotFound, StoreError
    """
    while True:
        points, after = store.page(name, after=after, limit=size, vectors=vectors)
        yield points
        if after is None:
            return
