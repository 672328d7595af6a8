"""What is odd in a former collection when it begins to be kept in step: noted, so that it is left as it was."""

from collections.abc import Iterator
from itertools import islice

from console_core.following.comparing import PAGE, Comparison
from console_core.vectorstore.types import PointId


def take_stock(comparison: Comparison) -> Iterator[None]:
    """Accept gaps, orphans and points that do not say their revision, page by page. Doing it again does no harm.

    Raises:
        CollectionNotFound, StoreError, CatalogError
    """
    follows, follow = comparison.follows, comparison.follow
    rows = comparison.catalog.rows(follow.part)
    while page := list(islice(rows, PAGE)):
        follows.accept(follow.id, comparison.oddities(page))
        yield
    after: PointId | None = None
    while True:
        points, after = comparison.store.page(follow.collection, after=after, limit=PAGE)
        follows.accept(follow.id, comparison.orphans(points))
        yield
        if after is None:
            break
    follows.took_stock(follow.id)
